#pragma once
#include "kernels/reference/lstm.hpp"
#include "kernels/simd/packed.hpp"

/// What the LSTM's vector kernels share: which calls they take, and how they lay out memory.
///
/// Units go in slices of 16. The gates of one step and row lie (slices, 4, 16), and so do the sums
/// that run over gates: "gate lane" slice * 64 + gate * 16 + lane.
namespace sonde::kernels {

inline constexpr Index gates_of_slice = 4 * slice;

inline Index gate_lanes(const RecurrentSizes& s) { return 4 * whole_slices(s.units); }

/// The vector kernels know Keras' default functions; all else is the reference's.
inline bool is_default(const RecurrentSizes& s, const DropoutMasks<float>& dropout) {
  return s.activation == ActivationFunction::tanh &&
         s.recurrent_activation == ActivationFunction::sigmoid && !dropout.x && !dropout.h;
}

/// Calls use(first, end) for each run of rows that a step's mask uses, and skip(row) for the
/// others.
template <class Use, class Skip>
void for_runs(const float* mask, Index rows, Use use, Skip skip) {
  if (!mask) return use(0, rows);
  for (Index r = 0; r < rows; ++r) {
    const Index first = r;
    while (r < rows && mask[r] != 0.0f) ++r;
    if (r > first) use(first, r);
    if (r < rows) skip(r);
  }
}

/// The packed block: plain weights for the reference, then what the vector kernels read.
struct LstmPacked {
  Index forward;     ///< (slices, channels + units, 4, 16): w above u
  Index bias;        ///< (slices, 4, 16)
  Index backward_h;  ///< u transposed: panels of (gate lanes, units)
  Index backward_x;  ///< w transposed: panels of (gate lanes, channels)
  Index size;

  explicit LstmPacked(const RecurrentSizes& s) {
    forward = whole_slices(reference::lstm_packed_size(s));
    bias = forward + gate_lanes(s) * (s.channels + s.units);
    backward_h = bias + gate_lanes(s);
    backward_x = backward_h + gate_lanes(s) * whole_slices(s.units);
    size = backward_x + gate_lanes(s) * whole_slices(s.channels);
  }
};

}  // namespace sonde::kernels
