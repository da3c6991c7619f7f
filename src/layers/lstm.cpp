#include <sonde/layers/lstm.hpp>

#include "layers/recurrent.hpp"

namespace sonde {
namespace {

struct LstmCell {
  static constexpr Index gates = 4;
  static constexpr Index states = 2;
  static constexpr bool forward_scratch = false;
  static constexpr bool abreast = true;
  static bool gains_abreast(const kernels::RecurrentSizes& s) {
    return kernels::lstm_gains_abreast(s);
  }
  static Index unit_pieces(const kernels::RecurrentSizes& s) {
    return kernels::lstm_unit_pieces(s);
  }
  template <class T>
  static Index packed_size(const kernels::RecurrentSizes& s) {
    return kernels::lstm_packed_size<T>(s);
  }
  template <class T>
  static Index gates_size(const kernels::RecurrentSizes& s) {
    return kernels::lstm_gates_size<T>(s);
  }
  template <class T>
  static Index scratch_size(const kernels::RecurrentSizes& s) {
    return kernels::lstm_scratch_size<T>(s);
  }
  template <class T>
  static void pack(const kernels::RecurrentSizes& s, const T* w, const T* u, const T* b,
                   T* packed) {
    kernels::lstm_pack(s, w, u, b, packed);
  }
  template <class T>
  static void forward(const kernels::RecurrentSizes& s,
                      std::span<const kernels::RecurrentForward<T>> shards, const Share& share) {
    kernels::lstm_forward(s, shards, share);
  }
  template <class T>
  static void backward(const kernels::RecurrentSizes& s,
                       std::span<const kernels::RecurrentBackward<T>> shards, const Share& share) {
    kernels::lstm_backward(s, shards, share);
  }
};

}  // namespace

AnyOp LSTM::plan(Planner& planner) const {
  check_recurrent(planner, *this, LstmCell::states);
  check_function(planner, "recurrent_activation", recurrent_activation);
  const Index n = *units;
  WeightOptions of_bias{bias_initializer, bias_regularizer, bias_constraint};
  if (unit_forget_bias) of_bias.ones_begin = n, of_bias.ones_end = 2 * n;  // of i f c o
  return plan_recurrent<LstmCell>(planner, *this, {.recurrent_activation = recurrent_activation},
                                  {4 * n}, std::move(of_bias));
}

Tensor LSTM::operator()(Tensor x, std::vector<Tensor> initial_state) const {
  return outputs(std::move(x), std::move(initial_state)).front();
}

std::vector<Tensor> LSTM::outputs(Tensor x, std::vector<Tensor> initial_state) const {
  initial_state.insert(initial_state.begin(), std::move(x));
  return apply(*this, std::move(initial_state));
}

}  // namespace sonde
