#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"

namespace sonde {
namespace {

using namespace testing;

/// (time, width, channels) of each law's input.
LawOptions image(Index width, Index channels, Index time = 9) {
  return {.time = time, .shapes = {{time, width, channels}}};
}

TEST(Conv2D, obeys_its_laws) {
  check_laws(Conv2D{.filters = 4, .kernel_size = {1, 3}}, image(5, 1));
  check_laws(Conv2D{.filters = 2, .kernel_size = {1, 4}}, image(4, 2));
  check_laws(Conv2D{.filters = 3, .kernel_size = 3}, image(4, 2));
  check_laws(Conv2D{.filters = 1, .kernel_size = 1}, image(1, 1, 1));
  check_laws(Conv2D{.filters = 3, .kernel_size = {4, 2}, .padding = Padding::same}, image(3, 2));
  check_laws(Conv2D{.filters = 2, .kernel_size = {2, 7}, .padding = Padding::same}, image(3, 1));
  check_laws(Conv2D{.filters = 3, .kernel_size = 2, .strides = {3, 2}}, image(6, 2));
  check_laws(Conv2D{.filters = 2, .kernel_size = {2, 1}, .strides = {1, 3}}, image(5, 2));
  check_laws(Conv2D{.filters = 2, .kernel_size = 2, .dilation_rate = {1, 2}, .use_bias = false},
             image(4, 2));
  check_laws(Conv2D{.filters = 2, .kernel_size = 3, .padding = Padding::same, .dilation_rate = 2},
             image(4, 1));
  check_laws(Conv2D{.filters = 4, .kernel_size = {2, 3}, .groups = 2}, image(4, 4));
  check_laws(Conv2D{.filters = 4, .kernel_size = {3, 1}, .groups = 4}, image(2, 4));
  check_laws(Conv2D{.filters = 4, .kernel_size = {1, 2}, .padding = Padding::same, .groups = 2},
             image(3, 2));
}

TEST(Conv2D, obeys_its_laws_when_it_cannot_stream) {
  LawOptions options = image(5, 2);
  options.streams = false;
  check_laws(Conv2D{.filters = 2, .kernel_size = 3, .strides = 2, .padding = Padding::same},
             options);
}

TEST(Conv2D, obeys_its_laws_with_every_activation) {
  for (std::size_t f = 0; f < enum_names(ActivationFunction{}).size(); ++f) {
    SCOPED_TRACE(enum_names(ActivationFunction{})[f]);
    check_laws(
        Conv2D{
            .filters = 3, .kernel_size = {1, 2}, .activation = static_cast<ActivationFunction>(f)},
        image(3, 1, 4));
  }
}

TEST(Conv2D, sums_over_time_and_width) {
  Conv2D layer{.filters = 1, .kernel_size = 2};
  layer.kernel_initializer = Ones{};
  //  0  1  2
  //  3  4  5
  //  6  7  8
  EXPECT_EQ(evaluate(layer, {3, 3, 1}, arange(9)), (Numbers{8, 12, 20, 24}));
  layer = {.filters = 1, .kernel_size = 2, .padding = Padding::same};
  layer.kernel_initializer = Ones{};
  EXPECT_EQ(evaluate(layer, {3, 3, 1}, arange(9)), (Numbers{8, 12, 7, 20, 24, 13, 13, 15, 8}));
}

TEST(Conv2D, does_not_flip_its_kernel) {
  Trial trial(Conv2D{.filters = 1, .kernel_size = 2}, {{2, 2, 1}}, 1);
  const Numbers kernel{1, 10, 100, 1000};
  std::copy(kernel.begin(), kernel.end(), trial.weight("kernel").begin());
  trial.runner.pack();
  EXPECT_EQ(trial({{1, 2, 3, 4}}).front(), (Numbers{4321}));
}

TEST(Conv2D, keeps_groups_apart) {
  Trial trial(Conv2D{.filters = 2, .kernel_size = {1, 2}, .groups = 2}, {{1, 2, 2}}, 1);
  const Numbers kernel{1, 100, 10, 1000};  // (1, 2, 1, 2)
  std::copy(kernel.begin(), kernel.end(), trial.weight("kernel").begin());
  trial.runner.pack();
  EXPECT_EQ(trial({{1, 2, 3, 4}}).front(), (Numbers{1 + 30, 200 + 4000}));
}

TEST(Conv2D, has_keras_shapes) {
  const Tensor x = Input({400, 16, 1});
  EXPECT_EQ(Conv2D({.filters = 8, .kernel_size = {1, 3}})(x).shape(), (Shape{400, 14, 8}));
  EXPECT_EQ(Conv2D({.filters = 8, .kernel_size = 16})(x).shape(), (Shape{385, 1, 8}));
  EXPECT_EQ(Conv2D({.filters = 8, .kernel_size = 3, .strides = {4, 3}, .padding = Padding::same})(x)
                .shape(),
            (Shape{100, 6, 8}));
  EXPECT_EQ(Conv2D({.filters = 8, .kernel_size = 5})(Input({dynamic, 16, 1})).shape(),
            (Shape{dynamic, 12, 8}));
}

TEST(Conv2D, reads_sizes_as_a_number_or_as_two) {
  const auto read = [](Value kernel_size) {
    return from_config<Conv2D>({{"filters", 2}, {"kernel_size", std::move(kernel_size)}}, "conv");
  };
  EXPECT_EQ(*read(3).kernel_size, Size2D(3, 3));
  EXPECT_EQ(*read(Value::List{1, 4}).kernel_size, Size2D(1, 4));
  EXPECT_EQ(refusal([&] {
              read(Value::List{1, 4, 2});
            }),
            "conv: kernel_size must be a number or a list of two, got [1, 4, 2] (a list).");
}

TEST(Conv2D, refuses_wrong_arguments) {
  const auto of = [](Conv2D layer, Shape shape = {9, 4, 2}) {
    return refusal([&] { layer(Input(shape)); });
  };
  EXPECT_EQ(of({.filters = 2, .kernel_size = {3, 0}, .name = "conv"}),
            "Conv2D \"conv\": kernel_size must be at least 1, got 0. "
            "Use 1 along an axis that shall not be mixed.");
  EXPECT_EQ(of({.filters = 0, .kernel_size = 1}), "Conv2D: filters must be at least 1, got 0.");
  EXPECT_EQ(of({.filters = 1, .kernel_size = 1, .strides = {1, 0}}),
            "Conv2D: strides must be at least 1, got 0.");
  EXPECT_EQ(of({.filters = 1, .kernel_size = 1, .strides = {1, 2}, .dilation_rate = {2, 1}}),
            "Conv2D: strides and dilation_rate cannot both be above 1. Set one of them to 1.");
  EXPECT_EQ(of({.filters = 1, .kernel_size = 1, .padding = Padding::causal}),
            "Conv2D: padding must be valid or same, got causal. Only Conv1D pads causally.");
  EXPECT_EQ(of({.filters = 3, .kernel_size = 1, .groups = 2}),
            "Conv2D: groups = 2 must divide the 2 input channels and the 3 filters.");
  EXPECT_EQ(of({.filters = 3, .kernel_size = {1, 3}, .dilation_rate = 2}),
            "Conv2D: kernel_size = (1, 3) spans 1 steps and 5 columns, but the input has only 9 "
            "and 4. Use padding = same, or a smaller kernel.");
  EXPECT_NE(of({.filters = 4, .kernel_size = 1}, {9, 4})
                .find("expects an input of shape (time, width, channels), got (9, 4)"),
            std::string::npos);
}

}  // namespace
}  // namespace sonde
