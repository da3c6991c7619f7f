#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sonde/recordings.hpp>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

Recording recording(Shape shape, const std::vector<float>& values) {
  Recording found;
  found.name = "a";
  found.signal = Array(std::move(shape), values);
  return found;
}

// numpy: numpy.concatenate of both, mean(0) and std(0).
TEST(Normalizer, takes_mean_and_deviation_over_all_recordings) {
  const std::vector<Recording> recordings = {recording({2, 2}, {1, 10, 2, 20}),
                                             recording({3, 2}, {4, 10, 8, 20, 5, 90})};
  const Normalizer scale = fit_normalizer(recordings);
  EXPECT_NEAR(scale.center[0], 4.0, 1e-12);
  EXPECT_NEAR(scale.center[1], 30.0, 1e-12);
  EXPECT_NEAR(scale.scale[0], 2.449489742783178, 1e-12);
  EXPECT_NEAR(scale.scale[1], 30.331501776206203, 1e-12);
  Array signal({1, 2}, std::vector<float>{4, 90});
  scale.apply(signal);
  EXPECT_EQ(signal(0, 0), 0);
  EXPECT_FLOAT_EQ(signal(0, 1), 1.9781415f);
}

TEST(Normalizer, keeps_its_digits_far_from_zero) {
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) values.push_back(1e6f + static_cast<float>(i % 2));
  const std::vector<Recording> recordings = {recording({1000, 1}, values)};
  EXPECT_NEAR(fit_normalizer(recordings).scale[0], 0.5, 1e-12);
}

TEST(Normalizer, leaves_values_that_are_not_finite_alone) {
  const float infinite = std::numeric_limits<float>::infinity();
  const std::vector<Recording> recordings = {recording({5, 1}, {1, nan, 3, infinite, -infinite})};
  const Normalizer scale = fit_normalizer(recordings);
  EXPECT_EQ(scale.center[0], 2);
  EXPECT_EQ(scale.scale[0], 1);
  Array signal = recordings[0].signal;
  scale.apply(signal);
  EXPECT_EQ(signal(0, 0), -1);
  EXPECT_TRUE(std::isnan(signal(1, 0)));
  EXPECT_EQ(signal(3, 0), infinite);
}

TEST(Normalizer, only_moves_a_channel_that_never_changes) {
  const std::vector<Recording> recordings = {recording({3, 2}, {7, nan, 7, nan, 7, nan})};
  for (const Scaling scaling :
       {Scaling::per_channel, Scaling::per_recording_robust, Scaling::per_channel_robust,
        Scaling::per_recording_range, Scaling::per_recording_detrended}) {
    Array signal = recordings[0].signal;
    fit_normalizer(recordings, scaling, 3).apply(signal);
    EXPECT_EQ(signal(1, 0), 0);
    EXPECT_TRUE(std::isnan(signal(1, 1)));
  }
}

// sklearn.preprocessing.RobustScaler().fit([[0], [0], [0], [5], [0]]).scale_ is [1.].
TEST(Normalizer, only_moves_a_channel_whose_quartiles_are_the_same_and_says_which) {
  const std::vector<float> values = {2, 1, 0, 2, 2, 5, 2, 7,
                                     5, 2, 3, 0, 2, 4, 5};  // three channels
  const std::vector<Recording> recordings = {recording({5, 3}, values)};
  for (const Scaling scaling : {Scaling::per_recording_robust, Scaling::per_channel_robust}) {
    EXPECT_EQ(unscaled_channels(recordings, scaling), std::vector<Index>{});
    std::vector<Recording> resting = recordings;
    for (const Index t : {0, 1, 2, 3}) resting[0].signal(t, 1) = 8;
    for (const Index t : {0, 1, 2, 3, 4}) resting[0].signal(t, 2) = 8;  // never changes
    EXPECT_EQ(unscaled_channels(resting, scaling), std::vector<Index>{1});
    Array signal = resting[0].signal;
    fit_normalizer(resting, scaling).apply(signal);
    EXPECT_EQ(signal(0, 1), 0);
    EXPECT_EQ(signal(4, 1), values[13] - 8);
  }
  // The range sees the one value that quartiles do not.
  std::vector<float> rests(100, 1.0f);
  rests[3] = rests[4] = rests[5] = 2;
  const std::vector<Recording> rare = {recording({100, 1}, rests)};
  EXPECT_EQ(unscaled_channels(rare, Scaling::per_recording_range), std::vector<Index>{});
  EXPECT_EQ(unscaled_channels(rare, Scaling::per_recording_robust), std::vector<Index>{0});
  EXPECT_EQ(unscaled_channels(rare, Scaling::per_channel), std::vector<Index>{});
  rests[4] = rests[5] = 1;
  const std::vector<Recording> rarest = {recording({100, 1}, rests)};
  EXPECT_EQ(unscaled_channels(rarest, Scaling::per_recording_range), std::vector<Index>{0});
}

// numpy.quantile([3, 1, 10, 2], [.25, .5, .75]) is [1.75, 2.5, 4.75].
TEST(Normalizer, scales_each_recording_by_its_own_median_and_quartiles) {
  const Normalizer scale = fit_normalizer({}, Scaling::per_recording_robust);
  Array signal({4, 1}, std::vector<float>{3, 1, 10, 2});
  scale.apply(signal);
  EXPECT_FLOAT_EQ(signal(0, 0), 0.5f / 3 * 1.3489795f);
  EXPECT_FLOAT_EQ(signal(2, 0), 7.5f / 3 * 1.3489795f);
}

// numpy.quantile([3, 1, 10, 2], [.02, .5, .98]) is [1.06, 2.5, 9.58]; of a normal distribution they
// lie 4.107498 deviations apart (statistics.NormalDist().inv_cdf(0.98) * 2).
TEST(Normalizer, scales_each_recording_by_its_own_median_and_range) {
  const Normalizer scale = fit_normalizer({}, Scaling::per_recording_range);
  Array signal({4, 1}, std::vector<float>{3, 1, 10, 2});
  scale.apply(signal);
  EXPECT_FLOAT_EQ(signal(0, 0), 0.5f / 8.52f * 4.107498f);
  EXPECT_FLOAT_EQ(signal(2, 0), 7.5f / 8.52f * 4.107498f);
}

// pandas: Series(x) - Series(x).rolling(3, center=True, min_periods=1).mean() is [1, -1, NaN, 4,
// -3.333333, 1]; numpy.nanquantile of that at .02, .5 and .98 is [-3.146667, 1, 3.76].
TEST(Normalizer, detrended_takes_the_moving_mean_away_before_it_scales) {
  const Normalizer scale = fit_normalizer({}, Scaling::per_recording_detrended, 3);
  Array signal({6, 1}, std::vector<float>{3, 1, nan, 10, 2, 4});
  scale.apply(signal);
  EXPECT_TRUE(std::isnan(signal(2, 0)));
  EXPECT_NEAR(signal(0, 0), 0, 1e-6);
  EXPECT_NEAR(signal(1, 0), -1.18942987, 1e-6);
  EXPECT_NEAR(signal(3, 0), 1.78414481, 1e-6);
  EXPECT_NEAR(signal(4, 0), -2.57709805, 1e-6);
}

TEST(Normalizer, detrended_sees_waves_whose_baseline_wanders_further_than_they_are_high) {
  // One wave of 10 steps in 100, on a slow sine that is 50 times as high.
  std::vector<float> waves, wandering;
  for (int t = 0; t < 4000; ++t) {
    waves.push_back(t % 100 < 10 ? 1.0f : 0.0f);
    wandering.push_back(waves.back() + 50 * static_cast<float>(std::sin(t * 0.0015)));
  }
  const auto scaled = [&](const std::vector<float>& values, Scaling scaling) {
    Array signal({4000, 1}, values);
    fit_normalizer({}, scaling, 100).apply(signal);
    return signal(2005, 0) - signal(2050, 0);  // how high a wave is
  };
  const float high = scaled(waves, Scaling::per_recording_detrended);
  EXPECT_GT(high, 3);
  EXPECT_NEAR(scaled(wandering, Scaling::per_recording_detrended), high, 0.2f * high);
  EXPECT_LT(scaled(wandering, Scaling::per_recording_range), 0.05f * high);
}

TEST(Normalizer, detrended_and_running_need_a_length) {
  const std::vector<Recording> recordings = {recording({2, 1}, {1, 2})};
  const auto message = [&](Scaling scaling, double steps) {
    return refused_with<ArgumentError>([&] { fit_normalizer(recordings, scaling, steps); });
  };
  EXPECT_PRED2(says, message(Scaling::running, 0.5), "needs at least 1 step, got 0.5");
  EXPECT_PRED2(says, message(Scaling::per_recording_detrended, 1), "needs at least 2 steps, got 1");
  Array few({2, 1}, std::vector<float>{1, 3});
  fit_normalizer({}, Scaling::per_recording_detrended, 1e300).apply(few);
  EXPECT_EQ(few(0, 0), -few(1, 0)) << "a mean longer than the recording is that of all of it";
}

TEST(Normalizer, detrended_takes_the_mean_of_each_window_at_any_length) {
  for (const Index steps : {1, 2, 5, 6, 7, 13, 50})
    for (const Index reach : {1, 2, 3, 8}) {
      Array signal({steps, 1}), expected({steps, 1});
      for (Index t = 0; t < steps; ++t)
        signal(t, 0) = t % 6 == 4 ? nan : static_cast<float>((t * t) % 11);
      for (Index t = 0; t < steps; ++t) {
        double sum = 0, count = 0;
        for (Index i = std::max<Index>(t - reach, 0); i < std::min(t + reach + 1, steps); ++i)
          if (std::isfinite(signal(i, 0))) sum += static_cast<double>(signal(i, 0)), ++count;
        expected(t, 0) = signal(t, 0) - static_cast<float>(count > 0 ? sum / count : 0);
      }
      fit_normalizer({}, Scaling::per_recording_range).apply(expected);
      fit_normalizer({}, Scaling::per_recording_detrended, static_cast<double>(2 * reach))
          .apply(signal);
      for (Index t = 0; t < steps; ++t) {
        EXPECT_EQ(std::isnan(signal(t, 0)), std::isnan(expected(t, 0)));
        if (std::isfinite(expected(t, 0))) {
          EXPECT_NEAR(signal(t, 0), expected(t, 0), 1e-5) << steps << " " << reach << " " << t;
        }
      }
    }
}

TEST(Normalizer, detrended_forgets_a_monstrous_value_once_it_is_out_of_reach) {
  std::vector<float> values;
  for (int t = 0; t < 400; ++t) values.push_back(1e6f * static_cast<float>(1 + t % 2));
  Array clean({400, 1}, values);
  values[7] = 3e38f;
  Array spoiled({400, 1}, values);
  const Normalizer scale = fit_normalizer({}, Scaling::per_recording_detrended, 20);
  scale.apply(clean);
  scale.apply(spoiled);
  for (Index t = 100; t < 390; ++t)
    EXPECT_EQ(spoiled(t, 0) > 0, clean(t, 0) > 0) << "the baseline is gone again, " << t;
}

// numpy.quantile([3, 1, 10, 2, 4], [.25, .5, .75]) is [2, 3, 4].
TEST(Normalizer, takes_median_and_quartiles_over_all_recordings) {
  const std::vector<Recording> recordings = {recording({2, 1}, {3, 1}),
                                             recording({3, 1}, {10, 2, 4})};
  const Normalizer scale = fit_normalizer(recordings, Scaling::per_channel_robust);
  EXPECT_EQ(scale.center, std::vector<double>{3});
  EXPECT_NEAR(scale.scale[0], 2 / 1.3489795003921634, 1e-12);
  Array signal({1, 1}, std::vector<float>{5});
  scale.apply(signal);
  EXPECT_FLOAT_EQ(signal(0, 0), 1.3489795f);
}

// numpy: x[:t + 1].mean() and .std() for the first 4 steps; then pandas'
// ewm(alpha=0.25, adjust=False), begun with them.
TEST(Normalizer, running_sees_only_what_came_before) {
  const std::vector<float> x = {3, 5, 4, 9, -2, 6, 7, 7.5};
  const std::vector<Recording> recordings = {recording({8, 1}, x)};
  const Normalizer scale = fit_normalizer(recordings, Scaling::running, 4);
  Array signal = recordings[0].signal;
  scale.apply(signal);
  EXPECT_EQ(signal(0, 0), 0);                 // (3 - 3) / …
  EXPECT_FLOAT_EQ(signal(1, 0), 1);           // (5 - 4) / 1
  EXPECT_FLOAT_EQ(signal(2, 0), 0);           // (4 - 4) / …
  EXPECT_FLOAT_EQ(signal(3, 0), 1.6464639f);  // (9 - 5.25) / 2.2776084
  // mean 5.25 - 7.25 / 4 = 3.4375; variance 0.75 * (5.1875 + 0.25 * 7.25²) = 13.746094
  EXPECT_FLOAT_EQ(signal(4, 0), static_cast<float>((-2 - 3.4375) / std::sqrt(13.74609375)));

  Array changed({8, 1}, x);
  changed(7, 0) = 1000;
  scale.apply(changed);
  for (Index t = 0; t < 7; ++t) EXPECT_EQ(changed(t, 0), signal(t, 0)) << t;

  RunningScale stream(scale);
  for (Index t = 0; t < 8; ++t) {
    float value = x[static_cast<std::size_t>(t)];
    stream.push({&value, 1});
    EXPECT_EQ(value, signal(t, 0)) << t;
  }
}

TEST(Normalizer, running_forgets_what_a_recorder_adds) {
  std::vector<float> values, moved;
  for (int t = 0; t < 2000; ++t) {
    values.push_back(static_cast<float>((t * 37) % 11));
    moved.push_back(values.back() * 8 + 5000);
  }
  const std::vector<Recording> recordings = {recording({2000, 1}, values)};
  const Normalizer scale = fit_normalizer(recordings, Scaling::running, 100);
  Array signal = recordings[0].signal, other({2000, 1}, moved);
  scale.apply(signal);
  scale.apply(other);
  for (Index t = 100; t < 2000; ++t) ASSERT_NEAR(signal(t, 0), other(t, 0), 1e-3) << t;
}

TEST(Normalizer, running_stays_finite_on_a_flat_line_and_steps_over_gaps) {
  const std::vector<Recording> recordings = {recording({4, 1}, {1, 2, 3, 4})};
  const Normalizer scale = fit_normalizer(recordings, Scaling::running, 10);
  Array signal({5, 1}, std::vector<float>{7, 7, nan, 7, 8});
  scale.apply(signal);
  EXPECT_EQ(signal(1, 0), 0);
  EXPECT_TRUE(std::isnan(signal(2, 0)));
  EXPECT_EQ(signal(3, 0), 0);
  EXPECT_FLOAT_EQ(signal(4, 0), 0.75f / std::sqrt(3.0f / 16));
  EXPECT_EQ(fill_missing(signal), 1);
  EXPECT_EQ(signal(2, 0), 0);
  EXPECT_EQ(fill_missing(signal), 0);
}

TEST(Normalizer, running_needs_to_know_what_to_forget) {
  const std::vector<Recording> recordings = {recording({2, 1}, {1, 2})};
  EXPECT_PRED2(says,
               refused_with<ArgumentError>([&] { fit_normalizer(recordings, Scaling::running); }),
               "normalizer: running needs at least 1 step, got 0");
}

TEST(Normalizer, survives_the_way_through_its_fields) {
  const Normalizer scale{.scaling = Scaling::per_channel, .center = {0.1, -2}, .scale = {3, 1e-3}};
  const Normalizer back = from_config<Normalizer>(to_config(scale), "model");
  EXPECT_TRUE(same_fields(scale, back));
}

TEST(Normalizer, refuses_another_number_of_channels) {
  const std::vector<Recording> recordings = {recording({2, 2}, {1, 2, 3, 4})};
  Array other({2, 3});
  EXPECT_EQ(refused_with<DataError>([&] { fit_normalizer(recordings).apply(other); }),
            "normalizer: expected a signal (time, 2), got (2, 3).");
  const std::vector<Recording> mixed = {recording({2, 2}, {1, 2, 3, 4}), recording({2, 1}, {1, 2})};
  EXPECT_PRED2(says, refused_with<DataError>([&] { fit_normalizer(mixed); }),
               "recording \"a\": expected a signal (time, 2)");
  EXPECT_PRED2(says, refused_with<DataError>([] { fit_normalizer({}); }),
               "there are no recordings to fit on");
}

}  // namespace
}  // namespace sonde
