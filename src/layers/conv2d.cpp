#include <fmt/format.h>

#include <algorithm>
#include <sonde/layers/conv2d.hpp>

#include "layers/final_activation.hpp"
#include "layers/stream_window.hpp"
#include "layers/window_geometry.hpp"

namespace sonde {
namespace {

/// A convolution along time for each output column; all columns share one kernel. What a column
/// reads of one step lies side by side, or is brought together in `gathered`.
struct Conv2DOp {
  kernels::Window window;  // along time, of one group and one output column
  Index groups = 1;
  Index columns = 1;                                   // of the output
  Index width = 1;                                     // columns of the input
  Index channels = 1;                                  // of an input column, all groups
  Index taps = 1, stride = 1, dilation = 1, left = 0;  // across the columns
  Slot kernel, bias, packed, gathered;
  Index packed_size = 0;  // of one group
  FinalActivation activation;
  StreamWindow stream;
  bool streaming = false;

  Index group_channels() const { return channels / groups; }
  Index first(Index column) const { return column * stride - left; }
  /// Whether a column's numbers lie side by side in the input.
  bool is_whole(Index column) const {
    return (taps == 1 || (groups == 1 && dilation == 1)) && first(column) >= 0 &&
           first(column) + taps <= width;
  }
  bool all_are_whole() const { return is_whole(0) && is_whole(columns - 1); }
  bool are_disjoint() const { return columns == 1 || stride >= (taps - 1) * dilation + 1; }

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
      slide(v, w, v.x().data);
      return;
    }
    const auto held = stream.append(v, T(0));
    v.produce(held.outputs);
    w.steps_in = held.steps;
    w.steps_out = held.outputs;
    w.left = 0;
    slide(v, w, held.data);
    stream.release(v, held);
  }
  template <class T>
  void slide(const View<T>& v, const kernels::Window& along, const T* x) const {
    T* sums = activation.sums(v);
    each_column([&](Index column, Index g, Index y) {
      kernels::Window w = along;
      const T* read = gather(v, w, column, g, x);
      kernels::window_forward(w, read, v[packed] + g * packed_size,
                              bias ? v[bias] + g * w.filters : nullptr, activation.fused_relu(),
                              sums + y);
    });
    activation.forward(v);
  }
  template <class T>
  void backward(const View<T>& v) const {
    const T* dz = activation.backward(v);
    const Chunk<T> dx = v.dx();
    if (dx) std::fill_n(dx.data, dx.size(), T(0));
    each_column([&](Index column, Index g, Index y) {
      kernels::Window w = window;
      w.rows = v.rows();
      const T* read = gather(v, w, column, g, v.x().data);
      kernels::window_backward_weights(w, read, dz + y, v.gradient(kernel) + g * w.filters,
                                       bias ? v.gradient(bias) + g * w.filters : nullptr);
      if (!dx) return;
      T* dread = is_whole(column) && are_disjoint() ? dx.data + place(column, g) : v[gathered];
      if (dread == v[gathered]) w.x_pitch = w.channels;
      kernels::window_backward_input(w, dz + y, v[packed] + g * packed_size, dread);
      if (dread == v[gathered]) scatter(w, column, g, dread, dx.data);
    });
  }

 private:
  /// Calls f(column, group, where its outputs begin).
  template <class F>
  void each_column(F f) const {
    for (Index column = 0; column < columns; ++column)
      for (Index g = 0; g < groups; ++g) f(column, g, (column * groups + g) * window.filters);
  }
  Index place(Index column, Index g) const {
    return first(column) * channels + g * group_channels();
  }
  /// Calls f(where a tap's numbers lie when gathered, where in the input) for each tap inside.
  template <class F>
  void each_tap(Index column, Index g, F f) const {
    for (Index tap = 0; tap < taps; ++tap) {
      const Index from = first(column) + tap * dilation;
      if (from >= 0 && from < width)
        f(tap * group_channels(), from * channels + g * group_channels());
    }
  }
  /// What one column and group read of x, and in `w` its pitch.
  template <class T>
  const T* gather(const View<T>& v, kernels::Window& w, Index column, Index g, const T* x) const {
    if (is_whole(column)) return x + place(column, g);
    w.x_pitch = w.channels;
    T* to = v[gathered];
    const Index vectors = w.steps_in * w.rows;
    std::fill_n(to, vectors * w.channels, T(0));
    each_tap(column, g, [&](Index near, Index far) {
      for (Index i = 0; i < vectors; ++i)
        std::copy_n(x + i * width * channels + far, group_channels(), to + i * w.channels + near);
    });
    return to;
  }
  template <class T>
  void scatter(const kernels::Window& w, Index column, Index g, const T* from, T* dx) const {
    each_tap(column, g, [&](Index near, Index far) {
      for (Index i = 0; i < w.steps_in * w.rows; ++i) {
        const T* part = from + i * w.channels + near;
        T* to = dx + i * width * channels + far;
        for (Index c = 0; c < group_channels(); ++c) to[c] += part[c];
      }
    });
  }
};

}  // namespace

AnyOp Conv2D::plan(Planner& planner) const {
  planner.expect_rank(3, "(time, width, channels)");
  const Size2D kernel = *kernel_size;
  planner.at_least("filters", *filters, 1);
  planner.at_least("kernel_size", std::min(kernel.height, kernel.width), 1,
                   "Use 1 along an axis that shall not be mixed.");
  planner.at_least("strides", std::min(strides.height, strides.width), 1);
  planner.at_least("dilation_rate", std::min(dilation_rate.height, dilation_rate.width), 1);
  planner.at_least("groups", groups, 1);
  if (padding == Padding::causal)
    planner.refuse("padding must be valid or same, got causal. Only Conv1D pads causally.");
  if (std::max(strides.height, strides.width) > 1 &&
      std::max(dilation_rate.height, dilation_rate.width) > 1)
    planner.refuse("strides and dilation_rate cannot both be above 1. Set one of them to 1.");
  const Index steps = planner.input()[0], width = planner.input()[1], channels = planner.input()[2];
  if (channels % groups != 0 || *filters % groups != 0)
    planner.refuse(fmt::format("groups = {} must divide the {} input channels and the {} filters.",
                               groups, channels, *filters));
  const auto time =
      WindowGeometry::of(steps, kernel.height, strides.height, dilation_rate.height, padding);
  const auto across =
      WindowGeometry::of(width, kernel.width, strides.width, dilation_rate.width, padding);
  if ((time.steps_out == 0 && !planner.streaming()) || across.steps_out == 0)
    planner.refuse(
        fmt::format("kernel_size = ({}, {}) spans {} steps and {} columns, but the input has only "
                    "{} and {}. Use padding = same, or a smaller kernel.",
                    kernel.height, kernel.width, time.effective, across.effective, steps, width));

  Conv2DOp op;
  op.window = {.steps_in = steps,
               .steps_out = time.steps_out,
               .rows = planner.rows(),
               .channels = kernel.width * (channels / groups),
               .filters = *filters / groups,
               .taps = kernel.height,
               .stride = strides.height,
               .dilation = dilation_rate.height,
               .left = time.left,
               .x_pitch = width * channels,
               .y_pitch = across.steps_out * *filters,
               .w_pitch = *filters};
  op.groups = groups;
  op.columns = across.steps_out;
  op.width = width;
  op.channels = channels;
  op.taps = kernel.width;
  op.stride = strides.width;
  op.dilation = dilation_rate.width;
  op.left = across.left;
  op.kernel = planner.weight("kernel", {kernel.height, kernel.width, channels / groups, *filters},
                             {kernel_initializer, kernel_regularizer, kernel_constraint});
  if (use_bias)
    op.bias =
        planner.weight("bias", {*filters}, {bias_initializer, bias_regularizer, bias_constraint});
  op.packed_size = std::max(kernels::window_packed_size<float>(op.window),
                            kernels::window_packed_size<double>(op.window));
  op.packed = planner.packed(groups * op.packed_size);
  planner.timing(time.timing(strides.height));
  planner.keep_input();

  Shape output{time.steps_out, across.steps_out, *filters};
  Index held = steps;
  if (planner.streaming()) {
    if (padding == Padding::same && strides.height > 1)
      planner.cannot_stream(
          "same padding with strides above 1 is laid from the end of the signal. Use padding = "
          "valid.");
    op.streaming = true;
    op.stream = {
        .window = time.effective, .stride = strides.height, .left = time.left, .right = time.right};
    output[0] = op.stream.plan(planner);
    held = op.stream.capacity(steps);
  }
  const bool gathers = !op.all_are_whole() || (planner.training() && !op.are_disjoint());
  if (gathers && held != dynamic) op.gathered = planner.scratch(held * op.window.channels);
  planner.output(output);
  op.activation = FinalActivation::plan(planner, activation, output);
  return op;
}

Tensor Conv2D::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
