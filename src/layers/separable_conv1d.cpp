#include <algorithm>
#include <sonde/layers/separable_conv1d.hpp>

#include "layers/depthwise.hpp"
#include "layers/final_activation.hpp"

namespace sonde {
namespace {

struct SeparableConv1DOp {
  Depthwise window;
  kernels::Window mix;  // one tap over what the depthwise windows gave
  Slot depthwise_kernel, pointwise_kernel, bias, packed;
  Slot middle;   // between the two
  Slot dmiddle;  // its gradient
  FinalActivation activation;
  StreamWindow stream;
  bool streaming = false;

  template <class T>
  void pack(const View<T>& v) const {
    kernels::window_pack(mix, v[pointwise_kernel], v[packed]);
  }
  template <class T>
  void forward(const View<T>& v) const {
    Depthwise w = window;
    w.rows = v.rows();
    if (streaming) {
      const auto held = stream.append(v, T(0));
      v.produce(held.outputs);
      w.steps_in = held.steps;
      w.steps_out = held.outputs;
      w.left = 0;
      w.forward<T>(held.data, v[depthwise_kernel], nullptr, v[middle]);
      stream.release(v, held);
    } else {
      w.forward<T>(v.x().data, v[depthwise_kernel], nullptr, v[middle]);
    }
    kernels::window_forward(over(v), v[middle], v[packed], v[bias], activation.fused_relu(),
                            activation.sums(v));
    activation.forward(v);
  }
  template <class T>
  void backward(const View<T>& v) const {
    const T* dz = activation.backward(v);
    kernels::window_backward_weights(over(v), v[middle], dz, v.gradient(pointwise_kernel),
                                     v.gradient(bias));
    kernels::window_backward_input(over(v), dz, v[packed], v[dmiddle]);
    Depthwise w = window;
    w.rows = v.rows();
    w.backward_weights<T>(v.x().data, v[dmiddle], v.gradient(depthwise_kernel), nullptr);
    if (v.dx()) w.backward_input<T>(v[dmiddle], v[depthwise_kernel], v.dx().data);
  }
  /// One dense product over all vectors of the output.
  template <class T>
  kernels::Window over(const View<T>& v) const {
    kernels::Window w = mix;
    w.rows = v.y().vectors();
    return w;
  }
};

}  // namespace

AnyOp SeparableConv1D::plan(Planner& planner) const {
  const auto geometry =
      plan_conv_geometry(planner, *kernel_size, strides, dilation_rate, padding, false);
  planner.at_least("filters", *filters, 1);
  planner.at_least("depth_multiplier", depth_multiplier, 1);
  const Index channels = planner.input()[1];

  SeparableConv1DOp op;
  op.window =
      Depthwise::of(planner, geometry, *kernel_size, strides, dilation_rate, depth_multiplier);
  const Index middle = op.window.width();
  op.mix = {.channels = middle,
            .filters = *filters,
            .x_pitch = middle,
            .y_pitch = *filters,
            .w_pitch = *filters};
  op.depthwise_kernel =
      planner.weight("depthwise_kernel", {*kernel_size, channels, depth_multiplier},
                     {depthwise_initializer, depthwise_regularizer, depthwise_constraint});
  op.pointwise_kernel =
      planner.weight("pointwise_kernel", {1, middle, *filters},
                     {pointwise_initializer, pointwise_regularizer, pointwise_constraint});
  if (use_bias)
    op.bias =
        planner.weight("bias", {*filters}, {bias_initializer, bias_regularizer, bias_constraint});
  op.packed = planner.packed(std::max(kernels::window_packed_size<float>(op.mix),
                                      kernels::window_packed_size<double>(op.mix)));
  planner.timing(geometry.timing(strides));
  planner.keep_input();

  Shape output{geometry.steps_out, *filters};
  if (planner.streaming()) {
    op.streaming = true;
    op.stream = plan_conv_stream(planner, geometry, strides, padding);
    output[0] = op.stream.plan(planner);
  }
  const Index between = per_row({output[0], middle});
  op.middle = planner.training() ? planner.saved(between) : planner.scratch(between);
  if (planner.training()) op.dmiddle = planner.scratch(between);
  planner.output(output);
  op.activation = FinalActivation::plan(planner, activation, output);
  return op;
}

Tensor SeparableConv1D::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
