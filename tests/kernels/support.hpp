#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "kernels/kernels.hpp"
#include "kernels/level.hpp"

/// What the kernel tests share: numbers, levels, and ways to compare.
namespace sonde::kernels {

/// The levels with vectors that this machine has.
inline std::vector<Level> vector_levels() {
  const Level before = level_in_use();
  std::vector<Level> levels;
  for (Level level : {Level::neon, Level::avx2, Level::avx3}) {
    if (set_level(level)) levels.push_back(level);
  }
  set_level(before);
  return levels;
}

/// Sets a level for the length of a scope.
class AtLevel {
 public:
  explicit AtLevel(Level level) : before_(level_in_use()) { EXPECT_TRUE(set_level(level)); }
  ~AtLevel() { set_level(before_); }
  AtLevel(const AtLevel&) = delete;
  AtLevel& operator=(const AtLevel&) = delete;

 private:
  Level before_;
};

/// Numbers with a margin on both sides: the one behind may be read, neither may be written.
template <class T>
class Buffer {
 public:
  /// `size` numbers evenly spread over (-scale, scale), the same for the same seed in each scalar;
  /// they begin `offset` numbers behind a multiple of 64 bytes.
  explicit Buffer(Index size, unsigned seed = 1, double scale = 1, Index offset = 0)
      : size_(size), all_(static_cast<std::size_t>(size) + 3 * margin) {
    const auto address = reinterpret_cast<std::uintptr_t>(all_.data() + margin);
    begin_ = margin + (64 - address % 64) % 64 / static_cast<Index>(sizeof(T)) + offset;
    std::uint64_t state = seed * 0x9e3779b97f4a7c15u;
    for (T& value : all_) value = guard;
    for (Index i = 0; i < size; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      data()[i] = static_cast<T>(
          static_cast<float>((static_cast<double>(state >> 40) / (1 << 23) - 1) * scale));
    }
  }

  static Buffer zeros(Index size) { return Buffer(size, 1, 0); }

  T* data() { return all_.data() + begin_; }
  const T* data() const { return all_.data() + begin_; }
  Index size() const { return size_; }
  std::span<T> all() { return {data(), static_cast<std::size_t>(size_)}; }
  T& operator[](Index i) { return data()[i]; }
  T operator[](Index i) const { return data()[i]; }

  /// Whether nothing was written outside.
  bool is_intact() const {
    for (Index i = 0; i < static_cast<Index>(all_.size()); ++i) {
      const bool inside = i >= begin_ && i < begin_ + size_;
      if (!inside && all_[static_cast<std::size_t>(i)] != guard) return false;
    }
    return true;
  }

 private:
  static constexpr Index margin = 64;
  static constexpr T guard = T(-12345.678f);
  Index size_;
  Index begin_ = 0;
  std::vector<T> all_;
};

inline bool same_bits(const Buffer<float>& a, const Buffer<float>& b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * 4) == 0;
}

/// The greatest |got - want| over the greatest |want| (or 1 if all are smaller).
template <class T>
double relative_error(const Buffer<T>& got, const Buffer<double>& want) {
  double error = 0, scale = 1;
  for (Index i = 0; i < want.size(); ++i) {
    const double difference = std::abs(static_cast<double>(got[i]) - want[i]);
    if (!(difference <= error)) error = difference;  // a NaN stays
    scale = std::max(scale, std::abs(want[i]));
  }
  return error / scale;
}

/// The error of `got` in units in the last place of the float nearest to `want`.
inline double ulp_error(float got, double want) {
  if (std::isnan(want)) return std::isnan(got) ? 0 : INFINITY;
  if (static_cast<double>(got) == want || got == static_cast<float>(want)) {
    if (std::isinf(got)) return 0;
  }
  int exponent = 0;
  std::frexp(want, &exponent);
  return std::abs(static_cast<double>(got) - want) / std::ldexp(1.0, std::max(exponent, -125) - 24);
}

}  // namespace sonde::kernels
