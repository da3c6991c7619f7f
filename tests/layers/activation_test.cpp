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

TEST(Activation, refuses_softmax_over_one_number) {
  EXPECT_EQ(
      refusal([] {
        Activation{.activation = Activation::softmax, .name = "last"}(Input({9, 1}));
      }),
      "Activation \"last\": activation = softmax over an axis of size 1 gives the same number "
      "always. Use activation = sigmoid for two classes, or one unit for each class.");
  EXPECT_EQ(refusal([] {
              Activation{.activation = Activation::sigmoid}(Input({9, 1}));
            }),
            "(not refused)");
}

}  // namespace
}  // namespace sonde
