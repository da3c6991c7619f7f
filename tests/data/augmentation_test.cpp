#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sonde/augmentation.hpp>
#include <vector>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;

constexpr Index samples = 40, steps = 101, channels = 3;

/// Channel c of sample i is (c + 1) * a wave; labels are the step, weights its half.
struct Data {
  Array x{{samples, steps, channels}}, y{{samples, steps, 1}}, weights{{samples, steps}};
  Data() {
    for (Index i = 0; i < samples; ++i)
      for (Index t = 0; t < steps; ++t) {
        for (Index c = 0; c < channels; ++c)
          x(i, t, c) = static_cast<float>(static_cast<double>(c + 1) *
                                          std::sin(0.3 * static_cast<double>(t + i)));
        y(i, t, 0) = static_cast<float>(t);
        weights(i, t) = static_cast<float>(t) / 2;
      }
  }
  ArraySamples source() const { return ArraySamples({&x}, {&y}, {&weights}); }
};

/// The samples of one epoch, changed: (samples, steps, channels), with their labels and weights.
Data changed(const Data& data, const Augmentation& how, Index epoch = 0) {
  const ArraySamples source = data.source();
  const Augmented augmented(source, how);
  std::vector<float> room(static_cast<std::size_t>(augmented.room()));
  Data out;
  for (Index i = samples; i-- > 0;) {  // in any order
    const Sample s = augmented.training_sample(epoch, i, room.data());
    std::copy_n(s.x[0], steps * channels, &out.x(i, 0, 0));
    std::copy_n(s.y[0], steps, &out.y(i, 0, 0));
    std::copy_n(s.weights[0], steps, &out.weights(i, 0));
  }
  return out;
}

bool same(const Array& a, const Array& b) {
  return std::equal(a.values().begin(), a.values().end(), b.values().begin());
}

double deviation(const Data& a, const Data& b, Index channel) {
  double squares = 0;
  for (Index i = 0; i < samples; ++i)
    for (Index t = 0; t < steps; ++t) {
      const double off =
          static_cast<double>(a.x(i, t, channel)) - static_cast<double>(b.x(i, t, channel));
      squares += off * off;
    }
  return std::sqrt(squares / static_cast<double>(samples * steps));
}

TEST(Augmentation, changes_nothing_and_needs_no_room_when_off) {
  const Data data;
  const ArraySamples source = data.source();
  const Augmented off(source, {.seed = 5});
  EXPECT_EQ(off.room(), 0);
  EXPECT_EQ(off.training_sample(3, 7, nullptr).x[0], source.sample(3, 7).x[0]);
}

TEST(Augmentation, depends_on_seed_epoch_and_number_only) {
  const Data data;
  const Augmentation all{.warp = 0.3,
                         .permute = 0.5,
                         .flip = 0.5,
                         .scale = 0.3,
                         .offset = 0.2,
                         .wander = 0.3,
                         .noise = 0.1,
                         .drop = 0.2};
  const Data one = changed(data, all, 4);
  EXPECT_TRUE(same(one.x, changed(data, all, 4).x));
  EXPECT_FALSE(same(one.x, changed(data, all, 5).x));
  Augmentation other = all;
  other.seed = 1;
  EXPECT_FALSE(same(one.x, changed(data, other, 4).x));
  for (const float v : one.x.values()) ASSERT_TRUE(std::isfinite(v));
}

TEST(Augmentation, judging_sees_samples_as_they_are) {
  const Data data;
  const ArraySamples source = data.source();
  const Augmented noisy(source, {.noise = 1});
  EXPECT_EQ(noisy.sample(0, 3).x[0], source.sample(0, 3).x[0]);
}

TEST(Augmentation, noise_has_the_size_that_was_asked_for) {
  const Data data;
  const Data noisy = changed(data, {.noise = 0.25});
  for (Index c = 0; c < channels; ++c) {
    // The wave's own deviation is (c + 1) / root 2.
    const double expected = 0.25 * static_cast<double>(c + 1) / std::sqrt(2.0);
    EXPECT_NEAR(deviation(data, noisy, c) / expected, 1, 0.05);
  }
  EXPECT_TRUE(same(data.y, noisy.y));
}

TEST(Augmentation, scale_offset_and_flip_are_the_same_for_all_steps_of_a_channel) {
  const Data data;
  const Data out = changed(data, {.flip = 0.5, .scale = 0.4, .offset = 0.5});
  Index flipped = 0;
  double least = 10, most = 0;
  for (Index i = 0; i < samples; ++i) {
    int negative = 0;
    for (Index c = 0; c < channels; ++c) {
      // A line through two steps; the others must lie on it.
      const double x0 = data.x(i, 3, c), x1 = data.x(i, 9, c);
      const double slope = (static_cast<double>(out.x(i, 9, c)) - out.x(i, 3, c)) / (x1 - x0);
      const double level = static_cast<double>(out.x(i, 3, c)) - slope * x0;
      for (Index t = 0; t < steps; ++t)
        ASSERT_NEAR(out.x(i, t, c), slope * static_cast<double>(data.x(i, t, c)) + level, 2e-5);
      negative += slope < 0;
      least = std::min(least, std::abs(slope));
      most = std::max(most, std::abs(slope));
    }
    EXPECT_TRUE(negative == 0 || negative == channels) << "all channels flip together";
    flipped += negative > 0;
  }
  EXPECT_GT(flipped, 8);
  EXPECT_LT(flipped, 32);
  EXPECT_GE(least, 0.6 - 1e-4);
  EXPECT_LE(most, 1.4 + 1e-4);
  EXPECT_GT(most - least, 0.6);
}

TEST(Augmentation, wander_is_slow_and_no_larger_than_said) {
  const Data data;
  const Data out = changed(data, {.wander = 0.5, .cycles = 1});
  double most = 0;
  for (Index i = 0; i < samples; ++i)
    for (Index t = 1; t < steps; ++t) {
      const double now = static_cast<double>(out.x(i, t, 0)) - data.x(i, t, 0);
      const double before = static_cast<double>(out.x(i, t - 1, 0)) - data.x(i, t - 1, 0);
      most = std::max(most, std::abs(now));
      // One cycle in 101 steps of at most 0.5 deviations, and those are below 0.75.
      ASSERT_LE(std::abs(now - before), 0.375 * 6.3 / 101);
    }
  EXPECT_LE(most, 0.375);
  EXPECT_GT(most, 0.2);
}

TEST(Augmentation, dropped_channels_are_0_and_one_always_stays) {
  const Data data;
  const Data out = changed(data, {.drop = 1});
  std::set<Index> stayed;
  for (Index i = 0; i < samples; ++i) {
    Index alive = 0;
    for (Index c = 0; c < channels; ++c) {
      const bool zero = out.x(i, 3, c) == 0 && out.x(i, 9, c) == 0;
      if (!zero) stayed.insert(c);
      alive += !zero;
    }
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(stayed.size(), 3u);
}

TEST(Augmentation, permuted_channels_are_all_there) {
  const Data data;
  const Data out = changed(data, {.permute = 1});
  std::set<std::vector<int>> orders;
  for (Index i = 0; i < samples; ++i) {
    std::vector<int> order;
    for (Index c = 0; c < channels; ++c) {
      const double ratio = static_cast<double>(out.x(i, 5, c)) / data.x(i, 5, 0);
      order.push_back(static_cast<int>(std::lround(ratio)));
    }
    orders.insert(order);
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  }
  EXPECT_EQ(orders.size(), 6u);
}

TEST(Augmentation, labels_and_weights_are_warped_with_their_steps) {
  const Data data;
  const Data out = changed(data, {.warp = 0.3});
  double largest = 0;
  for (Index i = 0; i < samples; ++i) {
    EXPECT_EQ(out.y(i, 0, 0), 0);
    EXPECT_EQ(out.y(i, steps - 1, 0), static_cast<float>(steps - 1));
    for (Index t = 0; t < steps; ++t) {
      const float at = out.y(i, t, 0);  // the step whose label lies here
      EXPECT_EQ(out.weights(i, t), at / 2);
      EXPECT_GE(at, out.y(i, std::max<Index>(t - 1, 0), 0)) << "time runs forward";
      largest = std::max(largest, std::abs(static_cast<double>(at) - static_cast<double>(t)));
      // The signal between its neighbours.
      const auto near = static_cast<Index>(at);
      const float a = data.x(i, std::max<Index>(near - 1, 0), 0), b = data.x(i, near, 0),
                  c = data.x(i, std::min(near + 1, steps - 1), 0);
      EXPECT_GE(out.x(i, t, 0), std::min({a, b, c}) - 1e-6f);
      EXPECT_LE(out.x(i, t, 0), std::max({a, b, c}) + 1e-6f);
    }
  }
  EXPECT_GT(largest, 3);
  EXPECT_LT(largest, 0.3 * 100 / 3.14 + 1);
}

TEST(Augmentation, serves_one_step_and_one_channel) {
  const Array x({2, 1, 1}), y({2, 1, 1});
  const ArraySamples source({&x}, {&y});
  const Augmented all(source, {.warp = 0.5,
                               .permute = 1,
                               .flip = 1,
                               .scale = 0.5,
                               .offset = 1,
                               .wander = 1,
                               .noise = 1,
                               .drop = 1});
  std::vector<float> room(static_cast<std::size_t>(all.room()));
  EXPECT_EQ(*all.training_sample(0, 1, room.data()).x[0], 0) << "nothing varies";
}

TEST(Augmentation, refuses_what_makes_no_sense) {
  const Data data;
  const ArraySamples source = data.source();
  const auto refused = [&](const Augmentation& how) {
    return refused_with<ArgumentError>([&] { Augmented augmented(source, how); });
  };
  EXPECT_EQ(refused({.warp = 1}), "augmentation: warp must be at least 0 and below 1, got 1.");
  EXPECT_EQ(refused({.drop = 1.5}), "augmentation: drop must be a probability in [0, 1], got 1.5.");
  EXPECT_EQ(refused({.noise = -1}), "augmentation: noise must be finite and at least 0, got -1.");
  EXPECT_NE(refused({.wander = std::nan("")}), "");
  EXPECT_EQ(refused({.cycles = 0}), "augmentation: cycles must be positive, got 0.");
  const Array one({samples, 1});
  const ArraySamples whole({&data.x}, {&one});
  EXPECT_EQ(refused_with<ArgumentError>([&] { Augmented augmented(whole, {.warp = 0.1}); }),
            "augmentation: warp moves labels with the steps of the signal (101, 3), and target 0 "
            "is (1,). Leave it out.");
  EXPECT_NO_THROW(Augmented(whole, {.noise = 0.1}));
}

TEST(Augmentation, is_a_table_of_its_fields) {
  const Augmentation how{.warp = 0.1, .noise = 0.05, .seed = 3};
  Augmentation back;
  read_config(to_config(how), "augmentation", back);
  EXPECT_EQ(back, how);
}

TEST(Augmentation, stretch_shows_a_part_of_the_sample_faster_or_slower) {
  const Data data;
  const ArraySamples source = data.source();
  const Augmented augmented(source, {.stretch = 0.25});
  EXPECT_EQ(augmented.inputs()[0], (Shape{81, channels}));
  EXPECT_EQ(augmented.targets()[0], (Shape{81, 1}));
  EXPECT_EQ(augmented.weights(0), 81);
  std::vector<float> room(static_cast<std::size_t>(augmented.room()));
  double slowest = 9, fastest = 0;
  for (Index i = 0; i < samples; ++i) {
    const Sample s = augmented.training_sample(0, i, room.data());
    const float first = s.y[0][0], last = s.y[0][80];
    EXPECT_GE(first, 0);
    EXPECT_LE(last, 100);
    const double speed = static_cast<double>(last - first) / 80;
    slowest = std::min(slowest, speed), fastest = std::max(fastest, speed);
    for (Index t = 0; t < 81; ++t) {
      EXPECT_EQ(s.weights[0][t], s.y[0][t] / 2);
      // Labels are those of the nearest step of the line on which the signal runs.
      EXPECT_NEAR(static_cast<double>(s.y[0][t]),
                  static_cast<double>(first) + speed * static_cast<double>(t), 1.01);
      const double place = static_cast<double>(s.y[0][t]);
      EXPECT_NEAR(static_cast<double>(s.x[0][t * channels]),
                  std::sin(0.3 * (place + static_cast<double>(i))), 0.3 * 0.51 + 0.012);
    }
  }
  EXPECT_LT(slowest, 0.85);
  EXPECT_GE(slowest, 0.74);
  EXPECT_GT(fastest, 1.15);
  EXPECT_LE(fastest, 1.26);
  for (const Index wanted : {1, 2, 81, 126, 251, 400, 501, 799, 1001})
    for (const double stretch : {0.0, 0.07, 0.072, 0.1, 0.25, 0.9}) {
      const Index needed = steps_needed(wanted, {.stretch = stretch});
      const Array x({1, needed, 1}), y({1, needed, 1});
      const ArraySamples one({&x}, {&y}, {});
      EXPECT_EQ(Augmented(one, {.stretch = stretch, .noise = 0.1}).inputs()[0][0], wanted)
          << wanted << " " << stretch;
    }
  EXPECT_EQ(refused_with<ArgumentError>([&] { Augmented(source, {.stretch = 1}); }),
            "augmentation: stretch must be at least 0 and below 1, got 1.");
}

Recording one_channel(const std::string& name, std::vector<float> values,
                      std::vector<float> weights) {
  const auto time = static_cast<Index>(values.size());
  Recording made;
  made.name = name, made.group = "ann";
  if (name != "alone") made.whole = name.substr(0, 1);
  made.signal = Array({time, 1}, std::move(values));
  made.labels = Array({time, 1});
  made.weights = Array({time}, std::move(weights));
  return made;
}

TEST(Mixtures, of_channels_that_were_recorded_together) {
  const std::vector<Recording> leads = {
      one_channel("1/a", {1, 0, 3}, {1, 1, 0}), one_channel("1/C3/A2", {0, 1, 4}, {1, 1, 1}),
      one_channel("2/a", {5, 5}, {1, 1}), one_channel("alone", {5, 5}, {1, 1})};
  const std::vector<Recording> mixed = mixtures(leads, 20, 3);
  ASSERT_EQ(mixed.size(), 20u);
  bool turned = false, upright = false;
  for (const Recording& each : mixed) {
    const float a = each.signal.data()[0], b = each.signal.data()[1];  // the two factors
    EXPECT_NEAR(static_cast<double>(a * a + b * b), 1, 1e-6);
    EXPECT_FLOAT_EQ(each.signal.data()[2], 3 * a + 4 * b);
    EXPECT_EQ(each.weights.data()[1], 1);
    EXPECT_EQ(each.weights.data()[2], 0);
    EXPECT_EQ(each.group, "ann");
    (a < 0 ? turned : upright) = true;
  }
  EXPECT_TRUE(turned && upright);
  EXPECT_EQ(mixed[0].name, "1/mixed-1");
  std::vector<Recording> apart = {leads[0], leads[1]};
  apart[1].labels = Array({3, 1}, std::vector<float>{0, 2, 0});
  EXPECT_EQ(mixtures(apart, 1)[0].weights.data()[0], 1);
  EXPECT_EQ(mixtures(apart, 1)[0].weights.data()[1], 0) << "they say different things there";
  apart[1].weights = Array({3});
  EXPECT_TRUE(mixtures(apart, 1).empty());
  EXPECT_EQ(mixtures(leads, 2, 3)[1].signal.data()[0], mixed[1].signal.data()[0]);
  EXPECT_NE(mixtures(leads, 2, 4)[1].signal.data()[0], mixed[1].signal.data()[0]);
}

}  // namespace
}  // namespace sonde
