#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/multiply_adds.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/kernels.hpp"
#include "kernels/simd/vector-inl.h"

/// Multiply-adds in registers alone: what the machine could do.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// Sums beside each other. Two units of latency 4 or 5 want 8 to 10 of them in flight; with the
/// two factors, 12 still fit the 16 registers of AVX2.
constexpr int sums = 12;

Index multiply_adds(Index rounds, float factor, float* y) {
  // Sums tend to 1 from below: they never become denormal or infinite, which could slow them down.
  const Vector a = set(factor), b = set(1 - factor);
  Vector s[sums];
  SONDE_UNROLL
  for (int i = 0; i < sums; ++i) s[i] = set(static_cast<float>(i) / sums);
  for (Index k = 0; k < rounds; ++k) {
    SONDE_UNROLL
    for (int i = 0; i < sums; ++i) s[i] = hn::MulAdd(s[i], a, b);
  }
  SONDE_UNROLL
  for (int i = 1; i < sums; ++i) s[0] = hn::Add(s[0], s[i]);
  hn::StoreU(s[0], tag, y);
  return rounds * sums * lanes;
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {
namespace {

Index multiply_adds_one_by_one(Index rounds, float factor, float* y) {
  constexpr int sums = 8;
  float s[sums] = {};
  for (Index k = 0; k < rounds; ++k)
    for (float& each : s) each = each * factor + (1 - factor);
  y[0] = 0;
  for (const float each : s) y[0] += each;
  return rounds * sums;
}

}  // namespace

Index multiply_adds(Index rounds, float factor, float* y) {
  return SONDE_CHOOSE(multiply_adds, multiply_adds_one_by_one)(rounds, factor, y);
}

}  // namespace sonde::kernels
#endif
