#include <cstdlib>

#include "support.hpp"

namespace sonde::kernels {
namespace {

using Array = void (*)(Index, const float*, float*);
using Truth = double (*)(double);

double true_sigmoid(double z) { return 1 / (1 + std::exp(-z)); }
double true_softplus(double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))); }

/// The worst error over the floats from `low` to `high` with a normal result: each one with
/// SONDE_FULL_SWEEP set, else one of 257.
double sweep(Array function, Truth truth, float low, float high) {
  const std::uint64_t stride = std::getenv("SONDE_FULL_SWEEP") ? 1 : 257;
  constexpr Index block = 4096;
  Buffer<float> z(block), y(block);
  double worst = 0;
  float worst_z = 0;
  const auto check = [&](Index n) {
    function(n, z.data(), y.data());
    for (Index i = 0; i < n; ++i) {
      const double want = truth(static_cast<double>(z[i]));
      if (std::abs(want) < std::numeric_limits<float>::min()) continue;
      const double error = ulp_error(y[i], want);
      if (!(error <= worst)) worst = error, worst_z = z[i];
    }
  };
  Index filled = 0;
  for (std::uint64_t bits = 0; bits < std::uint64_t(1) << 32; bits += stride) {
    const auto word = static_cast<std::uint32_t>(bits);
    float value;
    std::memcpy(&value, &word, 4);
    if (!(value >= low && value <= high)) continue;
    z[filled++] = value;
    if (filled == block) check(block), filled = 0;
  }
  check(filled);
  std::printf("    worst %.3f ULP at %.9g\n", worst, static_cast<double>(worst_z));
  return worst;
}

TEST(VectorMathematics, ExpIsWithin1_1Ulp) { EXPECT_LE(sweep(exp, std::exp, -200.0f, 88.7f), 1.1); }
TEST(VectorMathematics, LogIsWithin1Ulp) { EXPECT_LE(sweep(log, std::log, 0.0f, 3.4e38f), 1.0); }
TEST(VectorMathematics, SigmoidIsWithin2_5Ulp) {
  EXPECT_LE(sweep(sigmoid, true_sigmoid, -87.0f, 3e38f), 2.5);
}
TEST(VectorMathematics, TanhIsWithin3Ulp) { EXPECT_LE(sweep(tanh, std::tanh, -3e38f, 3e38f), 3.0); }
TEST(VectorMathematics, SoftplusIsWithin2Ulp) {
  EXPECT_LE(sweep(softplus, true_softplus, -3e38f, 3e38f), 2.0);
}

TEST(VectorMathematics, LimitsAreReachedAndNanStaysNan) {
  const float inf = INFINITY;
  Buffer<float> z(6), y(6);
  const float special[] = {-inf, inf, NAN, 0.0f, -1000.0f, 1000.0f};
  for (Index i = 0; i < 6; ++i) z[i] = special[i];
  const auto expect = [&](Array function, const float(&want)[6]) {
    function(6, z.data(), y.data());
    for (Index i = 0; i < 6; ++i) {
      if (std::isnan(want[i])) {
        EXPECT_TRUE(std::isnan(y[i])) << "at " << z[i];
      } else {
        EXPECT_NEAR(y[i], want[i], 1e-37) << "at " << z[i];
      }
    }
  };
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    SCOPED_TRACE(level_name(level));
    exp(6, z.data(), y.data());
    EXPECT_EQ(y[1], inf);
    EXPECT_EQ(y[5], inf);
    z[1] = z[5] = 80.0f;
    exp(6, z.data(), y.data());
    EXPECT_EQ(y[0], 0.0f);
    EXPECT_EQ(y[4], 0.0f);
    EXPECT_EQ(y[3], 1.0f);
    EXPECT_TRUE(std::isnan(y[2]));
    z[1] = inf, z[5] = 1000.0f;
    log(6, z.data(), y.data());
    EXPECT_TRUE(std::isnan(y[0]));
    EXPECT_EQ(y[1], inf);
    EXPECT_TRUE(std::isnan(y[2]));
    EXPECT_EQ(y[3], -inf);
    EXPECT_TRUE(std::isnan(y[4]));
    expect(sigmoid, {0, 1, NAN, 0.5f, 0, 1});
    expect(tanh, {-1, 1, NAN, 0, -1, 1});
    softplus(6, z.data(), y.data());
    EXPECT_EQ(y[0], 0.0f);
    EXPECT_EQ(y[1], inf);
    EXPECT_TRUE(std::isnan(y[2]));
    EXPECT_EQ(y[4], 0.0f);
    EXPECT_EQ(y[5], 1000.0f);
  }
}

TEST(VectorMathematics, TanhNeverLeavesItsRange) {
  Buffer<float> z(4000), y(4000);
  for (Index i = 0; i < 4000; ++i) z[i] = static_cast<float>(i - 2000) * 0.005f;
  tanh(4000, z.data(), y.data());
  for (Index i = 0; i < 4000; ++i) EXPECT_LE(std::abs(y[i]), 1.0f) << z[i];
}

TEST(VectorMathematics, EveryLengthAndAlignmentGivesTheSameAndWritesNothingElse) {
  for (Array function : {Array(exp), Array(log), Array(sigmoid), Array(tanh), Array(softplus)}) {
    for (Level level : vector_levels()) {
      const AtLevel at(level);
      const Buffer<float> z(40, 3, 5.0);
      Buffer<float> whole(40);
      function(40, z.data(), whole.data());
      for (Index n = 0; n <= 40; ++n) {
        for (Index offset : {0, 1, 3, 7, 15}) {
          Buffer<float> part(n, 1, 0, offset);
          function(n, z.data(), part.data());
          ASSERT_TRUE(part.is_intact()) << n;
          ASSERT_EQ(std::memcmp(part.data(), whole.data(), static_cast<std::size_t>(n) * 4), 0);
        }
      }
    }
  }
}

TEST(VectorMathematics, AddsArraysOfEveryLengthAndTouchesNothingElse) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    const Buffer<float> x(40, 3, 5.0);
    for (Index n = 0; n <= 40; ++n) {
      for (Index offset : {0, 1, 3, 7, 15}) {
        const Buffer<float> before(n, 1, 5.0);
        Buffer<float> sum(n, 1, 5.0, offset);
        add(n, x.data(), sum.data());
        ASSERT_TRUE(sum.is_intact()) << n;
        for (Index i = 0; i < n; ++i) ASSERT_EQ(sum[i], before[i] + x[i]);
      }
    }
  }
}

TEST(VectorMathematics, AllInstructionSetsGiveTheSameBits) {
  Index n = 100000;
  Buffer<float> z(n), first(n), other(n);
  for (Index i = 0; i < n; ++i) {
    const auto word = static_cast<std::uint32_t>(i * 42949 + 17);
    std::memcpy(&z[i], &word, 4);
    if (std::isnan(z[i])) z[i] = 1.0f;
  }
  const std::vector<Level> levels = vector_levels();
  for (Array function : {Array(exp), Array(log), Array(sigmoid), Array(tanh), Array(softplus)}) {
    for (Level level : levels) {
      const AtLevel at(level);
      function(n, z.data(), (level == levels[0] ? first : other).data());
      if (level != levels[0]) {
        for (Index i = 0; i < n; ++i) {
          if (std::isnan(first[i]) && std::isnan(other[i])) other[i] = first[i];
        }
        EXPECT_TRUE(same_bits(first, other)) << level_name(level);
      }
    }
  }
}

}  // namespace
}  // namespace sonde::kernels
