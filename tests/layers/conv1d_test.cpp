#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(Conv1D, obeys_its_laws) {
  check_laws(Conv1D{.filters = 4, .kernel_size = 3});
  check_laws(Conv1D{.filters = 1, .kernel_size = 1}, {.time = 1, .channels = 1});
  check_laws(Conv1D{.filters = 5, .kernel_size = 17}, {.channels = 2});
  check_laws(Conv1D{.filters = 4, .kernel_size = 4, .padding = Padding::same});
  check_laws(Conv1D{.filters = 2, .kernel_size = 30, .padding = Padding::same});
  check_laws(
      Conv1D{.filters = 4, .kernel_size = 3, .padding = Padding::causal, .dilation_rate = 3});
  check_laws(Conv1D{.filters = 3,
                    .kernel_size = 2,
                    .padding = Padding::same,
                    .dilation_rate = 5,
                    .use_bias = false});
  check_laws(Conv1D{.filters = 4, .kernel_size = 3, .strides = 2});
  check_laws(Conv1D{.filters = 4, .kernel_size = 2, .strides = 5, .padding = Padding::causal});
  check_laws(Conv1D{.filters = 4, .kernel_size = 4, .strides = 3, .padding = Padding::same},
             {.streams = false});
  check_laws(Conv1D{.filters = 6, .kernel_size = 3, .padding = Padding::same, .groups = 2},
             {.channels = 4});
  check_laws(Conv1D{.filters = 8, .kernel_size = 3, .groups = 4}, {.channels = 4});
}

TEST(Conv1D, obeys_its_laws_with_every_activation) {
  for (std::size_t f = 0; f < enum_names(ActivationFunction{}).size(); ++f) {
    SCOPED_TRACE(enum_names(ActivationFunction{})[f]);
    check_laws(
        Conv1D{.filters = 3, .kernel_size = 2, .activation = static_cast<ActivationFunction>(f)},
        {.time = 5});
  }
}

Numbers with_ones(Conv1D layer, Index time) {
  layer.kernel_initializer = Ones{};
  return evaluate(layer, {time, 1}, arange(time, 1));
}

TEST(Conv1D, pads_as_keras_does) {
  const auto same = [](Index k, Index s, Index time) {
    return with_ones({.filters = 1, .kernel_size = k, .strides = s, .padding = Padding::same},
                     time);
  };
  EXPECT_EQ(same(4, 1, 6), (Numbers{6, 10, 14, 18, 15, 11}));
  EXPECT_EQ(same(4, 2, 6), (Numbers{6, 14, 15}));
  EXPECT_EQ(same(4, 2, 7), (Numbers{6, 14, 22, 13}));
  EXPECT_EQ(
      with_ones({.filters = 1, .kernel_size = 3, .padding = Padding::causal, .dilation_rate = 2},
                6),
      (Numbers{1, 2, 4, 6, 9, 12}));
}

TEST(Conv1D, with_causal_padding_sees_no_future_step) {
  const Conv1D layer{.filters = 3, .kernel_size = 4, .padding = Padding::causal};
  Numbers x = arange(12);
  const Numbers before = evaluate(Conv1D(layer), {12, 1}, x);
  x[7] += 100;
  const Numbers after = evaluate(Conv1D(layer), {12, 1}, x);
  EXPECT_EQ(Numbers(before.begin(), before.begin() + 21),
            Numbers(after.begin(), after.begin() + 21));
  EXPECT_NE(before[21], after[21]);
}

TEST(Conv1D, does_not_flip_its_kernel) {
  Trial trial(Conv1D{.filters = 1, .kernel_size = 3}, {{5, 1}}, 1);
  const Numbers kernel{1, 10, 100};
  std::copy(kernel.begin(), kernel.end(), trial.weight("kernel").begin());
  trial.runner.pack();
  EXPECT_EQ(trial({arange(5, 1)}).front(), (Numbers{321, 432, 543}));
}

TEST(Conv1D, refuses_wrong_arguments) {
  const auto of = [](Conv1D layer, Shape shape = {9, 4}) {
    return refusal([&] { layer(Input(shape)); });
  };
  EXPECT_EQ(of({.filters = 2, .kernel_size = 0, .name = "conv_2"}),
            "Conv1D \"conv_2\": kernel_size must be at least 1, got 0. "
            "Use kernel_size = 1 for a per-step projection.");
  EXPECT_EQ(of({.filters = 0, .kernel_size = 1}), "Conv1D: filters must be at least 1, got 0.");
  EXPECT_EQ(of({.filters = 1, .kernel_size = 1, .strides = 0}),
            "Conv1D: strides must be at least 1, got 0.");
  EXPECT_EQ(of({.filters = 1, .kernel_size = 1, .dilation_rate = -2}),
            "Conv1D: dilation_rate must be at least 1, got -2.");
  EXPECT_EQ(of({.filters = 1, .kernel_size = 1, .groups = 0}),
            "Conv1D: groups must be at least 1, got 0.");
  EXPECT_EQ(
      of({.filters = 1, .kernel_size = 2, .strides = 2, .dilation_rate = 2}),
      "Conv1D: strides = 2 and dilation_rate = 2 cannot both be above 1. Set one of them to 1.");
  EXPECT_EQ(of({.filters = 4, .kernel_size = 2, .groups = 3}),
            "Conv1D: groups = 3 must divide the 4 input channels and the 4 filters.");
  EXPECT_EQ(of({.filters = 4, .kernel_size = 5, .dilation_rate = 3}),
            "Conv1D: kernel_size = 5 spans 13 steps, but the input has only 9 steps. "
            "Use padding = same or causal, or a kernel of at most 9 steps.");
  EXPECT_EQ(of({.filters = 4, .kernel_size = 5}, {9}),
            "Conv1D: expects an input of shape (time, channels), got (9,). "
            "A recurrent layer before it may need return_sequences = true.");
}

}  // namespace
}  // namespace sonde
