#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(LayerNormalization, obeys_its_laws) {
  check_laws(LayerNormalization{});
  check_laws(LayerNormalization{.center = false}, {.channels = 17});
  check_laws(LayerNormalization{.scale = false}, {.time = 0, .channels = 7});
  check_laws(LayerNormalization{.center = false, .scale = false}, {.shapes = {{17, 2, 4}}});
}

TEST(LayerNormalization, gives_the_numbers_of_keras) {
  // keras/src/layers/normalization/layer_normalization_test.py, test_output.
  EXPECT_TRUE(near(evaluate(LayerNormalization{.beta_initializer = Ones{}}, {5}, arange(5)),
                   Numbers{-0.41386, 0.29307, 1.0, 1.70693, 2.41386}, 1e-5));
}

TEST(LayerNormalization, keeps_small_differences_of_large_numbers) {
  Numbers far = arange(5);
  for (double& x : far) x += 1e6;
  EXPECT_TRUE(near(evaluate(LayerNormalization{}, {5}, far),
                   evaluate(LayerNormalization{}, {5}, arange(5)), 1e-9));
}

TEST(BatchNormalization, obeys_its_laws) {
  check_laws(BatchNormalization{});
  check_laws(BatchNormalization{.center = false}, {.channels = 17});
  check_laws(BatchNormalization{.scale = false}, {.time = 0, .channels = 33});
  check_laws(BatchNormalization{.center = false, .scale = false}, {.shapes = {{17, 2, 4}}});
  check_laws(BatchNormalization{.trainable = false});
}

TEST(BatchNormalization, between_layers_obeys_the_laws) {
  const Tensor x = Input({dynamic, 3});
  // A bias before the mean is taken off would have no gradient.
  Tensor y = Conv1D{.filters = 4, .kernel_size = 3, .padding = Padding::same, .use_bias = false}(x);
  y = BatchNormalization{}(y);
  y = LSTM{.units = 3, .return_sequences = true}(Activation{.activation = Activation::relu}(y));
  y = Dense{.units = 2}(BatchNormalization{}(y));
  check_graph({x}, {y}, {.time = 8, .kernels = 1e-4});
}

TEST(BatchNormalization, normalizes_over_batch_and_time) {
  Trial trial(BatchNormalization{.epsilon = 1e-12}, {{2, 1}}, 2, Mode::train);
  // Mean 5, variance ((−3)² + (−1)² + 1² + 3²) / 4 = 5.
  const double s = std::sqrt(5.0);
  EXPECT_TRUE(near(trial({{2, 4, 6, 8}}).front(), Numbers{-3 / s, -1 / s, 1 / s, 3 / s}, 1e-9));
}

TEST(BatchNormalization, moves_its_statistics_by_the_momentum) {
  Trial trial(BatchNormalization{}, {{2, 1}}, 2, Mode::train);
  trial({{2, 4, 6, 8}});
  after_batch(trial.runner.plan(), trial.runner.memory());
  // Keras: 0.99 * old + 0.01 * batch, with the biased variance.
  EXPECT_NEAR(trial.weight("moving_mean")[0], 0.05, 1e-12);
  EXPECT_NEAR(trial.weight("moving_variance")[0], 0.99 + 0.05, 1e-12);
}

TEST(BatchNormalization, after_training_with_no_momentum_infers_what_it_trained) {
  Trial trained(BatchNormalization{.momentum = 0}, {{4, 3}}, 3, Mode::train);
  const Numbers x = to_rows(random_sequence({4, 3}, 3, 8));
  const Numbers y = trained({x}).front();
  after_batch(trained.runner.plan(), trained.runner.memory());
  Trial infer(BatchNormalization{}, {{4, 3}}, 3);
  std::copy(trained.runner.weights().begin(), trained.runner.weights().end(),
            infer.runner.weights().begin());
  EXPECT_TRUE(near(infer({x}).front(), y, 1e-12));
}

TEST(BatchNormalization, frozen_uses_and_keeps_the_moving_statistics) {
  Trial trial(BatchNormalization{.trainable = false}, {{2, 1}}, 1, Mode::train);
  EXPECT_EQ(trial.runner.plan().forward().size(), 1u) << "a frozen layer is no barrier";
  const double s = 1 / std::sqrt(1.001);
  EXPECT_TRUE(near(trial({{3, 5}}).front(), Numbers{3 * s, 5 * s}, 1e-12));
  after_batch(trial.runner.plan(), trial.runner.memory());
  EXPECT_EQ(trial.weight("moving_mean")[0], 0);
  EXPECT_EQ(trial.weight("moving_variance")[0], 1);
}

TEST(BatchNormalization, keeps_the_variance_of_signals_far_from_zero) {
  Numbers far{0, 1, 2, 3, 4, 5, 6, 7};
  Trial near_zero(BatchNormalization{}, {{8, 1}}, 1, Mode::train);
  const Numbers expected = near_zero({far}).front();
  for (double& x : far) x += 1e5;
  Trial trial(BatchNormalization{}, {{8, 1}}, 1, Mode::train);
  EXPECT_TRUE(near(trial({far}).front(), expected, 1e-5));
}

TEST(BatchNormalization, keeps_its_weights_in_the_order_of_keras) {
  Trial trial(BatchNormalization{}, {{2, 3}}, 1);
  std::vector<std::string> names;
  for (const WeightEntry& entry : trial.block->entries()) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"gamma", "beta", "moving_mean", "moving_variance"}));
  EXPECT_TRUE(trial.block->entries()[1].trainable);
  EXPECT_FALSE(trial.block->entries()[2].trainable);
}

TEST(BatchNormalization, refuses_wrong_arguments) {
  const auto of = [](BatchNormalization layer) { return refusal([&] { layer(Input({9, 2})); }); };
  EXPECT_EQ(of({.axis = 1}),
            "BatchNormalization: axis must be the last one, -1 or 2 for an input of shape (9, 2), "
            "got 1.");
  EXPECT_EQ(of({.axis = 2}), "(not refused)");
  EXPECT_EQ(of({.momentum = 1.5}),
            "BatchNormalization: momentum must be from 0 to 1, got 1.5. It is the share of the old "
            "moving statistics that stays; use momentum = 0.99.");
  EXPECT_EQ(of({.epsilon = 0}),
            "BatchNormalization: epsilon must be above 0, got 0. Use epsilon = 0.001.");
}

TEST(LayerNormalization, refuses_wrong_arguments) {
  EXPECT_EQ(refusal([] {
              LayerNormalization{.axis = 1}(Input({9, 2}));
            }),
            "LayerNormalization: axis must be the last one, -1 or 2 for an input of shape (9, 2), "
            "got 1.");
  EXPECT_EQ(refusal([] {
              LayerNormalization{.epsilon = -1}(Input({9, 2}));
            }),
            "LayerNormalization: epsilon must be above 0, got -1. Use epsilon = 0.001.");
}

TEST(GroupNormalization, obeys_its_laws) {
  const auto check = [](GroupNormalization layer, Shape shape) {
    check_laws(layer, {.time = shape.rank() == 1 ? 0 : 17, .shapes = {shape}, .streams = false});
  };
  check({.groups = 2}, {17, 6});
  check({.groups = -1, .center = false}, {17, 3});
  check({.groups = 1, .scale = false}, {17, 2, 3});
  check({.groups = 2, .epsilon = 0.1, .center = false, .scale = false}, {17, 2, 4});
  check({.groups = 3}, {6});
}

TEST(GroupNormalization, normalizes_groups_over_all_steps) {
  // Groups {0, 1} and {2, 3} of two steps: 1 2 5 6, and the same times 10. Variance 4.25.
  const double r = std::sqrt(4.25);
  const Numbers n{-2.5 / r, -1.5 / r, 1.5 / r, 2.5 / r};
  EXPECT_TRUE(near(evaluate(GroupNormalization{.groups = 2, .epsilon = 1e-12}, {2, 4},
                            {1, 2, 10, 20, 5, 6, 50, 60}),
                   Numbers{n[0], n[1], n[0], n[1], n[2], n[3], n[2], n[3]}, 1e-9));
}

TEST(GroupNormalization, refuses_groups_that_do_not_divide) {
  EXPECT_EQ(refusal([] {
              GroupNormalization{.groups = 4}(Input({9, 6}));
            }),
            "GroupNormalization: groups must divide the 6 channels, or be -1 for a group of each, "
            "got 4.");
  EXPECT_NE(refusal([] { GroupNormalization{.groups = 0}(Input({9, 6})); }), "(not refused)");
}

TEST(UnitNormalization, obeys_its_laws) {
  check_laws(UnitNormalization{});
  check_laws(UnitNormalization{.axis = {3}}, {.shapes = {{17, 2, 4}}});
  check_laws(UnitNormalization{}, {.time = 0, .channels = 17});
}

TEST(UnitNormalization, makes_vectors_of_length_one) {
  EXPECT_TRUE(near(evaluate(UnitNormalization{}, {3, 2}, {3, 4, 0, 0, 0, -2}),
                   Numbers{0.6, 0.8, 0, 0, 0, -1}, 1e-12));
}

TEST(UnitNormalization, refuses_other_axes) {
  EXPECT_EQ(refusal([] {
              UnitNormalization{.axis = {1, 2}}(Input({9, 2}));
            }),
            "UnitNormalization: axis must be the last one, -1 or 2 for an input of shape (9, 2).");
}

}  // namespace
}  // namespace sonde
