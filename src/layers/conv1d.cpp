#include <fmt/format.h>

#include <algorithm>
#include <sonde/layers/conv1d.hpp>

#include "layers/conv_geometry.hpp"
#include "layers/final_activation.hpp"
#include "layers/stream_sums.hpp"

namespace sonde {
namespace {

struct Conv1DOp {
  kernels::Window window;  // of one group
  Index groups = 1;
  Slot kernel, bias, packed;
  Index packed_size = 0;  // of one group
  FinalActivation activation;
  bool streaming = false;
  StreamSums sums;  // where windows can be summed while their inputs come
  StreamWindow stream;

  template <class T>
  void pack(const View<T>& v) const {
    for (Index g = 0; g < groups; ++g)
      kernels::window_pack(window, v[kernel] + g * window.filters, v[packed] + g * packed_size);
  }
  template <class T>
  void forward(const View<T>& v) const {
    kernels::Window w = window;
    w.rows = v.rows();
    if (!streaming) {
      slide(v, w, v.x().data, activation.fused_relu(), activation.sums(v));
      activation.forward(v);
      return;
    }
    if (sums.sums) {
      push(v, w);
      return;
    }
    const auto held = stream.append(v, T(0));
    v.produce(held.outputs);
    w.steps_in = held.steps;
    w.steps_out = held.outputs;
    w.left = 0;
    slide(v, w, held.data, activation.fused_relu(), activation.sums(v));
    activation.forward(v);
    stream.release(v, held);
  }
  template <class T>
  void slide(const View<T>& v, const kernels::Window& w, const T* x, bool relu, T* y) const {
    for (Index g = 0; g < groups; ++g)
      kernels::window_forward(w, x + g * w.channels, v[packed] + g * packed_size,
                              bias ? v[bias] + g * w.filters : nullptr, relu, y + g * w.filters);
  }
  /// A chunk of a stream. A long one ends the windows that have begun step by step, slides over
  /// itself, and begins others; a short one goes step by step.
  template <class T>
  void push(const View<T>& v, kernels::Window w) const {
    const bool relu = activation.fused_relu();
    const Chunk<const T> x = v.x();
    const Index open = w.taps - 1, vector = w.rows * w.y_pitch;
    const bool is_long = x.steps >= w.taps;
    T* y = activation.sums(v);
    Index made = 0;
    sums.begin(v, w, v[bias]);
    for (Index t = 0; t < (is_long ? open : x.steps); ++t) {
      for (Index g = 0; g < groups; ++g) {
        const Index out = g * w.filters;
        kernels::window_push(w, is_long ? open - t : w.taps, x.step(t) + g * w.channels,
                             v[packed] + g * packed_size, bias ? v[bias] + out : nullptr, relu,
                             v[sums.sums] + out, y + made * vector + out);
      }
      made += sums.leave(v);
    }
    if (is_long) {
      w.left = 0;
      w.steps_in = x.steps;
      w.steps_out = x.steps - open;
      slide(v, w, x.data, relu, y + made * vector);
      made += w.steps_out;
      w.steps_in = w.steps_out = open;
      slide(v, w, x.step(x.steps - open), false, v[sums.sums]);
    }
    if (v.last()) made = sums.finish(v, w, relu, y, made);
    v.produce(made);
    activation.forward(v);
  }
  template <class T>
  void backward(const View<T>& v) const {
    const T* dz = activation.backward(v);
    kernels::Window w = window;
    w.rows = v.rows();
    for (Index g = 0; g < groups; ++g) {
      const Index x = g * w.channels, y = g * w.filters;
      kernels::window_backward_weights(w, v.x().data + x, dz + y, v.gradient(kernel) + y,
                                       bias ? v.gradient(bias) + y : nullptr);
      if (v.dx())
        kernels::window_backward_input(w, dz + y, v[packed] + g * packed_size, v.dx().data + x);
    }
  }
};

}  // namespace

AnyOp Conv1D::plan(Planner& planner) const {
  const auto geometry =
      plan_conv_geometry(planner, *kernel_size, strides, dilation_rate, padding, true);
  planner.at_least("filters", *filters, 1);
  planner.at_least("groups", groups, 1);
  const Index steps = planner.input()[0], channels = planner.input()[1];
  if (channels % groups != 0 || *filters % groups != 0)
    planner.refuse(fmt::format("groups = {} must divide the {} input channels and the {} filters.",
                               groups, channels, *filters));

  Conv1DOp op;
  op.window = {.steps_in = steps,
               .steps_out = geometry.steps_out,
               .rows = planner.rows(),
               .channels = channels / groups,
               .filters = *filters / groups,
               .taps = *kernel_size,
               .stride = strides,
               .dilation = dilation_rate,
               .left = geometry.left,
               .x_pitch = channels,
               .y_pitch = *filters,
               .w_pitch = *filters};
  op.groups = groups;
  op.kernel = planner.weight("kernel", {*kernel_size, channels / groups, *filters},
                             {kernel_initializer, kernel_regularizer, kernel_constraint});
  if (use_bias)
    op.bias =
        planner.weight("bias", {*filters}, {bias_initializer, bias_regularizer, bias_constraint});
  op.packed_size = std::max(kernels::window_packed_size<float>(op.window),
                            kernels::window_packed_size<double>(op.window));
  op.packed = planner.packed(groups * op.packed_size);
  planner.timing(geometry.timing(strides));
  planner.keep_input();

  Shape output{geometry.steps_out, *filters};
  if (planner.streaming()) {
    op.streaming = true;
    op.stream = plan_conv_stream(planner, geometry, strides, padding);
    if (kernels::window_can_push(op.window)) {
      op.sums = {.left = geometry.left, .right = geometry.right};
      output[0] = op.sums.plan(planner, op.window);
    } else {
      output[0] = op.stream.plan(planner);
    }
  }
  planner.output(output);
  op.activation = FinalActivation::plan(planner, activation, output);
  return op;
}

Tensor Conv1D::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
