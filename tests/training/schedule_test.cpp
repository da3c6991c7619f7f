#include <gtest/gtest.h>

#include <cmath>

#include "training/optimizer.hpp"

namespace sonde {
namespace {

double rate(const Schedule& schedule, std::int64_t step) { return LearningRate(schedule).at(step); }

// Numbers of the next tests: Keras 3.15.1,
// keras/src/optimizers/schedules/learning_rate_schedule_test.py.
TEST(ExponentialDecay, agrees_with_keras) {
  const ExponentialDecay smooth{0.05, 10, 0.96}, stairs{0.1, 3, 0.96, true};
  EXPECT_NEAR(rate(smooth, 0), 0.05, 1e-9);
  EXPECT_NEAR(rate(smooth, 100), 0.05 * std::pow(0.96, 10), 1e-9);
  EXPECT_NEAR(rate(stairs, 0), 0.1, 1e-9);
  EXPECT_NEAR(rate(stairs, 2), 0.1, 1e-9);
  EXPECT_NEAR(rate(stairs, 3), 0.1 * 0.96, 1e-9);
  EXPECT_NEAR(rate(stairs, 100), 0.1 * std::pow(0.96, 33), 1e-9);
}

TEST(PiecewiseConstantDecay, agrees_with_keras) {
  const PiecewiseConstantDecay decay{std::vector<Index>{100, 110, 120},
                                     std::vector<double>{1.0, 0.1, 0.01, 0.001}};
  EXPECT_EQ(rate(decay, 0), 1.0);
  EXPECT_EQ(rate(decay, 100), 1.0);
  EXPECT_EQ(rate(decay, 105), 0.1);
  EXPECT_EQ(rate(decay, 110), 0.1);
  EXPECT_EQ(rate(decay, 120), 0.01);
  EXPECT_EQ(rate(decay, 999), 0.001);
}

TEST(PolynomialDecay, agrees_with_keras) {
  const double lr = 0.05, end = 0.001;
  const auto decay = [&](double to, double power, bool cycle) {
    return PolynomialDecay{lr, 10, to, power, cycle};
  };
  EXPECT_NEAR(rate(decay(0, 1, false), 5), lr * 0.5, 1e-9);
  EXPECT_NEAR(rate(decay(end, 1, false), 10), end, 1e-9);
  EXPECT_NEAR(rate(decay(end, 1, false), 5), (lr + end) * 0.5, 1e-9);
  EXPECT_NEAR(rate(decay(end, 1, false), 15), end, 1e-9);
  EXPECT_NEAR(rate(decay(end, 1, true), 15), (lr - end) * 0.25 + end, 1e-9);
  EXPECT_NEAR(rate(decay(0, 0.5, false), 5), lr * std::pow(0.5, 0.5), 1e-9);
  EXPECT_NEAR(rate(decay(end, 1, true), 0), lr, 1e-9);
}

TEST(InverseTimeDecay, agrees_with_keras) {
  EXPECT_NEAR(rate(InverseTimeDecay{0.1, 10, 0.96}, 3), 0.1 / (1 + 3 * 0.96 / 10), 1e-9);
  EXPECT_NEAR(rate(InverseTimeDecay{0.1, 10, 0.96, true}, 25), 0.1 / (1 + 2 * 0.96), 1e-9);
}

double cosine(double step, double steps, double alpha = 0) {
  return (1 - alpha) * 0.5 * (1 + std::cos(std::acos(-1.0) * std::min(step, steps) / steps)) +
         alpha;
}

TEST(CosineDecay, agrees_with_keras) {
  for (const Index step : {0, 250, 500, 750, 999, 1000, 1500})
    EXPECT_NEAR(rate(CosineDecay{1.0, 1000}, step), cosine(static_cast<double>(step), 1000), 1e-9);
  EXPECT_NEAR(rate(CosineDecay{1.0, 1000, 0.1}, 750), cosine(750, 1000, 0.1), 1e-9);
  CosineDecay warm{.initial_learning_rate = 0.0, .decay_steps = 10};
  warm.warmup_target = 10.0;
  warm.warmup_steps = 1500;
  warm.decay_steps = 1000;
  EXPECT_NEAR(rate(warm, 750), 5, 1e-9);
  EXPECT_NEAR(rate(warm, 1500), 10, 1e-9);
  EXPECT_NEAR(rate(warm, 2000), 10 * cosine(500, 1000), 1e-9);
  EXPECT_NEAR(rate(warm, 2500), 0, 1e-9);
  EXPECT_NEAR(rate(warm, 9999), 0, 1e-9);
}

TEST(CosineDecayRestarts, agrees_with_keras) {
  for (const Index step : {0, 250, 500, 750, 999})
    EXPECT_NEAR(rate(CosineDecayRestarts{1.0, 1000}, step), cosine(static_cast<double>(step), 1000),
                1e-9);
  EXPECT_NEAR(rate(CosineDecayRestarts{1.0, 1000}, 1000), 1, 1e-9) << "a restart is at the top";
  EXPECT_NEAR(rate(CosineDecayRestarts{1.0, 1000}, 2000), cosine(1000, 2000), 1e-9);
  EXPECT_NEAR(rate(CosineDecayRestarts{1.0, 1000}, 3000), 1, 1e-9);
  CosineDecayRestarts shorter{.initial_learning_rate = 1.0, .first_decay_steps = 1000};
  shorter.t_mul = 1.0;
  shorter.m_mul = 0.5;
  shorter.alpha = 0.1;
  EXPECT_NEAR(rate(shorter, 2500), 0.9 * 0.25 * cosine(500, 1000) + 0.1, 1e-9);
}

std::string refusal(const Schedule& schedule) {
  try {
    check_optimizer(Adam{.learning_rate = schedule});
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "";
}

TEST(Schedule, that_cannot_be_followed_is_refused) {
  EXPECT_EQ(refusal(ExponentialDecay{0.1, 1, 0.9}), "");
  EXPECT_EQ(refusal(ExponentialDecay{0.1, 0, 0.9}),
            "ExponentialDecay: decay_steps must be at least 1, got 0.");
  EXPECT_NE(refusal(InverseTimeDecay{0.1, -1, 0.9}), "");
  EXPECT_NE(refusal(PolynomialDecay{0.1, 0}), "");
  EXPECT_NE(refusal(CosineDecay{0.1, 0}), "");
  EXPECT_NE(
      refusal(CosineDecay{.initial_learning_rate = 0.1, .decay_steps = 5, .warmup_steps = -1}), "");
  EXPECT_NE(refusal(CosineDecayRestarts{0.1, 0}), "");
  EXPECT_NE(refusal(CosineDecayRestarts{0.1, 5, 0.5}), "");
  EXPECT_NE(refusal(CosineDecayRestarts{0.1, 5, NAN}), "");
  EXPECT_NE(refusal(PiecewiseConstantDecay{std::vector<Index>{1, 2}, std::vector<double>{1, 2}}),
            "");
  EXPECT_NE(refusal(PiecewiseConstantDecay{std::vector<Index>{2, 1}, std::vector<double>{1, 2, 3}}),
            "");
}

TEST(Schedule, comes_back_from_its_config) {
  for (const Schedule& schedule :
       {Schedule(ExponentialDecay{0.1, 5, 0.7}), Schedule(CosineDecayRestarts{0.1, 5}),
        Schedule(PiecewiseConstantDecay{std::vector<Index>{3, 9},
                                        std::vector<double>{0.1, 0.05, 0.01}})}) {
    LearningRate back = 0.5;
    from_value(to_value(LearningRate(schedule)), "learning_rate", back);
    ASSERT_NE(back.schedule(), nullptr);
    EXPECT_EQ(*back.schedule(), schedule);
  }
  LearningRate back = 0.5;
  from_value(Value(1), "learning_rate", back);
  EXPECT_EQ(back, LearningRate(1.0));
  EXPECT_THROW(from_value(Value("fast"), "learning_rate", back), ArgumentError);
}

}  // namespace
}  // namespace sonde
