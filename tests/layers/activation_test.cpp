#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(Activation, obeys_its_laws) {
  for (std::size_t f = 0; f < enum_names(ActivationFunction{}).size(); ++f) {
    SCOPED_TRACE(enum_names(ActivationFunction{})[f]);
    check_laws(Activation{.activation = static_cast<ActivationFunction>(f)}, {.time = 5});
  }
  check_laws(Activation{.activation = Activation::softmax}, {.time = 0, .channels = 4});
}

TEST(Activation, softmax_runs_over_the_last_axis) {
  // keras.activations.softmax of [0, log 3] is [1/4, 3/4].
  const double l = std::log(3.0);
  EXPECT_TRUE(near(
      evaluate(Activation{.activation = Activation::softmax}, {2, 2, 2}, {0, l, l, 0, 0, 0, 5, 5}),
      Numbers{.25, .75, .75, .25, .5, .5, .5, .5}, 1e-12));
}

TEST(Activation, softmax_of_a_single_number_is_1) {
  EXPECT_EQ(evaluate(Activation{.activation = Activation::softmax}, {3, 1}, {-7, 0, 7}),
            (Numbers{1, 1, 1}));
}

}  // namespace
}  // namespace sonde
