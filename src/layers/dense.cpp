#include <sonde/layers/dense.hpp>

#include <algorithm>

#include "layers/final_activation.hpp"

namespace sonde {
namespace {

struct DenseOp {
  kernels::Window window;  // one tap
  Slot kernel, bias, packed;
  FinalActivation activation;

  template <class T>
  kernels::Window over(const Chunk<T>& x) const {
    kernels::Window w = window;
    w.rows = x.size() / window.channels;
    return w;
  }
  template <class T>
  void pack(const View<T>& v) const {
    kernels::window_pack(window, v[kernel], v[packed]);
  }
  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    kernels::window_forward(over(v.x()), v.x().data, v[packed], v[bias], activation.fused_relu(),
                            activation.sums(v));
    activation.forward(v);
  }
  template <class T>
  void backward(const View<T>& v) const {
    const T* dz = activation.backward(v);
    const kernels::Window w = over(v.x());
    kernels::window_backward_weights(w, v.x().data, dz, v.gradient(kernel), v.gradient(bias));
    if (v.dx()) kernels::window_backward_input(w, dz, v[packed], v.dx().data);
  }
};

}  // namespace

AnyOp Dense::plan(Planner& planner) const {
  if (planner.inputs() != 1 || planner.input().rank() < 1)
    planner.refuse("takes one input of shape (…, features).");
  planner.at_least("units", *units, 1);
  const Index features = planner.input().last();
  Shape output = planner.input();
  output[-1] = *units;
  planner.output(output);
  planner.pass_mask();
  planner.keep_input();

  DenseOp op;
  // Axes between time and features are vectors of their own.
  op.window = {.channels = features,
               .filters = *units,
               .x_pitch = features,
               .y_pitch = *units,
               .w_pitch = *units};
  op.kernel = planner.weight("kernel", {features, *units},
                             {kernel_initializer, kernel_regularizer, kernel_constraint});
  if (use_bias)
    op.bias =
        planner.weight("bias", {*units}, {bias_initializer, bias_regularizer, bias_constraint});
  op.packed = planner.packed(std::max(kernels::window_packed_size<float>(op.window),
                                      kernels::window_packed_size<double>(op.window)));
  op.activation = FinalActivation::plan(planner, activation, output);
  return op;
}

Tensor Dense::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
