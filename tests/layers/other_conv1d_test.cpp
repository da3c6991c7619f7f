#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(DepthwiseConv1D, obeys_its_laws) {
  check_laws(DepthwiseConv1D{.kernel_size = 3});
  check_laws(DepthwiseConv1D{.kernel_size = 4, .padding = Padding::same, .depth_multiplier = 2});
  check_laws(DepthwiseConv1D{.kernel_size = 2, .strides = 3, .activation = Activation::relu});
  check_laws(DepthwiseConv1D{.kernel_size = 3,
                             .padding = Padding::same,
                             .dilation_rate = 3,
                             .activation = Activation::gelu,
                             .use_bias = false});
  check_laws(DepthwiseConv1D{.kernel_size = 3, .strides = 2, .padding = Padding::same},
             {.streams = false});
}

TEST(SeparableConv1D, obeys_its_laws) {
  check_laws(SeparableConv1D{.filters = 4, .kernel_size = 3});
  check_laws(SeparableConv1D{
      .filters = 2, .kernel_size = 4, .padding = Padding::same, .depth_multiplier = 3});
  check_laws(SeparableConv1D{
      .filters = 5, .kernel_size = 2, .strides = 3, .activation = Activation::relu});
  check_laws(SeparableConv1D{.filters = 3,
                             .kernel_size = 3,
                             .padding = Padding::same,
                             .dilation_rate = 3,
                             .activation = Activation::silu,
                             .use_bias = false});
  check_laws(
      SeparableConv1D{.filters = 3, .kernel_size = 3, .strides = 2, .padding = Padding::same},
      {.streams = false});
}

TEST(Conv1DTranspose, obeys_its_laws) {
  check_laws(Conv1DTranspose{.filters = 4, .kernel_size = 3});
  check_laws(Conv1DTranspose{.filters = 2, .kernel_size = 1, .strides = 3});
  for (const Padding padding : {Padding::valid, Padding::same})
    for (const Index kernel_size : {2, 5, 6})
      for (const Index strides : {1, 2, 4}) {
        SCOPED_TRACE("kernel_size " + std::to_string(kernel_size) + ", strides " +
                     std::to_string(strides));
        check_laws(Conv1DTranspose{.filters = 2,
                                   .kernel_size = kernel_size,
                                   .strides = strides,
                                   .padding = padding,
                                   .activation = Activation::relu},
                   {.time = 7, .channels = 2});
        for (const Index extra : {Index{0}, strides - 1})
          check_laws(Conv1DTranspose{.filters = 1,
                                     .kernel_size = kernel_size,
                                     .strides = strides,
                                     .padding = padding,
                                     .output_padding = extra,
                                     .use_bias = false},
                     {.time = 5, .channels = 2});
      }
  check_laws(Conv1DTranspose{.filters = 3,
                             .kernel_size = 3,
                             .padding = Padding::same,
                             .dilation_rate = 3,
                             .activation = Activation::mish});
}

TEST(DepthwiseConv1D, mixes_no_channels) {
  Trial trial(DepthwiseConv1D{.kernel_size = 2, .depth_multiplier = 2}, {{2, 2}}, 1);
  const Numbers kernel{1, 2, 3, 4, 10, 20, 30, 40};  // (2, channels, multiplier)
  std::copy(kernel.begin(), kernel.end(), trial.weight("kernel").begin());
  EXPECT_EQ(trial({{1, 2, 3, 4}}).front(), (Numbers{1 + 30, 2 + 60, 6 + 120, 8 + 160}));
}

TEST(SeparableConv1D, mixes_after_its_windows) {
  Trial trial(SeparableConv1D{.filters = 1, .kernel_size = 2}, {{2, 2}}, 1);
  const Numbers depthwise{1, 2, 10, 20}, pointwise{1, 1000};
  std::copy(depthwise.begin(), depthwise.end(), trial.weight("depthwise_kernel").begin());
  std::copy(pointwise.begin(), pointwise.end(), trial.weight("pointwise_kernel").begin());
  trial.runner.pack();
  EXPECT_EQ(trial({{1, 2, 3, 4}}).front(), (Numbers{31 + 84'000}));
}

Numbers laid(Conv1DTranspose layer, const Numbers& x) {
  layer.kernel_initializer = Ones{};
  return evaluate(layer, {static_cast<Index>(x.size()), 1}, x);
}

TEST(Conv1DTranspose, lays_a_window_for_each_step) {
  EXPECT_EQ(laid({.filters = 1, .kernel_size = 3}, {1, 10}), (Numbers{1, 11, 11, 10}));
  EXPECT_EQ(laid({.filters = 1, .kernel_size = 3, .strides = 2}, {1, 10}),
            (Numbers{1, 1, 11, 10, 10}));
  EXPECT_EQ(laid({.filters = 1, .kernel_size = 1, .strides = 3}, {1, 10}),
            (Numbers{1, 0, 0, 10, 0, 0}));
  EXPECT_EQ(laid({.filters = 1, .kernel_size = 2, .strides = 2, .output_padding = 1}, {1, 10}),
            (Numbers{1, 1, 10, 10, 0}));
}

TEST(Conv1DTranspose, has_keras_lengths) {
  const auto steps = [](Padding padding, std::optional<Index> extra, Index kernel = 3) {
    return Conv1DTranspose{.filters = 2,
                           .kernel_size = kernel,
                           .strides = 4,
                           .padding = padding,
                           .output_padding = extra}(Input({10, 3}))
        .shape()[0];
  };
  EXPECT_EQ(steps(Padding::same, {}), 40);
  EXPECT_EQ(steps(Padding::valid, {}), 40);
  EXPECT_EQ(steps(Padding::valid, {}, 6), 42);
  EXPECT_EQ(steps(Padding::same, 2), 39);
  EXPECT_EQ(steps(Padding::same, 2, 6), 38);
  EXPECT_EQ(steps(Padding::valid, 3), 42);
}

TEST(Conv1DTranspose, undoes_the_pooling_before_a_merge) {
  // A decoder that streams: the skip waits for the branch.
  const Tensor x = Input({152, 3});
  const Tensor low = AveragePooling1D{.pool_size = 4}(x);
  const Tensor up =
      Conv1DTranspose{.filters = 3, .kernel_size = 8, .strides = 4, .padding = Padding::same}(low);
  check_graph({x}, {Add{}({x, up})}, {.time = 152});
}

TEST(Conv1DTranspose, refuses_wrong_arguments) {
  const auto of = [](Conv1DTranspose layer) { return refusal([&] { layer(Input({9, 4})); }); };
  EXPECT_EQ(of({.filters = 2, .kernel_size = 2, .strides = 2, .output_padding = 2}),
            "Conv1DTranspose: output_padding must be from 0 to strides - 1 = 1, got 2.");
  EXPECT_NE(of({.filters = 2, .kernel_size = 2, .strides = 2, .dilation_rate = 2}),
            "(not refused)");
  EXPECT_NE(of({.filters = 2, .kernel_size = 2, .padding = Padding::causal}), "(not refused)");
}

TEST(SeparableConv1D, refuses_wrong_arguments) {
  const auto of = [](SeparableConv1D layer) { return refusal([&] { layer(Input({9, 4})); }); };
  EXPECT_EQ(
      of({.filters = 2, .kernel_size = 2, .padding = Padding::causal}),
      "SeparableConv1D: padding must be valid or same, got causal. Only Conv1D pads causally.");
  EXPECT_EQ(of({.filters = 2, .kernel_size = 2, .depth_multiplier = 0}),
            "SeparableConv1D: depth_multiplier must be at least 1, got 0.");
  EXPECT_EQ(of({.filters = 2, .kernel_size = 20}),
            "SeparableConv1D: kernel_size = 20 spans 20 steps, but the input has only 9 steps. "
            "Use padding = same, or a kernel of at most 9 steps.");
}

}  // namespace
}  // namespace sonde
