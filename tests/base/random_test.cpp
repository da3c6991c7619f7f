#include "base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace sonde {
namespace {

struct Moments {
  double mean = 0, deviation = 0, smallest = 1e9, largest = -1e9;
};

template <class F>
Moments moments(int n, F&& draw) {
  Moments m;
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const double x = draw(static_cast<std::uint64_t>(i));
    sum += x;
    squares += x * x;
    m.smallest = std::min(m.smallest, x);
    m.largest = std::max(m.largest, x);
  }
  m.mean = sum / n;
  m.deviation = std::sqrt(squares / n - m.mean * m.mean);
  return m;
}

// The known answers of the Random123 distribution (kat_vectors, philox4x32 10).
TEST(Random, philox_gives_the_published_answers) {
  using Words = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// Fowler, Noll, Vo: draft-eastlake-fnv, test vectors of FNV-1a 64.
TEST(Random, hash_name_is_fnv_1a) {
  EXPECT_EQ(hash_name(""), 0xcbf29ce484222325);
  EXPECT_EQ(hash_name("a"), 0xaf63dc4c8601ec8c);
  EXPECT_EQ(hash_name("foobar"), 0x85944171f73967e8);
}

TEST(Random, uniform_has_the_moments_of_a_uniform) {
  const auto m = moments(100000, [](auto i) { return uniform({1, 2}, i); });
  EXPECT_NEAR(m.mean, 0.5, 0.004);  // four standard errors
  EXPECT_NEAR(m.deviation, std::sqrt(1 / 12.0), 0.003);
  EXPECT_GE(m.smallest, 0);
  EXPECT_LT(m.largest, 1);
  EXPECT_LT(m.smallest, 1e-4);
  EXPECT_GT(m.largest, 1 - 1e-4);
}

TEST(Random, fill_uniform_gives_the_same_bits_from_any_start) {
  const RandomKey key = random_key(7, "dropout");
  constexpr std::uint64_t carry = (std::uint64_t{1} << 34) - 20;  // where the block passes 2^32
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2},
                                    std::uint64_t{3}, std::uint64_t{1000003}, carry}) {
    for (std::size_t n : {0, 1, 3, 4, 11, 32, 35, 131}) {
      std::vector<float> filled(n);
      fill_uniform(key, first, filled);
      for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(filled[i], uniform(key, first + i));
    }
  }
}

TEST(Random, positions_beyond_32_bits_are_their_own) {
  const RandomKey key{3, 4};
  EXPECT_NE(uniform(key, 5), uniform(key, 5 + (std::uint64_t{1} << 32)));
  EXPECT_NE(uniform(key, 5), uniform(key, 5 + (std::uint64_t{1} << 34)));
}

TEST(Random, every_part_of_a_key_matters) {
  std::set<float> seen;
  for (const RandomKey key :
       {RandomKey{1, 1}, RandomKey{1, 2}, RandomKey{2, 1}, RandomKey{std::uint64_t{1} << 40, 1},
        RandomKey{1, std::uint64_t{1} << 40}, random_part({1, 1}, 0), random_part({1, 1}, 1),
        random_part({1, 2}, 0)})
    seen.insert(uniform(key, 0));
  EXPECT_EQ(seen.size(), 8u);
}

// Wichura (1988), section "Test data"; the last two from tables of the normal distribution.
TEST(Random, normal_quantile_gives_the_published_answers) {
  EXPECT_NEAR(normal_quantile(0.25), -0.6744897501960817, 1e-15);
  EXPECT_NEAR(normal_quantile(0.001), -3.090232306167814, 2e-15);
  EXPECT_NEAR(normal_quantile(1e-20), -9.262340089798408, 1e-14);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-15);
  EXPECT_EQ(normal_quantile(0.5), 0);
}

TEST(Random, normal_quantile_inverts_the_error_function) {
  for (double p = 1e-12; p < 1; p *= 1.37)
    EXPECT_NEAR(0.5 * std::erfc(-normal_quantile(p) / std::sqrt(2.0)) / p, 1, 2e-13) << p;
}

TEST(Random, normal_has_the_moments_of_a_normal) {
  const auto m = moments(100000, [](auto i) { return normal({5, 6}, i); });
  EXPECT_NEAR(m.mean, 0, 0.013);
  EXPECT_NEAR(m.deviation, 1, 0.009);
  EXPECT_GT(m.largest, 3.7);
  EXPECT_LT(m.smallest, -3.7);
}

TEST(Random, truncated_normal_stays_within_two_and_has_the_known_deviation) {
  const auto m = moments(100000, [](auto i) { return truncated_normal({5, 6}, i); });
  EXPECT_NEAR(m.mean, 0, 0.012);
  EXPECT_NEAR(m.deviation, 0.87962566103423978, 0.008);  // the constant in Keras' VarianceScaling
  EXPECT_LE(m.largest, 2);
  EXPECT_GE(m.smallest, -2);
  EXPECT_GT(m.largest, 1.999);
}

TEST(Random, shuffled_is_a_permutation_that_changes_with_the_epoch_and_the_key) {
  const auto order = shuffled(476, {1, 2}, 0);
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (Index i = 0; i < 476; ++i) EXPECT_EQ(sorted[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(order, shuffled(476, {1, 2}, 0));
  EXPECT_NE(order, sorted);
  EXPECT_NE(order, shuffled(476, {1, 2}, 1));
  EXPECT_NE(order, shuffled(476, {1, 3}, 0));
  EXPECT_NE(order, shuffled(476, {2, 2}, 0));
}

TEST(Random, shuffled_knows_the_empty_and_the_single) {
  EXPECT_TRUE(shuffled(0, {}, 0).empty());
  EXPECT_EQ(shuffled(1, {}, 9), std::vector<Index>{0});
}

TEST(Random, shuffled_puts_everything_everywhere_equally_often) {
  constexpr int n = 5, epochs = 5000;
  int counts[n][n] = {};
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const auto order = shuffled(n, {11, 12}, static_cast<std::uint64_t>(epoch));
    for (int i = 0; i < n; ++i) ++counts[i][order[static_cast<std::size_t>(i)]];
  }
  double chi2 = 0;
  for (const auto& row : counts)
    for (const int count : row) chi2 += std::pow(count - epochs / n, 2) / (epochs / n);
  EXPECT_LT(chi2, 39.3);  // 99.9 % of chi² with 16 degrees of freedom
}

}  // namespace
}  // namespace sonde
