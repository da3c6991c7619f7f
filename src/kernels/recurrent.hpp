#pragma once
#include <sonde/activations.hpp>
#include <sonde/matmul_precision.hpp>
#include <sonde/shape.hpp>
#include <sonde/share.hpp>
#include <span>

/// The kernels that walk time: LSTM, GRU and SimpleRNN. The rules of kernels.hpp hold here too.
///
/// Gates lie beside each other along the last axis of the weights, each `units` wide: i f c o in an
/// LSTM, z r h in a GRU, only one in a SimpleRNN.
namespace sonde::kernels {

/// The pairs (step, row) of a block, whose products backward leaves until all are there: 256 rows
/// of dz make long products, and mostly stay in a second-level cache.
inline constexpr Index block_pairs = 256;

/// One layer over `steps` of `rows` sequences.
struct RecurrentSizes {
  Index steps = 1;
  Index rows = 1;
  Index channels = 1;
  Index units = 1;
  bool backwards = false;  ///< walk time from the last step to the first; y stays in input order
  ActivationFunction activation = ActivationFunction::tanh;
  ActivationFunction recurrent_activation = ActivationFunction::sigmoid;  ///< not in a SimpleRNN
  /// Of the products of an LSTM that trains; the double kernels and GRU and SimpleRNN know only
  /// f32.
  MatmulPrecision precision = MatmulPrecision::f32;
  bool reset_after = true;  ///< GRU: the reset gate acts after the product with the weights
};

/// Keras' functions where none are named: the vector kernels know only these.
inline bool has_default_functions(const RecurrentSizes& s) {
  return s.activation == ActivationFunction::tanh &&
         s.recurrent_activation == ActivationFunction::sigmoid;
}

/// Inverted-dropout factors, constant over time; null where there is no dropout. Per gate: index
/// g * rows * width + row * width + i. With `per_gate` false, one block for all gates.
template <class T>
struct DropoutMasks {
  const T* x = nullptr;  ///< (rows, channels), or (gates, rows, channels) with per_gate
  const T* h = nullptr;  ///< (rows, units), or (gates, rows, units) with per_gate
  bool per_gate = false;
};

/// Runs all steps of all rows.
template <class T>
struct RecurrentForward {
  const T* x = nullptr;       ///< (steps, rows, channels)
  const T* packed = nullptr;  ///< of the kernel's pack
  const T* h0 = nullptr;      ///< (rows, units); null: zeros
  const T* c0 = nullptr;      ///< LSTM: (rows, units); null: zeros
  T* y = nullptr;             ///< (steps, rows, units): h of every step, in input order
  /// LSTM: (steps, rows, units) when gates are kept; else (rows, units), the last c
  T* c = nullptr;
  T* gates = nullptr;    ///< gates_size for each step and row; null: not kept
  T* scratch = nullptr;  ///< scratch_size; not read by a SimpleRNN, nor by an LSTM of floats
  /// (steps, rows): a row's step with a 0 is skipped, h and c stay what they were; null: all count
  const T* mask = nullptr;
  DropoutMasks<T> dropout = {};
};

/// Backpropagation through all steps of a forward with gates kept.
template <class T>
struct RecurrentBackward {
  const T* x = nullptr;       ///< (steps, rows, channels)
  const T* packed = nullptr;  ///< of the kernel's pack
  const T* h0 = nullptr;      ///< as in forward
  const T* c0 = nullptr;      ///< as in forward
  const T* y = nullptr;       ///< as forward left it
  const T* c = nullptr;       ///< as forward left it
  T* gates = nullptr;         ///< as forward left it; destroyed
  const T* dy = nullptr;      ///< (steps, rows, units), in input order; null: zeros
  T* dh = nullptr;            ///< (rows, units): in, of the last h; out, of h0
  T* dc = nullptr;            ///< LSTM: (rows, units): in, of the last c; out, of c0
  T* dx = nullptr;            ///< (steps, rows, channels), overwritten; null: not wanted
  T* dw = nullptr;            ///< (channels, gates * units), added to
  T* du = nullptr;            ///< (units, gates * units), added to
  T* db = nullptr;            ///< like b, added to; null: no bias
  T* scratch = nullptr;       ///< scratch_size
  const T* mask = nullptr;    ///< as in forward
  DropoutMasks<T> dropout = {};
};

/// packed_size: scalars of the packed form of all weights. gates_size: scalars kept from forward to
/// backward, per step and row, in the kernel's own order. scratch_size: for all rows together.
/// pack: w (channels, gates * units), u (units, gates * units), b or null -> packed (opaque).

/// b is (4 units).
template <class T>
Index lstm_packed_size(const RecurrentSizes&);
template <class T>
Index lstm_gates_size(const RecurrentSizes&);
template <class T>
Index lstm_scratch_size(const RecurrentSizes&);
void lstm_pack(const RecurrentSizes&, const float* w, const float* u, const float* b,
               float* packed);
void lstm_pack(const RecurrentSizes&, const double* w, const double* u, const double* b,
               double* packed);
/// Up to `most_abreast` shards of s.rows rows each, with the same packed weights and none or all
/// with dropout; the results are those of one after the other. lstm_gains_abreast says whether one
/// walk serves all of them and is faster.
///
/// With a share, several workers call at the same time with the same arguments and make one walk
/// together: each does some pieces of the units or, where no vector kernel of floats does it or
/// channels are no whole slices and dx is wanted, some of the shards. When one returns, all is
/// done; the results are those of one worker. lstm_unit_pieces says how many pieces there are; 0
/// where sharing gains nothing.
inline constexpr std::size_t most_abreast = 8;
/// Rows of one worker that go through time together at most, unless a shard has more by itself. A
/// line of weights then serves 32 vectors' multiply-adds, 16 cycles of two units, where it comes
/// from the third-level cache in about 10 (20 GB/s, as measured); with AMX two tiles of rows share
/// it.
inline constexpr Index most_rows_abreast = 32;
bool lstm_gains_abreast(const RecurrentSizes&);
Index lstm_unit_pieces(const RecurrentSizes&);
void lstm_forward(const RecurrentSizes&, std::span<const RecurrentForward<float>> shards,
                  const Share& = {});
void lstm_forward(const RecurrentSizes&, std::span<const RecurrentForward<double>> shards,
                  const Share& = {});
void lstm_backward(const RecurrentSizes&, std::span<const RecurrentBackward<float>> shards,
                   const Share& = {});
void lstm_backward(const RecurrentSizes&, std::span<const RecurrentBackward<double>> shards,
                   const Share& = {});
inline void lstm_forward(const RecurrentSizes& s, const RecurrentForward<float>& a) {
  lstm_forward(s, std::span(&a, 1));
}
inline void lstm_forward(const RecurrentSizes& s, const RecurrentForward<double>& a) {
  lstm_forward(s, std::span(&a, 1));
}
inline void lstm_backward(const RecurrentSizes& s, const RecurrentBackward<float>& a) {
  lstm_backward(s, std::span(&a, 1));
}
inline void lstm_backward(const RecurrentSizes& s, const RecurrentBackward<double>& a) {
  lstm_backward(s, std::span(&a, 1));
}

/// b is (2, 3 units) with reset_after, of the products with w and with u; else (3 units).
template <class T>
Index gru_packed_size(const RecurrentSizes&);
template <class T>
Index gru_gates_size(const RecurrentSizes&);
template <class T>
Index gru_scratch_size(const RecurrentSizes&);
void gru_pack(const RecurrentSizes&, const float* w, const float* u, const float* b, float* packed);
void gru_pack(const RecurrentSizes&, const double* w, const double* u, const double* b,
              double* packed);
void gru_forward(const RecurrentSizes&, const RecurrentForward<float>&);
void gru_forward(const RecurrentSizes&, const RecurrentForward<double>&);
void gru_backward(const RecurrentSizes&, const RecurrentBackward<float>&);
void gru_backward(const RecurrentSizes&, const RecurrentBackward<double>&);

/// b is (units).
template <class T>
Index simple_rnn_packed_size(const RecurrentSizes&);
template <class T>
Index simple_rnn_gates_size(const RecurrentSizes&);
template <class T>
Index simple_rnn_scratch_size(const RecurrentSizes&);
void simple_rnn_pack(const RecurrentSizes&, const float* w, const float* u, const float* b,
                     float* packed);
void simple_rnn_pack(const RecurrentSizes&, const double* w, const double* u, const double* b,
                     double* packed);
void simple_rnn_forward(const RecurrentSizes&, const RecurrentForward<float>&);
void simple_rnn_forward(const RecurrentSizes&, const RecurrentForward<double>&);
void simple_rnn_backward(const RecurrentSizes&, const RecurrentBackward<float>&);
void simple_rnn_backward(const RecurrentSizes&, const RecurrentBackward<double>&);

}  // namespace sonde::kernels
