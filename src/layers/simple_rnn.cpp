#include <sonde/layers/simple_rnn.hpp>

#include "layers/recurrent.hpp"

namespace sonde {
namespace {

struct SimpleRnnCell {
  static constexpr Index gates = 1;
  static constexpr Index states = 1;
  static constexpr bool forward_scratch = false;
  static constexpr bool abreast = false;
  template <class T>
  static Index packed_size(const kernels::RecurrentSizes& s) {
    return kernels::simple_rnn_packed_size<T>(s);
  }
  template <class T>
  static Index gates_size(const kernels::RecurrentSizes& s) {
    return kernels::simple_rnn_gates_size<T>(s);
  }
  template <class T>
  static Index scratch_size(const kernels::RecurrentSizes& s) {
    return kernels::simple_rnn_scratch_size<T>(s);
  }
  template <class T>
  static void pack(const kernels::RecurrentSizes& s, const T* w, const T* u, const T* b,
                   T* packed) {
    kernels::simple_rnn_pack(s, w, u, b, packed);
  }
  template <class T>
  static void forward(const kernels::RecurrentSizes& s, const kernels::RecurrentForward<T>& a) {
    kernels::simple_rnn_forward(s, a);
  }
  template <class T>
  static void backward(const kernels::RecurrentSizes& s, const kernels::RecurrentBackward<T>& a) {
    kernels::simple_rnn_backward(s, a);
  }
};

}  // namespace

AnyOp SimpleRNN::plan(Planner& planner) const {
  check_recurrent(planner, *this, SimpleRnnCell::states);
  return plan_recurrent<SimpleRnnCell>(planner, *this, {}, {*units},
                                       {bias_initializer, bias_regularizer, bias_constraint});
}

Tensor SimpleRNN::operator()(Tensor x, std::vector<Tensor> initial_state) const {
  return outputs(std::move(x), std::move(initial_state)).front();
}

std::vector<Tensor> SimpleRNN::outputs(Tensor x, std::vector<Tensor> initial_state) const {
  initial_state.insert(initial_state.begin(), std::move(x));
  return apply(*this, std::move(initial_state));
}

}  // namespace sonde
