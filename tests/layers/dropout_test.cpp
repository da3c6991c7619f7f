#include <cmath>

#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(Dropout, obeys_its_laws) {
  check_laws(Dropout{.rate = 0.4});
  check_laws(Dropout{.rate = 0.0});
  check_laws(Dropout{.rate = 1.0});
  check_laws(Dropout{.rate = 0.5, .seed = 3}, {.time = 0, .channels = 70});
  check_laws(Dropout{.rate = 0.5, .noise_shape = Shape{dynamic, 1, dynamic}});
  check_laws(Dropout{.rate = 0.5, .noise_shape = Shape{1, dynamic, 1}});
}

Numbers dropped(const Dropout& layer, Shape shape, Index rows, std::uint64_t draw = 0) {
  Trial trial(layer, {shape}, rows, Mode::train);
  trial.runner.memory().draw = draw;
  return trial({Numbers(static_cast<std::size_t>(rows * shape.elements()), 1.0)}).front();
}

TEST(Dropout, zeroes_its_share_and_scales_the_rest) {
  for (const double rate : {0.1, 0.5, 0.8}) {
    const Numbers y = dropped({.rate = rate}, {500, 8}, 5);
    const double n = static_cast<double>(y.size());
    double zeros = 0;
    for (const double each : y) {
      if (each == 0) ++zeros;
      else EXPECT_NEAR(each, 1 / (1 - rate), 1e-12);
    }
    // Five standard deviations of a binomial share.
    EXPECT_NEAR(zeros / n, rate, 5 * std::sqrt(rate * (1 - rate) / n));
  }
}

TEST(Dropout, draws_anew_for_each_step_name_and_seed) {
  const Dropout layer{.rate = 0.5, .name = "a"};
  const Numbers y = dropped(layer, {40, 2}, 1);
  EXPECT_EQ(dropped(layer, {40, 2}, 1), y);
  EXPECT_NE(dropped(layer, {40, 2}, 1, 1), y);
  EXPECT_NE(dropped({.rate = 0.5, .name = "b"}, {40, 2}, 1), y);
  EXPECT_NE(dropped({.rate = 0.5, .seed = 99, .name = "a"}, {40, 2}, 1), y);
  const Numbers two = dropped(layer, {40, 2}, 2);
  EXPECT_NE(Numbers(two.begin(), two.begin() + 80), Numbers(two.begin() + 80, two.end()))
      << "two rows share a mask";
}

TEST(Dropout, changes_nothing_outside_of_training) {
  EXPECT_EQ(evaluate(Dropout{.rate = 0.9}, {5, 2}, arange(10)), arange(10));
  Trial trial(Dropout{.rate = 0.9}, {{5, 2}}, 1, Mode::train);
  trial.runner.memory().training = false;
  EXPECT_EQ(trial({arange(10)}).front(), arange(10));
  EXPECT_EQ(trial.backward({arange(10)}).front(), arange(10));
}

TEST(Dropout, with_a_noise_shape_drops_whole_channels) {
  const Numbers y = dropped({.rate = 0.5, .noise_shape = Shape{dynamic, 1, 64}}, {3, 64}, 2);
  for (std::size_t i = 0; i < 64; ++i) {
    EXPECT_EQ(y[i], y[64 + i]);
    EXPECT_EQ(y[i], y[128 + i]);
  }
  EXPECT_NE(Numbers(y.begin(), y.begin() + 192), Numbers(y.begin() + 192, y.end()));
}

TEST(Dropout, refuses_rates_that_are_no_share) {
  EXPECT_EQ(refusal([] { Dropout{.rate = 1.5}(Input({4})); }),
            "Dropout: rate must be from 0 to 1, got 1.5. It is the share that is dropped.");
  EXPECT_NE(refusal([] { Dropout{.rate = -0.1}(Input({4})); }), "(not refused)");
  EXPECT_NE(refusal([] { Dropout{.rate = std::nan("")}(Input({4})); }), "(not refused)");
}

TEST(Dropout, refuses_noise_shapes_that_do_not_fit) {
  const auto of = [](Shape noise, Shape input) {
    return refusal([&] { Dropout{.rate = 0.5, .noise_shape = noise}(Input(input)); });
  };
  EXPECT_EQ(of({1, 3}, {4, 3}),
            "Dropout: noise_shape must have a size for the batch and for each axis of (4, 3), 1 to "
            "share a draw or None, got (1, 3).");
  EXPECT_NE(of({7, 4, 3}, {4, 3}), "(not refused)");
  EXPECT_NE(of({1, 4, 2}, {4, 3}), "(not refused)");
  EXPECT_EQ(of({dynamic, 4, 1, 3}, {4, 2, 3}),
            "Dropout: noise_shape = (None, 4, 1, 3) shares some of the axes after time and not "
            "others. Share all of them or none.");
}

TEST(SpatialDropout1D, obeys_its_laws) {
  check_laws(SpatialDropout1D{.rate = 0.4});
  check_laws(SpatialDropout1D{.rate = 0.0});
}

TEST(SpatialDropout1D, drops_whole_channels_of_a_row) {
  Trial trial(SpatialDropout1D{.rate = 0.5}, {{3, 64}}, 2, Mode::train);
  const Numbers y = trial({Numbers(384, 1.0)}).front();
  EXPECT_TRUE(std::equal(y.begin(), y.begin() + 64, y.begin() + 64));
  EXPECT_FALSE(std::equal(y.begin(), y.begin() + 64, y.begin() + 192)) << "two rows share a mask";
  EXPECT_EQ(refusal([] {
              SpatialDropout1D{.rate = 0.5}(Input({4, 2, 2}));
            }),
            "SpatialDropout1D: expects an input of shape (time, channels), got (4, 2, 2).");
}

/// Mean and standard deviation.
std::pair<double, double> moments(const Numbers& y) {
  double mean = 0, squares = 0;
  for (const double each : y) mean += each / static_cast<double>(y.size());
  for (const double each : y) squares += (each - mean) * (each - mean);
  return {mean, std::sqrt(squares / static_cast<double>(y.size()))};
}

template <class L>
Numbers with_noise(const L& layer, double x, std::uint64_t draw = 0) {
  Trial trial(layer, {{500, 8}}, 5, Mode::train);
  trial.runner.memory().draw = draw;
  return trial({Numbers(20000, x)}).front();
}

TEST(GaussianNoise, obeys_its_laws) {
  check_laws(GaussianNoise{.stddev = 0.3});
  check_laws(GaussianNoise{.stddev = 0.0});
  check_laws(GaussianNoise{.stddev = 1.0, .seed = 4}, {.time = 0, .channels = 17});
}

TEST(GaussianNoise, adds_numbers_of_its_deviation_while_training) {
  const GaussianNoise layer{.stddev = 0.3, .name = "a"};
  const Numbers y = with_noise(layer, 2);
  // Five standard deviations of the estimates: 0.3 / sqrt(20000), and that / sqrt(2).
  EXPECT_NEAR(moments(y).first, 2, 0.011);
  EXPECT_NEAR(moments(y).second, 0.3, 0.008);
  EXPECT_EQ(with_noise(layer, 2), y);
  EXPECT_NE(with_noise(layer, 2, 1), y);
  EXPECT_EQ(evaluate(layer, {5, 2}, arange(10)), arange(10));
}

TEST(GaussianNoise, refuses_deviations_that_keras_refuses) {
  EXPECT_EQ(refusal([] { GaussianNoise{.stddev = 1.5}(Input({4})); }),
            "GaussianNoise: stddev must be from 0 to 1, got 1.5. Signals of another size can be "
            "brought to 1 with Normalization.");
}

TEST(GaussianDropout, obeys_its_laws) {
  check_laws(GaussianDropout{.rate = 0.3});
  check_laws(GaussianDropout{.rate = 0.0});
  check_laws(GaussianDropout{.rate = 0.9, .seed = 4}, {.time = 0, .channels = 17});
}

TEST(GaussianDropout, multiplies_by_numbers_around_one_while_training) {
  const GaussianDropout layer{.rate = 0.2};
  // Standard deviation sqrt(0.2 / 0.8) = 0.5, times 2.
  EXPECT_NEAR(moments(with_noise(layer, 2)).first, 2, 0.036);
  EXPECT_NEAR(moments(with_noise(layer, 2)).second, 1, 0.026);
  EXPECT_EQ(evaluate(layer, {5, 2}, arange(10)), arange(10));
  EXPECT_EQ(refusal([] { GaussianDropout{.rate = 1.0}(Input({4})); }),
            "GaussianDropout: rate must be at least 0 and below 1, got 1.");
}

}  // namespace
}  // namespace sonde
