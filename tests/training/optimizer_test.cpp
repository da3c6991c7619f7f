#include "training/optimizer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace sonde {
namespace {

using List = std::vector<float>;

/// Weights under an optimizer.
struct Weights {
  Optimizer optimizer;
  List w;
  std::vector<List> slots = {};
  std::int64_t iteration = 0;

  OptimizerState state(std::size_t from = 0) {
    OptimizerState pointers = {};
    for (std::size_t s = 0; s < slots.size(); ++s) pointers[s] = slots[s].data() + from;
    return pointers;
  }
  void start() {
    for (Index s = 0; s < optimizer_slots(optimizer); ++s)
      slots.emplace_back(w.size(), optimizer_slot_start(optimizer, s));
  }
  OptimizerStep step() const {
    const double rate =
        std::visit([&](const auto& s) { return s.learning_rate.at(iteration); }, optimizer);
    const Clipping clip = clipping(optimizer);
    return {
        .iteration = iteration, .rate = rate, .limit = static_cast<float>(clip.value.value_or(0))};
  }
  void apply(const List& g) {
    if (iteration == 0) start();
    optimizer_step(optimizer, step(), static_cast<Index>(w.size()), w.data(), g.data(), state());
    ++iteration;
  }
};

void expect_near(const List& got, const std::vector<double>& wanted, double tolerance) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(static_cast<double>(got[i]), wanted[i], tolerance) << i;
}

/// One step from (1, 2, 3, 4) along (1, 6, 7, 2), rate 0.5: test_single_step of each *_test.py.
List after_one_step(Optimizer optimizer) {
  Weights weights{std::move(optimizer), {1, 2, 3, 4}};
  weights.apply({1, 6, 7, 2});
  return weights.w;
}

/// From ones, one step along 0.01, then four along 0.1, 0.2, … 1.0: the first and last weight after
/// each, as in test_correctness_with_golden.
void expect_golden(Optimizer optimizer, const std::vector<std::array<double, 2>>& golden) {
  Weights weights{std::move(optimizer), List(10, 1.0f)};
  List g;
  for (int i = 1; i <= 10; ++i) g.push_back(0.1f * static_cast<float>(i));
  weights.apply(List(10, 0.01f));
  for (const auto& [first, last] : golden) {
    EXPECT_NEAR(weights.w.front(), first, 6e-5);
    EXPECT_NEAR(weights.w.back(), last, 6e-5);
    weights.apply(g);
  }
}

// Expected numbers of the next tests: Keras 3.15.1, keras/src/optimizers/*_test.py.
TEST(SGD, agrees_with_keras) {
  expect_near(after_one_step(SGD{.learning_rate = 0.5}), {0.5, -1, -0.5, 3}, 1e-6);
  expect_golden(
      SGD{.nesterov = true},
      {{0.9999, 0.9999}, {0.9989, 0.9899}, {0.9979, 0.9799}, {0.9969, 0.9699}, {0.9959, 0.9599}});
}

TEST(Adam, agrees_with_keras) {
  expect_near(after_one_step(Adam{.learning_rate = 0.5}), {0.5, 1.5, 2.5, 3.5}, 1e-4);
  Weights weights{Adam{.amsgrad = true}, List(10, 1.0f)};
  weights.apply(List(10, 0.01f));
  for (const double golden : {0.999, 0.9982, 0.9974, 0.9965, 0.9955}) {
    EXPECT_NEAR(weights.w[4], golden, 1e-4);
    weights.apply(List(10, 0.5f));
  }
}

TEST(AdamW, agrees_with_keras) {
  expect_near(after_one_step(AdamW{.learning_rate = 0.5}), {0.4980, 1.4960, 2.494, 3.492}, 1e-4);
  expect_golden(
      AdamW{.learning_rate = 1.0, .weight_decay = 0.5, .epsilon = 2},
      {{0.4998, 0.4998}, {0.2486, 0.2382}, {0.1223, 0.1003}, {0.0586, 0.0258}, {0.0263, -0.0159}});
}

TEST(RMSprop, agrees_with_keras) {
  expect_near(after_one_step(RMSprop{.learning_rate = 0.5}), {-0.5811, 0.4189, 1.4189, 2.4189},
              1e-4);
  expect_golden(
      RMSprop{.centered = true},
      {{0.9967, 0.9967}, {0.9933, 0.9933}, {0.9908, 0.9908}, {0.9885, 0.9885}, {0.9864, 0.9864}});
}

TEST(Adagrad, agrees_with_keras) {
  expect_near(after_one_step(Adagrad{.learning_rate = 0.5}), {0.5233, 1.5007, 2.5005, 3.5061},
              1e-4);
  expect_golden(
      Adagrad{.learning_rate = 0.2, .initial_accumulator_value = 0.3, .epsilon = 1e-6},
      {{0.9963, 0.9963}, {0.9604, 0.8209}, {0.9251, 0.6891}, {0.8903, 0.579}, {0.856, 0.4825}});
}

TEST(Optimizer, decays_weights_as_keras_does) {
  for (const Optimizer& optimizer :
       {Optimizer(SGD{.learning_rate = 1.0, .weight_decay = 0.004}),
        Optimizer(Adam{.learning_rate = 1.0, .weight_decay = 0.004}),
        Optimizer(AdamW{.learning_rate = 1.0}),
        Optimizer(RMSprop{.learning_rate = 1.0, .weight_decay = 0.004}),
        Optimizer(Adagrad{.learning_rate = 1.0, .weight_decay = 0.004})}) {
    Weights weights{optimizer, {2}};
    for (int step = 0; step < 3; ++step) weights.apply({0});
    EXPECT_NEAR(weights.w[0], 1.9760959, 1e-6);
  }
}

TEST(Optimizer, averages_as_keras_does) {
  Weights weights{
      SGD{.learning_rate = 1.0, .use_ema = true, .ema_momentum = 0.9, .ema_overwrite_frequency = 3},
      {3, 4, 5, 6}};
  const List g(4, 1.0f);
  weights.apply(g);
  expect_near(weights.w, {2, 3, 4, 5}, 1e-6);
  expect_near(weights.slots[0], {2, 3, 4, 5}, 1e-6);
  weights.apply(g);
  expect_near(weights.w, {1, 2, 3, 4}, 1e-6);
  expect_near(weights.slots[0], {1.9, 2.9, 3.9, 4.9}, 1e-6);
  weights.apply(g);
  expect_near(weights.w, {1.71, 2.71, 3.71, 4.71}, 1e-6);
  expect_near(weights.slots[0], {1.71, 2.71, 3.71, 4.71}, 1e-6);
}

TEST(Optimizer, puts_the_average_in_place_when_training_ends) {
  Weights weights{Adam{.learning_rate = 1.0, .use_ema = true, .ema_momentum = 0.9}, {1, 2}};
  weights.apply({0.1f, 0.2f});
  const List first = weights.w;
  weights.apply({0.1f, 0.2f});
  const List second = weights.w;
  optimizer_finish(weights.optimizer, 2, weights.w.data(), weights.state());
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_NEAR(weights.w[i], 0.9 * first[i] + 0.1 * second[i], 1e-6);
  Weights plain{Adam{}, {1, 2}};
  optimizer_finish(plain.optimizer, 2, plain.w.data(), plain.state());
  EXPECT_EQ(plain.w, (List{1, 2}));
}
// End of the numbers from *_test.py.

/// The same formulas in double, written out once more from the papers' side.
TEST(Adam, follows_its_formula_for_many_steps) {
  const Adam adam{.learning_rate = 0.01};
  Weights weights{adam, {1, -2}};
  double m[2] = {}, v[2] = {}, w[2] = {1, -2};
  for (int t = 1; t <= 200; ++t) {
    const List g{static_cast<float>(std::sin(t)), static_cast<float>(0.1 * w[1] + 0.01 * t)};
    weights.apply(g);
    for (std::size_t i = 0; i < 2; ++i) {
      const double gradient = static_cast<double>(g[i]);
      m[i] = 0.9 * m[i] + 0.1 * gradient;
      v[i] = 0.999 * v[i] + 0.001 * gradient * gradient;
      // Keras' epsilon is added to the root of the uncorrected v.
      w[i] -= 0.01 * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t)) * m[i] /
              (std::sqrt(v[i]) + 1e-7);
    }
  }
  EXPECT_NEAR(weights.w[0], w[0], 2e-5);
  EXPECT_NEAR(weights.w[1], w[1], 2e-5);
}

TEST(SGD, with_momentum_follows_its_formula) {
  for (const bool nesterov : {false, true}) {
    Weights weights{SGD{.learning_rate = 0.1, .momentum = 0.9, .nesterov = nesterov}, {1}};
    double w = 1, velocity = 0;
    for (int t = 0; t < 20; ++t) {
      const double g = std::cos(t);
      weights.apply({static_cast<float>(g)});
      velocity = 0.9 * velocity - 0.1 * g;
      w += nesterov ? 0.9 * velocity - 0.1 * g : velocity;
    }
    EXPECT_NEAR(weights.w[0], w, 2e-6);
  }
}

TEST(RMSprop, with_momentum_and_centered_follows_its_formula) {
  Weights weights{RMSprop{.learning_rate = 0.01, .rho = 0.8, .momentum = 0.7, .centered = true},
                  {1}};
  double w = 1, v = 0, a = 0, moved = 0;
  for (int t = 0; t < 20; ++t) {
    const double g = 1 + std::cos(t);
    weights.apply({static_cast<float>(g)});
    v = 0.8 * v + 0.2 * g * g;
    a = 0.8 * a + 0.2 * g;
    moved = 0.7 * moved + 0.01 * g / std::sqrt(v - a * a + 1e-7);
    w -= moved;
  }
  EXPECT_NEAR(weights.w[0], w, 1e-5);
}

std::vector<Optimizer> every_optimizer() {
  return {SGD{},
          SGD{.momentum = 0.9, .weight_decay = 0.1},
          SGD{.momentum = 0.9, .nesterov = true, .clipvalue = 0.3},
          Adam{},
          Adam{.amsgrad = true, .weight_decay = 0.01, .use_ema = true},
          AdamW{},
          RMSprop{.clipvalue = 0.3},
          RMSprop{.momentum = 0.8},
          RMSprop{.centered = true},
          RMSprop{.momentum = 0.8, .centered = true, .use_ema = true, .ema_overwrite_frequency = 2},
          Adagrad{}};
}

TEST(Optimizer, gives_the_same_bits_however_it_is_cut) {
  constexpr std::size_t n = 143;
  List start, g;
  for (std::size_t i = 0; i < n; ++i) {
    start.push_back(std::sin(static_cast<float>(i)));
    g.push_back(std::cos(static_cast<float>(3 * i)));
  }
  for (const Optimizer& optimizer : every_optimizer()) {
    Weights whole{optimizer, start}, cut{optimizer, start};
    cut.start();
    for (int step = 0; step < 4; ++step) {
      whole.apply(g);
      for (std::size_t begin = 0, length = 1; begin < n; begin += length, length = length * 2 + 1) {
        const auto count = static_cast<Index>(std::min(length, n - begin));
        optimizer_step(optimizer, cut.step(), count, cut.w.data() + begin, g.data() + begin,
                       cut.state(begin));
      }
      ++cut.iteration;
      EXPECT_EQ(std::memcmp(whole.w.data(), cut.w.data(), n * sizeof(float)), 0);
      EXPECT_EQ(whole.slots, cut.slots);
    }
  }
}

TEST(Optimizer, names_its_slots) {
  for (const Optimizer& optimizer : every_optimizer())
    EXPECT_EQ(static_cast<Index>(optimizer_slot_names(optimizer).size()),
              optimizer_slots(optimizer));
  using Names = std::vector<std::string_view>;
  EXPECT_EQ(optimizer_slot_names(SGD{}), Names{});
  EXPECT_EQ(optimizer_slot_names(Adam{.amsgrad = true, .use_ema = true}),
            (Names{"momentum", "velocity", "velocity_hat", "average"}));
  EXPECT_EQ(optimizer_slot_names(RMSprop{.centered = true}),
            (Names{"velocity", "average_gradient"}));
  EXPECT_EQ(optimizer_slot_start(Adagrad{}, 0), 0.1f);
  EXPECT_EQ(optimizer_slot_start(Adagrad{.use_ema = true}, 1), 0.0f);
}

TEST(Optimizer, bounds_the_gradient) {
  Weights weights{SGD{.learning_rate = 1.0, .clipvalue = 1.0}, {0, 0, 0}};
  weights.apply({100, -100, 0.5f});
  EXPECT_EQ(weights.w, (List{-1, 1, -0.5f}));
  Weights scaled{SGD{.learning_rate = 1.0}, {0, 0}};
  OptimizerStep step = scaled.step();
  step.clip = 0.25f;
  const List g{4, -8};
  optimizer_step(scaled.optimizer, step, 2, scaled.w.data(), g.data(), {});
  EXPECT_EQ(scaled.w, (List{-1, 2}));
}

TEST(Optimizer, does_not_hide_nan) {
  for (const Optimizer& optimizer : every_optimizer()) {
    Weights weights{optimizer, {1, 1}};
    weights.apply({std::numeric_limits<float>::quiet_NaN(), 0.5f});
    EXPECT_TRUE(std::isnan(weights.w[0]));
    EXPECT_FALSE(std::isnan(weights.w[1]));
  }
}

TEST(Optimizer, stays_finite_after_a_billion_steps) {
  for (const Optimizer& optimizer : every_optimizer()) {
    Weights weights{optimizer, {1}};
    weights.start();
    weights.iteration = std::int64_t{1} << 40;
    const List g{0.5f};
    optimizer_step(optimizer, weights.step(), 1, weights.w.data(), g.data(), weights.state());
    EXPECT_TRUE(std::isfinite(weights.w[0]));
  }
}

TEST(Optimizer, has_keras_names_and_comes_back_from_its_config) {
  EXPECT_EQ(optimizer_from_name("adam"), Optimizer(Adam{}));
  EXPECT_EQ(optimizer_from_name("RMSprop"), Optimizer(RMSprop{}));
  EXPECT_EQ(optimizer_from_name("adagrad"), Optimizer(Adagrad{}));
  EXPECT_THROW(optimizer_from_name("adma"), ArgumentError);
  std::vector<Optimizer> all = every_optimizer();
  all.push_back(
      Adam{.learning_rate = CosineDecay{.initial_learning_rate = 0.1, .decay_steps = 10}});
  for (const Optimizer& optimizer : all) {
    Optimizer back;
    from_value(to_value(optimizer), "optimizer", back);
    EXPECT_EQ(back, optimizer);
  }
}

TEST(LearningRate, is_kept_as_a_float_and_is_no_whole_number) {
  EXPECT_EQ(LearningRate(0.001).rate(), 0.0010000000474974513);  // as in Keras' files
  EXPECT_EQ(LearningRate(1e-3f), LearningRate(1e-3));
  static_assert(!std::constructible_from<LearningRate, int>);
  static_assert(!std::constructible_from<LearningRate, bool>);
}

std::string refusal(const Optimizer& optimizer) {
  try {
    check_optimizer(optimizer);
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "";
}

TEST(Optimizer, refuses_what_it_cannot_do) {
  for (const Optimizer& optimizer : every_optimizer()) EXPECT_EQ(refusal(optimizer), "");
  EXPECT_EQ(refusal(SGD{.clipnorm = 1.0, .clipvalue = 1.0}),
            "SGD: only one of clipnorm, clipvalue and global_clipnorm may be given.");
  EXPECT_NE(refusal(Adam{.clipnorm = 1.0, .global_clipnorm = 1.0}), "");
  EXPECT_NE(refusal(Adam{.clipnorm = 0.0}), "");
  EXPECT_NE(refusal(Adam{.clipvalue = NAN}), "");
  EXPECT_NE(refusal(SGD{.momentum = -1}), "");
  EXPECT_NE(refusal(SGD{.momentum = 2}), "");
  EXPECT_NE(refusal(Adam{.beta_1 = 1}), "");
  EXPECT_NE(refusal(Adam{.beta_2 = NAN}), "");
  EXPECT_NE(refusal(Adam{.epsilon = -1}), "");
  EXPECT_NE(refusal(RMSprop{.rho = 1}), "");
  EXPECT_NE(refusal(Adagrad{.initial_accumulator_value = -0.1}), "");
  EXPECT_NE(refusal(Adam{.learning_rate = -0.1}), "");
  EXPECT_NE(refusal(Adam{.learning_rate = NAN}), "");
  EXPECT_NE(refusal(Adam{.weight_decay = -0.1}), "");
  EXPECT_NE(refusal(AdamW{.weight_decay = std::nullopt}), "");
  EXPECT_NE(refusal(SGD{.use_ema = true, .ema_momentum = 1.1}), "");
  EXPECT_NE(refusal(SGD{.use_ema = true, .ema_overwrite_frequency = 0}), "");
  EXPECT_NE(refusal(SGD{.loss_scale_factor = 2.0}), "");
  EXPECT_EQ(refusal(SGD{.gradient_accumulation_steps = 4}),
            "SGD: gradient_accumulation_steps is not supported. Use a batch 4 times as large.");
}

}  // namespace
}  // namespace sonde
