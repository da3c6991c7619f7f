#include <limits>

#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

LawOptions image(Index width, Index channels, Index time = 9, bool streams = true) {
  return {.time = time, .shapes = {{time, width, channels}}, .streams = streams};
}

template <class Pooling>
void check_pooling_laws() {
  check_laws(Pooling{.pool_size = 2}, image(4, 2));
  check_laws(Pooling{.pool_size = {1, 3}}, image(3, 2));
  check_laws(Pooling{.pool_size = {3, 2}, .strides = Size2D{2, 1}}, image(4, 1));
  check_laws(Pooling{.pool_size = 2, .strides = 3}, image(5, 2));
  check_laws(Pooling{.pool_size = {4, 3}, .strides = 1, .padding = Padding::same}, image(4, 2));
  check_laws(Pooling{.pool_size = {1, 3}, .strides = Size2D{1, 2}, .padding = Padding::same},
             image(5, 1));
  check_laws(Pooling{.pool_size = 2, .padding = Padding::same}, image(3, 2, 9, false));
}

TEST(MaxPooling2D, obeys_its_laws) { check_pooling_laws<MaxPooling2D>(); }
TEST(AveragePooling2D, obeys_its_laws) { check_pooling_laws<AveragePooling2D>(); }
TEST(GlobalMaxPooling2D, obeys_its_laws) {
  check_laws(GlobalMaxPooling2D{}, image(4, 3, 9, false));
  check_laws(GlobalMaxPooling2D{.keepdims = true}, image(2, 1, 1, false));
}
TEST(GlobalAveragePooling2D, obeys_its_laws) {
  check_laws(GlobalAveragePooling2D{}, image(4, 3, 9, false));
  check_laws(GlobalAveragePooling2D{.keepdims = true}, image(2, 1, 1, false));
}

TEST(MaxPooling2D, takes_the_greatest_of_each_window) {
  EXPECT_EQ(evaluate(MaxPooling2D{}, {2, 4, 1}, {1, 2, 9, 4, 5, 6, 7, 8}), (Numbers{6, 9}));
  EXPECT_EQ(evaluate(MaxPooling2D{.pool_size = {1, 2}}, {1, 4, 2}, {1, 8, 3, 6, 5, 4, 7, 2}),
            (Numbers{3, 8, 7, 4}));
}

TEST(MaxPooling2D, never_lets_padding_win) {
  EXPECT_EQ(evaluate(MaxPooling2D{.pool_size = 2, .padding = Padding::same}, {3, 3, 1},
                     {-1, -2, -3, -4, -5, -6, -7, -8, -9}),
            (Numbers{-1, -3, -7, -9}));
}

TEST(AveragePooling2D, divides_by_what_a_window_holds) {
  // 0 1 2 / 3 4 5 / 6 7 8, in windows of 2 by 2 that hang over on the right and below.
  EXPECT_EQ(
      evaluate(AveragePooling2D{.pool_size = 2, .padding = Padding::same}, {3, 3, 1}, arange(9)),
      (Numbers{2, 3.5, 6.5, 8}));
}

TEST(MaxPooling2D, shows_a_nan) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Numbers y = evaluate(MaxPooling2D{}, {2, 4, 1}, {1, 1, 1, 1, 1, nan, 1, 2});
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_EQ(y[1], 2);
  EXPECT_TRUE(std::isnan(evaluate(GlobalMaxPooling2D{}, {2, 2, 1}, {1, 1, nan, 1})[0]));
}

TEST(MaxPooling2D, gives_the_gradient_to_the_first_of_equal_numbers) {
  Trial trial(MaxPooling2D{}, {{2, 2, 1}}, 1, Mode::train);
  trial({{1, 3, 3, 3}});
  EXPECT_EQ(trial.backward({{5}}).front(), (Numbers{0, 5, 0, 0}));
}

TEST(GlobalMaxPooling2D, shares_the_gradient_among_equal_numbers) {
  Trial trial(GlobalMaxPooling2D{}, {{2, 2, 1}}, 1, Mode::train);
  EXPECT_EQ(trial({{1, 3, 3, 2}}).front(), (Numbers{3}));
  EXPECT_EQ(trial.backward({{6}}).front(), (Numbers{0, 3, 3, 0}));
}

TEST(GlobalAveragePooling2D, is_the_mean_of_each_channel) {
  EXPECT_EQ(evaluate(GlobalAveragePooling2D{}, {2, 2, 2}, arange(8)), (Numbers{3, 4}));
}

TEST(MaxPooling2D, refuses_wrong_arguments) {
  const auto of = [](MaxPooling2D layer, Shape shape = {9, 4, 2}) {
    return refusal([&] { layer(Input(shape)); });
  };
  EXPECT_EQ(of({.pool_size = {2, 0}}), "MaxPooling2D: pool_size must be at least 1, got 0.");
  EXPECT_EQ(of({.strides = Size2D{0, 1}}),
            "MaxPooling2D: strides must be at least 1, got 0. "
            "Leave strides out for windows side by side.");
  EXPECT_EQ(of({.padding = Padding::causal}),
            "MaxPooling2D: padding must be valid or same, got causal. Only Conv1D pads causally.");
  EXPECT_EQ(of({.pool_size = {2, 5}}),
            "MaxPooling2D: pool_size = (2, 5) is more than the 9 steps or the 4 columns of the "
            "input. Use padding = same, or smaller windows.");
  EXPECT_NE(of({}, {9, 4}), "(not refused)");
}

}  // namespace
}  // namespace sonde
