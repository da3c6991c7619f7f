#include "report/pyramid.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "report/viewer.hpp"

namespace sonde::report {
namespace {

std::vector<float> noise(std::size_t size) {
  std::vector<float> values(size);
  std::uint32_t state = 7;
  for (float& v : values)
    v = static_cast<float>((state = state * 1664525 + 1013904223) >> 9) - 4e6f;
  return values;
}

TEST(Pyramid, every_block_has_its_least_and_largest_value_for_any_size) {
  for (const std::size_t size : {0u, 1u, 2u, 2047u, 2048u, 2049u, 7919u, 32768u, 32769u, 65537u}) {
    const std::vector<float> values = noise(size);
    const std::vector<Level> levels = pyramid(values);
    ASSERT_EQ(levels.empty(), size <= 2048) << size;
    Index block = 16;
    for (const Level& level : levels) {
      ASSERT_EQ(level.block, block);
      const auto width = static_cast<std::size_t>(block);
      ASSERT_EQ(level.low.size(), (size + width - 1) / width) << size;
      for (std::size_t b = 0; b < level.low.size(); ++b) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(b * width);
        const auto end =
            values.begin() + static_cast<std::ptrdiff_t>(std::min(size, (b + 1) * width));
        ASSERT_EQ(level.low[b], *std::min_element(begin, end)) << size << " block " << b;
        ASSERT_EQ(level.high[b], *std::max_element(begin, end)) << size << " block " << b;
      }
      block *= 8;
    }
    EXPECT_TRUE(levels.empty() || levels.back().low.size() <= 2048);
  }
}

TEST(Pyramid, leaves_out_what_is_no_number) {
  std::vector<float> values(4000, std::numeric_limits<float>::quiet_NaN());
  values[17] = 3;
  values[18] = std::numeric_limits<float>::infinity();
  values[20] = -2;
  const Level level = pyramid(values).front();
  EXPECT_TRUE(std::isnan(level.low[0]) && std::isnan(level.high[0]));
  EXPECT_EQ(level.low[1], -2);
  EXPECT_EQ(level.high[1], 3);
}

TEST(Packing, sixteen_bits_hold_a_signal_to_a_65534th_of_its_range) {
  // -1, 0 and 3 by hand: offset 1, scale 4 / 65534.
  const std::vector<float> values = {-1, 3, std::numeric_limits<float>::quiet_NaN()};
  const Packing packing = packing_for(values);
  EXPECT_EQ(packing.name(), "i16");
  EXPECT_DOUBLE_EQ(packing.offset, 1);
  EXPECT_DOUBLE_EQ(packing.scale, 4.0 / 65534);
  EXPECT_EQ(packed(values, packing), "AYD/fwCA");  // 01 80, ff 7f, 00 80
}

TEST(Packing, keeps_floats_where_an_outlier_would_flatten_the_rest) {
  std::vector<float> values = noise(5000);
  values[99] = 1e12f;
  EXPECT_EQ(packing_for(values).name(), "f32");
  const std::vector<float> one = {1.0f};
  EXPECT_EQ(packed(one, {.type = Packing::Type::float32}), "AACAPw==");  // 00 00 80 3f
}

TEST(Packing, survives_signals_that_never_change_and_signals_without_numbers) {
  EXPECT_EQ(packed(std::vector<float>{5, 5}, packing_for(std::vector<float>{5, 5})), "AAAAAA==");
  const std::vector<float> none(3, std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(packed(none, packing_for(none)), "AIAAgACA");
  EXPECT_EQ(packed(std::vector<float>{}, packing_for({})), "");
}

TEST(Packing, probabilities_take_one_byte) {
  // 0, 127, 254, and 255 for what is unknown; what lies outside is brought inside.
  const std::vector<float> p = {0, 0.5f, 1, std::numeric_limits<float>::quiet_NaN(), 1.5f, -1};
  EXPECT_EQ(packed(p, packing_of_probabilities()), "AH/+//4A");
}

TEST(Runs, hold_every_change_of_label_and_the_stretches_without_one) {
  const std::vector<Index> labels = {2, 2, 0, 0, 0, 1};
  const std::vector<float> weights = {1, 1, 1, 0, 0, 1};
  const Runs runs = runs_of(labels, weights);
  EXPECT_EQ(runs.starts, (std::vector<std::uint32_t>{0, 2, 3, 5}));
  EXPECT_EQ(runs.values, (std::vector<std::uint8_t>{2, 0, Runs::none, 1}));
  EXPECT_EQ(runs.grid, 1);
  EXPECT_TRUE(runs_of({}).starts.empty());
}

TEST(Runs, are_coarser_where_they_would_be_too_many) {
  std::vector<Index> labels(64);
  for (std::size_t t = 0; t < labels.size(); ++t) labels[t] = t < 32 ? t % 2 : 1 + (t % 4 == 0);
  const Runs runs = runs_of(labels, {}, 4);
  EXPECT_EQ(runs.grid, 2);  // of 0 and 1 the smaller one, of (2, 1) likewise
  EXPECT_EQ(runs.starts, (std::vector<std::uint32_t>{0, 32}));
  EXPECT_EQ(runs.values, (std::vector<std::uint8_t>{0, 1}));
}

}  // namespace
}  // namespace sonde::report
