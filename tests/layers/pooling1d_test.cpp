#include <limits>

#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

template <class Pooling>
void check_pooling_laws() {
  check_laws(Pooling{});
  check_laws(Pooling{.pool_size = 1});
  check_laws(Pooling{.pool_size = 5, .strides = 2}, {.channels = 1});
  check_laws(Pooling{.pool_size = 2, .strides = 5});
  check_laws(Pooling{.pool_size = 17, .strides = 1});
  check_laws(Pooling{.pool_size = 4, .strides = 1, .padding = Padding::same});
  check_laws(Pooling{.pool_size = 29, .strides = 1, .padding = Padding::same});
  check_laws(Pooling{.pool_size = 4, .padding = Padding::same}, {.streams = false});
  check_laws(Pooling{.pool_size = 3, .strides = 5, .padding = Padding::same}, {.streams = false});
}

TEST(MaxPooling1D, obeys_its_laws) { check_pooling_laws<MaxPooling1D>(); }
TEST(AveragePooling1D, obeys_its_laws) { check_pooling_laws<AveragePooling1D>(); }
TEST(GlobalMaxPooling1D, obeys_its_laws) {
  check_laws(GlobalMaxPooling1D{}, {.streams = false});
  check_laws(GlobalMaxPooling1D{.keepdims = true}, {.time = 1, .streams = false});
}
TEST(GlobalAveragePooling1D, obeys_its_laws) {
  check_laws(GlobalAveragePooling1D{}, {.streams = false});
  check_laws(GlobalAveragePooling1D{.keepdims = true}, {.time = 1, .streams = false});
}

TEST(MaxPooling1D, drops_the_steps_that_fill_no_window) {
  EXPECT_EQ(evaluate(MaxPooling1D{.pool_size = 4}, {7, 1}, arange(7)), (Numbers{3}));
  EXPECT_EQ(MaxPooling1D{.pool_size = 4}(Input({393, 32})).shape(), (Shape{98, 32}));
  EXPECT_EQ(MaxPooling1D{.pool_size = 4}(Input({dynamic, 32})).shape(), (Shape{dynamic, 32}));
}

TEST(MaxPooling1D, never_lets_padding_win) {
  // Keras: padding is minus infinity.
  EXPECT_EQ(evaluate(MaxPooling1D{.pool_size = 3, .strides = 2, .padding = Padding::same}, {6, 1},
                     {-1, -2, -3, -4, -5, -6}),
            (Numbers{-1, -3, -5}));
}

TEST(MaxPooling1D, shows_a_nan) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Numbers y = evaluate(MaxPooling1D{}, {6, 1}, {nan, 1, 1, nan, 1, 2});
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_TRUE(std::isnan(y[1]));
  EXPECT_EQ(y[2], 2);
}

TEST(MaxPooling1D, gives_the_gradient_to_the_first_of_equal_steps) {
  // As XLA's select-and-scatter, with which Keras trains on JAX.
  Trial trial(MaxPooling1D{.pool_size = 3}, {{6, 1}}, 1, Mode::train);
  trial({{0, 2, 2, 1, 1, 1}});
  EXPECT_EQ(trial.backward({{10, 20}}).front(), (Numbers{0, 10, 0, 20, 0, 0}));
}

TEST(MaxPooling1D, adds_gradients_where_windows_overlap) {
  Trial trial(MaxPooling1D{.pool_size = 2, .strides = 1}, {{4, 1}}, 1, Mode::train);
  trial({{0, 5, 3, 4}});
  EXPECT_EQ(trial.backward({{1, 2, 4}}).front(), (Numbers{0, 3, 0, 4}));
}

TEST(AveragePooling1D, leaves_padding_out_of_the_divisor) {
  // TensorFlow's documented rule, and Keras 3.16: the last window of 1 … 6 is (5 + 6) / 2.
  EXPECT_EQ(evaluate(AveragePooling1D{.pool_size = 3, .strides = 2, .padding = Padding::same},
                     {6, 1}, arange(6, 1)),
            (Numbers{2, 4, 5.5}));
}

TEST(GlobalMaxPooling1D, shares_the_gradient_between_equal_steps) {
  // As jax.numpy.max and tf.reduce_max.
  Trial trial(GlobalMaxPooling1D{}, {{4, 2}}, 1, Mode::train);
  EXPECT_EQ(trial({{1, 0, 7, 0, 7, 0, 3, 0}}).front(), (Numbers{7, 0}));
  EXPECT_EQ(trial.backward({{10, 8}}).front(), (Numbers{0, 2, 5, 2, 5, 2, 0, 2}));
}

TEST(GlobalAveragePooling1D, keeps_time_as_one_step_when_asked) {
  EXPECT_EQ(GlobalAveragePooling1D{}(Input({dynamic, 3})).shape(), (Shape{3}));
  EXPECT_EQ(GlobalAveragePooling1D{.keepdims = true}(Input({5, 3})).shape(), (Shape{1, 3}));
  EXPECT_EQ(evaluate(GlobalAveragePooling1D{}, {4, 2}, {1, 10, 2, 20, 3, 30, 6, 40}),
            (Numbers{3, 25}));
}

TEST(MaxPooling1D, refuses_what_makes_no_window) {
  const auto of = [](MaxPooling1D layer, Shape shape) {
    return refusal([&] { layer(Input(shape)); });
  };
  EXPECT_EQ(of({.pool_size = 0, .name = "pool"}, {9, 2}),
            "MaxPooling1D \"pool\": pool_size must be at least 1, got 0.");
  EXPECT_EQ(of({.strides = 0}, {9, 2}),
            "MaxPooling1D: strides must be at least 1, got 0. Leave strides out for windows side "
            "by side.");
  EXPECT_EQ(of({.padding = Padding::causal}, {9, 2}),
            "MaxPooling1D: padding must be valid or same, got causal. Only Conv1D pads causally.");
  EXPECT_EQ(of({.pool_size = 10}, {9, 2}),
            "MaxPooling1D: pool_size = 10 is more than the 9 steps of the input. "
            "Use padding = same, or pool_size of at most 9.");
  EXPECT_EQ(of({}, {9}),
            "MaxPooling1D: expects an input of shape (time, channels), got (9,). "
            "A recurrent layer before it may need return_sequences = true.");
}

TEST(AveragePooling1D, refuses_causal_padding) {
  EXPECT_EQ(
      refusal([] {
        AveragePooling1D{.padding = Padding::causal}(Input({9, 2}));
      }),
      "AveragePooling1D: padding must be valid or same, got causal. Only Conv1D pads causally.");
}

TEST(GlobalMaxPooling1D, refuses_a_vector) {
  EXPECT_NE(refusal([] {
              GlobalMaxPooling1D{}(Input({9}));
            }).find("expects an input of shape (time, channels)"),
            std::string::npos);
}

}  // namespace
}  // namespace sonde
