#include <cmath>
#include <limits>

#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

const double nan = std::numeric_limits<double>::quiet_NaN();
const double infinity = std::numeric_limits<double>::infinity();

TEST(ReLU, obeys_its_laws) {
  check_laws(ReLU{});
  check_laws(ReLU{.max_value = 0.4, .negative_slope = 0.3, .threshold = 0.2});
  check_laws(ReLU{.negative_slope = 0.1}, {.time = 0, .channels = 19});
}

TEST(ReLU, gives_the_numbers_of_keras) {
  // keras/src/layers/activations/relu_test.py.
  const auto of = [](ReLU layer, Numbers x) {
    const Index n = static_cast<Index>(x.size());
    return evaluate(layer, {n}, x);
  };
  EXPECT_EQ(of({.max_value = 10}, {-10, -5, 0, 5, 10}), (Numbers{0, 0, 0, 5, 10}));
  EXPECT_EQ(of({.max_value = 10, .negative_slope = 0.5}, {-10, -5, 0, 5, 10}),
            (Numbers{-5, -2.5, 0, 5, 10}));
  EXPECT_EQ(of({.max_value = 8, .threshold = 5}, {6, 7, 0, 5, 10}), (Numbers{6, 7, 0, 0, 8}));
}

TEST(ReLU, shows_what_is_no_number) {
  EXPECT_TRUE(std::isnan(evaluate(ReLU{.max_value = 6.0}, {1}, {nan})[0]));
  EXPECT_EQ(evaluate(ReLU{}, {2}, {-infinity, infinity}), (Numbers{0, infinity}));
}

TEST(ReLU, refuses_numbers_below_zero) {
  EXPECT_EQ(refusal([] { ReLU{.max_value = -1.0}(Input({4})); }),
            "ReLU: max_value must be at least 0, got -1.");
  EXPECT_EQ(refusal([] { ReLU{.threshold = -0.5}(Input({4})); }),
            "ReLU: threshold must be at least 0, got -0.5.");
  EXPECT_EQ(refusal([] { LeakyReLU{.negative_slope = -0.1}(Input({4})); }),
            "LeakyReLU: negative_slope must be at least 0, got -0.1.");
}

TEST(LeakyReLU, obeys_its_laws) {
  check_laws(LeakyReLU{});
  check_laws(LeakyReLU{.negative_slope = 0.0});
}

TEST(LeakyReLU, has_the_slope_of_keras) {
  // keras/src/layers/activations/leaky_relu_test.py; the default slope is 0.3.
  EXPECT_EQ(evaluate(LeakyReLU{.negative_slope = 0.5}, {5}, {-10, -5, 0, 5, 10}),
            (Numbers{-5, -2.5, 0, 5, 10}));
  EXPECT_EQ(evaluate(LeakyReLU{}, {1}, {-10}), (Numbers{-3}));
}

TEST(PReLU, obeys_its_laws) {
  check_laws(PReLU{.shared_axes = 1});
  check_laws(PReLU{}, {.streams = false, .any_length = false});
  check_laws(PReLU{}, {.time = 0, .channels = 7});
  check_laws(PReLU{.shared_axes = {1, 3}}, {.shapes = {{17, 2, 3}}});
  check_laws(PReLU{.shared_axes = {1, 2}}, {.shapes = {{17, 2, 3}}});
  check_laws(PReLU{.shared_axes = 2}, {.streams = false, .any_length = false});
}

TEST(PReLU, has_an_alpha_for_every_place_that_is_not_shared) {
  const auto alpha_of = [](PReLU layer) {
    return Trial(layer, {{5, 2, 3}}, 1).block->entries().front().shape;
  };
  EXPECT_EQ(alpha_of({}), (Shape{5, 2, 3}));
  EXPECT_EQ(alpha_of({.shared_axes = 1}), (Shape{1, 2, 3}));
  EXPECT_EQ(alpha_of({.shared_axes = {1, 3}}), (Shape{1, 2, 1}));
  Trial trial(PReLU{}, {{2, 2}}, 2);
  const Numbers alpha{1, 2, 3, 4};
  std::copy(alpha.begin(), alpha.end(), trial.weight("alpha").begin());
  EXPECT_EQ(trial({{-1, -1, -1, -1, 5, -1, -2, -1}}).front(),
            (Numbers{-1, -2, -3, -4, 5, -2, -6, -4}));
}

TEST(PReLU, refuses_axes_and_lengths_that_it_cannot_use) {
  EXPECT_EQ(refusal([] {
              PReLU{.shared_axes = 3}(Input({4, 2}));
            }),
            "PReLU: shared_axes must be 1 to 2 for an input of shape (4, 2), got 3. Axis 1 is the "
            "first after the batch.");
  EXPECT_EQ(refusal([] {
              PReLU{}(Input({dynamic, 2}));
            }),
            "PReLU: every step has an alpha of its own, so it needs a known number of steps, got "
            "(None, 2). Use shared_axes = 1, or give Input the length.");
}

TEST(ELU, obeys_its_laws) {
  check_laws(ELU{});
  check_laws(ELU{.alpha = 0.3}, {.time = 0, .channels = 19});
  check_laws(ELU{.alpha = -2.0});
}

TEST(ELU, falls_to_minus_alpha) {
  const Numbers y = evaluate(ELU{.alpha = 2.0}, {4}, {-1, 0, 3, -50});
  EXPECT_TRUE(near(y, Numbers{2 * (std::exp(-1.0) - 1), 0, 3, -2}, 1e-12));
}

TEST(Softmax, obeys_its_laws) {
  check_laws(Softmax{});
  check_laws(Softmax{.axis = 2}, {.channels = 5});
}

TEST(Softmax, gives_the_numbers_of_keras) {
  // keras/src/layers/activations/softmax_test.py.
  EXPECT_TRUE(
      near(evaluate(Softmax{}, {3}, {1, 2, 1}), Numbers{0.21194157, 0.5761169, 0.21194157}, 1e-7));
}

TEST(Softmax, refuses_other_axes) {
  EXPECT_EQ(refusal([] {
              Softmax{.axis = 1}(Input({4, 2}));
            }),
            "Softmax: axis must be the last one, -1 or 2 for an input of shape (4, 2), got 1. "
            "Permute can bring an axis there.");
}

}  // namespace
}  // namespace sonde
