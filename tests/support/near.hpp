#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <span>
#include <type_traits>

namespace sonde::testing {

/// Passes when both hold the same bits; NaN equals NaN of the same bits. Names the first that
/// differs.
template <class T>
::testing::AssertionResult same_bits(std::span<const T> got, std::span<const T> expected) {
  if (got.size() != expected.size())
    return ::testing::AssertionFailure() << got.size() << " numbers, expected " << expected.size();
  for (std::size_t i = 0; i < got.size(); ++i)
    if (std::memcmp(&got[i], &expected[i], sizeof(T)) != 0)
      return ::testing::AssertionFailure()
             << "at " << i << ": " << got[i] << ", expected the bits of " << expected[i];
  return ::testing::AssertionSuccess();
}

/// Passes when every number is within `relative` of the expected one, measured against its own size
/// or the root mean square of all expected ones, whichever is greater. Numbers below `nothing` are
/// rounding alone.
template <class A, class B>
::testing::AssertionResult near(std::span<A> got, std::span<B> expected, double relative,
                                double nothing = 0) {
  if (got.size() != expected.size())
    return ::testing::AssertionFailure() << got.size() << " numbers, expected " << expected.size();
  double squares = 0;
  for (const auto e : expected) squares += static_cast<double>(e) * static_cast<double>(e);
  const double typical =
      expected.empty() ? 0 : std::sqrt(squares / static_cast<double>(expected.size()));
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double g = static_cast<double>(got[i]), e = static_cast<double>(expected[i]);
    const double allowed = std::max(relative * std::max(std::abs(e), typical), nothing);
    if (!(std::abs(g - e) <= allowed))
      return ::testing::AssertionFailure()
             << "at " << i << ": " << g << ", expected " << e << " within " << allowed;
  }
  return ::testing::AssertionSuccess();
}

template <class A, class B>
auto near(const A& got, const B& expected, double relative, double nothing = 0) {
  return near(std::span(got), std::span(expected), relative, nothing);
}

}  // namespace sonde::testing
