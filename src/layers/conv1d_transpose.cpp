#include <fmt/format.h>

#include <algorithm>
#include <sonde/layers/conv1d_transpose.hpp>

#include "layers/final_activation.hpp"

namespace sonde {
namespace {

/// Where the windows of a transposed convolution lie: that of input step t begins at output step
/// t * stride - left. Keras: compute_conv_transpose_padding_args_for_jax.
struct Transposed {
  Index effective = 1;  ///< steps from the first to the last tap
  Index stride = 1;
  Index left = 0;   ///< steps cut off before the first output step
  Index extra = 0;  ///< output steps are input steps * stride + extra

  Index steps_out(Index steps) const { return steps > 0 ? steps * stride + extra : 0; }
  /// Outputs that are the same whatever inputs follow the first `steps`.
  Index complete(Index steps) const {
    return std::max<Index>(0, std::min(steps * stride - left, steps_out(steps)));
  }
  /// The first input step that output step t reads.
  Index first_read(Index t) const {
    return std::max<Index>(0, (t + left - effective + stride) / stride);
  }
  Timing timing() const {
    const Index ahead = (stride - 1 + left) / stride, behind = (effective - 1 - left) / stride;
    return {.window = behind + ahead + 1, .left = behind, .upsample = stride};
  }

  static Transposed of(Index taps, Index stride, Index dilation, Padding padding,
                       std::optional<Index> output_padding) {
    Transposed g{.effective = (taps - 1) * dilation + 1, .stride = stride};
    const Index e = g.effective;
    if (padding == Padding::same) {
      const Index total = output_padding ? e + e % 2 - 2 + *output_padding : stride + e - 2;
      g.left = e - 1 - std::min((total + 1) / 2, e - 1);
      g.extra = output_padding ? e % 2 + *output_padding - stride : 0;
    } else {
      g.extra = (output_padding ? e + *output_padding : std::max(e, stride)) - stride;
    }
    return g;
  }
};

/// Forward is a convolution's way back towards its input, and backward its forward: in `window` x
/// stands for our output, and y for our input.
struct Conv1DTransposeOp {
  kernels::Window window;
  Transposed geometry;
  Slot kernel, bias, packed;
  Slot held;      // inputs of earlier chunks that coming outputs read
  Slot counters;  // 0: number of the first held step, 1: steps held, 2: outputs made
  FinalActivation activation;
  bool streaming = false;

  template <class T>
  void pack(const View<T>& v) const {
    kernels::window_pack(window, v[kernel], v[packed]);
  }
  template <class T>
  void forward(const View<T>& v) const {
    kernels::Window w = window;
    w.rows = v.rows();
    if (streaming) {
      advance(v, w);
      return;
    }
    lay(v, w, v.x().data);
  }
  template <class T>
  void backward(const View<T>& v) const {
    const T* dz = activation.backward(v);
    kernels::Window w = window;
    w.rows = v.rows();
    kernels::window_backward_weights(w, dz, v.x().data, v.gradient(kernel), nullptr);
    if (T* db = v.gradient(bias))
      for (Index i = 0; i < v.dy().vectors(); ++i)
        for (Index f = 0; f < w.channels; ++f) db[f] += dz[i * w.channels + f];
    if (v.dx()) kernels::window_forward(w, dz, v[packed], nullptr, false, v.dx().data);
  }

 private:
  template <class T>
  void lay(const View<T>& v, const kernels::Window& w, const T* x) const {
    T* sums = activation.sums(v);
    kernels::window_backward_input(w, x, v[packed], sums);
    if (const T* b = v[bias])
      for (Index i = 0; i < w.steps_in * w.rows; ++i)
        for (Index f = 0; f < w.channels; ++f) sums[i * w.channels + f] += b[f];
    activation.apply(v);
  }
  /// Makes the outputs that this chunk completes, and drops the inputs that no later one reads.
  template <class T>
  void advance(const View<T>& v, kernels::Window& w) const {
    const Chunk<const T> x = v.x();
    T* steps = v[held];
    Index* count = v.counters(counters);
    if (v.first()) std::fill_n(count, 3, Index{0});
    auto &first = count[0], &kept = count[1], &made = count[2];
    const Index vector = x.rows * x.width;
    std::copy_n(x.data, x.size(), steps + kept * vector);
    kept += x.steps;
    const Index end = v.last() ? geometry.steps_out(first + kept)
                               : std::max(made, geometry.complete(first + kept));
    v.produce(end - made);
    w.steps_in = end - made;
    w.steps_out = kept;
    w.left = geometry.left + made - first * geometry.stride;
    lay(v, w, static_cast<const T*>(steps));
    made = end;
    const Index gone = std::clamp<Index>(geometry.first_read(made) - first, 0, kept);
    std::copy(steps + gone * vector, steps + kept * vector, steps);
    first += gone;
    kept -= gone;
  }
};

}  // namespace

AnyOp Conv1DTranspose::plan(Planner& planner) const {
  planner.expect_rank(2, "(time, channels)");
  planner.at_least("filters", *filters, 1);
  planner.at_least("kernel_size", *kernel_size, 1);
  planner.at_least("strides", strides, 1);
  planner.at_least("dilation_rate", dilation_rate, 1);
  if (strides > 1 && dilation_rate > 1)
    planner.refuse(fmt::format(
        "strides = {} and dilation_rate = {} cannot both be above 1. Set one of them to 1.",
        strides, dilation_rate));
  if (padding == Padding::causal)
    planner.refuse("padding must be valid or same, got causal. Only Conv1D pads causally.");
  if (output_padding && (*output_padding < 0 || *output_padding >= strides))
    planner.refuse(fmt::format("output_padding must be from 0 to strides - 1 = {}, got {}.",
                               strides - 1, *output_padding));
  const Index steps = planner.input()[0], channels = planner.input()[1];
  const auto geometry =
      Transposed::of(*kernel_size, strides, dilation_rate, padding, output_padding);
  Shape output{steps == dynamic ? dynamic : geometry.steps_out(steps), *filters};
  if (steps != dynamic && output[0] < 1 && !planner.streaming())
    planner.refuse(
        fmt::format("makes no step of the {} steps of its input. Use padding = valid.", steps));

  Conv1DTransposeOp op;
  op.geometry = geometry;
  op.window = {.steps_in = output[0],
               .steps_out = steps,
               .rows = planner.rows(),
               .channels = *filters,
               .filters = channels,
               .taps = *kernel_size,
               .stride = strides,
               .dilation = dilation_rate,
               .left = geometry.left,
               .x_pitch = *filters,
               .y_pitch = channels,
               .w_pitch = channels};
  op.kernel = planner.weight("kernel", {*kernel_size, *filters, channels},
                             {kernel_initializer, kernel_regularizer, kernel_constraint});
  if (use_bias)
    op.bias =
        planner.weight("bias", {*filters}, {bias_initializer, bias_regularizer, bias_constraint});
  op.packed = planner.packed(std::max(kernels::window_packed_size<float>(op.window),
                                      kernels::window_packed_size<double>(op.window)));
  planner.timing(geometry.timing());
  planner.keep_input();
  if (planner.streaming()) {
    op.streaming = true;
    // Between calls fewer steps are held than a window meets, and one that may still be cut off.
    op.held = planner.state((steps + (geometry.effective - 1) / strides + 2) * channels);
    op.counters = planner.counters(3);
    output[0] = steps * strides + std::max<Index>(0, geometry.extra + geometry.left);
  }
  planner.output(output);
  op.activation = FinalActivation::plan(planner, activation, output);
  return op;
}

Tensor Conv1DTranspose::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
