#include <sonde/layers/gru.hpp>

#include "layers/recurrent.hpp"

namespace sonde {
namespace {

struct GruCell {
  static constexpr Index gates = 3;
  static constexpr Index states = 1;
  static constexpr bool forward_scratch = true;
  static constexpr bool abreast = false;
  template <class T>
  static Index packed_size(const kernels::RecurrentSizes& s) {
    return kernels::gru_packed_size<T>(s);
  }
  template <class T>
  static Index gates_size(const kernels::RecurrentSizes& s) {
    return kernels::gru_gates_size<T>(s);
  }
  template <class T>
  static Index scratch_size(const kernels::RecurrentSizes& s) {
    return kernels::gru_scratch_size<T>(s);
  }
  template <class T>
  static void pack(const kernels::RecurrentSizes& s, const T* w, const T* u, const T* b,
                   T* packed) {
    kernels::gru_pack(s, w, u, b, packed);
  }
  template <class T>
  static void forward(const kernels::RecurrentSizes& s, const kernels::RecurrentForward<T>& a) {
    kernels::gru_forward(s, a);
  }
  template <class T>
  static void backward(const kernels::RecurrentSizes& s, const kernels::RecurrentBackward<T>& a) {
    kernels::gru_backward(s, a);
  }
};

}  // namespace

AnyOp GRU::plan(Planner& planner) const {
  check_recurrent(planner, *this, GruCell::states);
  check_function(planner, "recurrent_activation", recurrent_activation);
  const Index n = 3 * *units;
  return plan_recurrent<GruCell>(
      planner, *this, {.recurrent_activation = recurrent_activation, .reset_after = reset_after},
      reset_after ? Shape{2, n} : Shape{n}, {bias_initializer, bias_regularizer, bias_constraint});
}

Tensor GRU::operator()(Tensor x, std::vector<Tensor> initial_state) const {
  return outputs(std::move(x), std::move(initial_state)).front();
}

std::vector<Tensor> GRU::outputs(Tensor x, std::vector<Tensor> initial_state) const {
  initial_state.insert(initial_state.begin(), std::move(x));
  return apply(*this, std::move(initial_state));
}

}  // namespace sonde
