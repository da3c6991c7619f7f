#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/formats/recordings/made.hpp"

namespace sonde {
namespace {

using testing::Floats;
using testing::floats;
using testing::refused_with;
using testing::same;

/// Whole numbers that tests/data/resample.py makes too.
Array numbers(Index steps) {
  Array array({steps, 1});
  for (Index k = 0; k < steps; ++k)
    array.data()[k] = static_cast<float>((k * k * 7 + 3 * k) % 23 - 9);
  return array;
}

void expect_scipy(Index steps, double from, double to, const Floats& expected) {
  const Floats values = floats(resample(numbers(steps), from, to));
  ASSERT_EQ(values.size(), expected.size()) << steps;
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected[i], 2e-6) << steps << " steps, number " << i;
}

TEST(Resample, gives_what_scipy_gives) {
  expect_scipy(11, 500, 250, {-6.188884f, 0.635974f, -3.884059f, 6.334034f, 7.118495f, 8.300772f});
  expect_scipy(7, 3, 5,
               {-9.005855f, -4.049569f, 3.123712f, 3.848453f, -2.927177f, -6.003903f, -1.746934f,
                -0.336514f, -3.100039f, 0.206433f, 8.005204f, 9.817238f});
  expect_scipy(1, 10, 30, {-9.005456f, -8.997272f, -8.997272f});
  expect_scipy(
      23, 360, 250,
      {-7.339409f, 1.644341f, -2.534026f, -3.326959f, 5.820747f, 7.528615f, 7.297164f, 6.441642f,
       -2.123317f, -4.054953f, 3.317048f, -8.878616f, 2.635518f, 4.077079f, 2.061983f, 5.224422f});
  expect_scipy(13, 0.5, 1,
               {-9.004657f, -5.112311f, 1.000517f,  4.592806f,  2.001035f,  -3.796162f, -6.003105f,
                -2.890165f, -0.000000f, -1.323185f, -3.001552f, 0.632535f,  8.004140f,  12.205445f,
                10.005175f, 5.118393f,  3.001552f,  5.525727f,  10.005175f, 11.727083f, 8.004140f,
                1.296306f,  -3.001552f, -2.484391f, -0.000000f, 0.834621f});
}

TEST(Resample, the_same_rate_changes_nothing) {
  EXPECT_TRUE(same(resample(numbers(5), 250, 250), floats(numbers(5))));
}

TEST(Resample, every_channel_by_itself) {
  const Array one = numbers(40);
  Array two({40, 2});
  for (Index t = 0; t < 40; ++t) two(t, 0) = 7, two(t, 1) = one.data()[t];
  const Array result = resample(two, 100, 60), alone = resample(one, 100, 60);
  ASSERT_EQ(result.shape(), (Shape{24, 2}));
  for (Index t = 0; t < 24; ++t) {
    EXPECT_EQ(result(t, 1), alone.data()[t]);
    EXPECT_NEAR(result(t, 0), 7, 0.01);
  }
}

TEST(Resample, a_sound_above_the_new_limit_is_gone_and_one_below_stays) {
  const auto tone = [](double frequency) {
    Array x({1000, 1});
    for (Index t = 0; t < 1000; ++t)
      x.data()[t] = static_cast<float>(
          std::sin(2 * 3.14159265358979 * frequency * static_cast<double>(t) / 1000));
    return resample(x, 1000, 100);
  };
  const auto largest = [](const Array& x) {
    float most = 0;
    for (Index t = 10; t < x.size() - 10; ++t) most = std::max(most, std::abs(x.data()[t]));
    return most;
  };
  EXPECT_LT(largest(tone(80)), 0.01f);
  EXPECT_GT(largest(tone(10)), 0.9f);
}

TEST(Resample, gaps_stay_gaps_and_do_not_spread) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Array x({40, 1});
  for (Index t = 0; t < 40; ++t) x.data()[t] = t >= 10 && t < 20 ? nan : 3;
  const Array up = resample(x, 100, 200), down = resample(x, 100, 50);
  for (Index t = 0; t < 80; ++t)
    EXPECT_EQ(std::isnan(up.data()[t]), t >= 19 && t < 39) << t;  // by the nearest step, 9.5 → 10
  for (Index t = 0; t < 20; ++t) {
    EXPECT_EQ(std::isnan(down.data()[t]), t >= 5 && t < 10) << t;
    if (t < 5) {
      EXPECT_NEAR(down.data()[t], 3, 1e-2);
    }
  }
  Array nothing({5, 1}, Floats(5, nan));
  EXPECT_TRUE(same(resample(nothing, 1, 2), Floats(10, nan)));
}

TEST(Resample, refuses_rates_without_a_ratio) {
  const auto refusal = [](double from, double to) {
    return refused_with<ArgumentError>([&] { resample(numbers(3), from, to); });
  };
  EXPECT_EQ(
      refusal(100, 314.15926535),
      "resample: from 100 to 314.15926535 Hz is no ratio of whole numbers up to 10000. Choose "
      "another rate.");
  EXPECT_EQ(refusal(0, 5), "resample: rates must be above 0, got 0 and 5 Hz.");
  EXPECT_EQ(refusal(NAN, 5), "resample: rates must be above 0, got nan and 5 Hz.");
  EXPECT_EQ(refusal(1, 1e9).substr(0, 24), "resample: from 1 to 1000");
  EXPECT_EQ(refused_with<ArgumentError>([] { resample(Array({3}), 1, 2); }),
            "resample: the signal must be (time, channels), got (3,).");
}

}  // namespace
}  // namespace sonde
