#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(Dense, obeys_its_laws) {
  check_laws(Dense{.units = 4});
  check_laws(Dense{.units = 1, .activation = Activation::sigmoid}, {.time = 1, .channels = 1});
  check_laws(Dense{.units = 7, .use_bias = false}, {.time = 0, .channels = 5});
  check_laws(Dense{.units = 3}, {.shapes = {{17, 2, 4}}});
  for (std::size_t f = 0; f < enum_names(ActivationFunction{}).size(); ++f) {
    SCOPED_TRACE(enum_names(ActivationFunction{})[f]);
    check_laws(Dense{.units = 3, .activation = static_cast<ActivationFunction>(f)}, {.time = 5});
  }
}

TEST(Dense, multiplies_the_last_axis_of_every_step) {
  Trial trial(Dense{.units = 2}, {{2, 3}}, 1);
  const Numbers kernel{1, 0, 10, 1, 100, 0}, bias{0.5, -1};
  std::copy(kernel.begin(), kernel.end(), trial.weight("kernel").begin());
  std::copy(bias.begin(), bias.end(), trial.weight("bias").begin());
  trial.runner.pack();
  EXPECT_EQ(trial({{1, 2, 3, 4, 5, 6}}).front(), (Numbers{321.5, 1, 654.5, 4}));
}

TEST(Dense, without_its_final_activation_gives_logits) {
  const AnyLayer layer = Dense{.units = 2, .activation = Activation::sigmoid};
  EXPECT_EQ(layer.final_activation(), Activation::sigmoid);
  EXPECT_EQ(layer.without_final_activation().as<Dense>()->activation, Activation::linear);
}

TEST(Dense, refuses_wrong_arguments) {
  EXPECT_EQ(refusal([] {
              Dense{.units = 0, .name = "label"}(Input({9, 2}));
            }),
            "Dense \"label\": units must be at least 1, got 0.");
}

}  // namespace
}  // namespace sonde
