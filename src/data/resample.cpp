#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <sonde/error.hpp>
#include <sonde/recordings.hpp>
#include <vector>

namespace sonde {
namespace {

constexpr Index largest = 10'000;  ///< numbers of a ratio; the filter has 20 times as many taps

struct Ratio {
  Index up = 1, down = 1;
};

/// to / from by continued fractions.
Ratio ratio_of(double from, double to) {
  if (!(from > 0 && to > 0 && std::isfinite(from) && std::isfinite(to)))
    throw ArgumentError(
        fmt::format("resample: rates must be above 0, got {} and {} Hz.", from, to));
  const double wanted = to / from;
  double rest = wanted;
  Index p0 = 0, q0 = 1, p1 = 1, q1 = 0;
  while (rest <= static_cast<double>(largest)) {
    const auto whole = static_cast<Index>(std::floor(rest));
    const Index p = whole * p1 + p0, q = whole * q1 + q0;
    if (p > largest || q > largest) break;
    p0 = p1, q0 = q1, p1 = p, q1 = q;
    // Over 10^8 steps this is off by a tenth of one.
    if (p > 0 && std::abs(static_cast<double>(p) / static_cast<double>(q) / wanted - 1) < 1e-9)
      return {p, q};
    const double fraction = rest - static_cast<double>(whole);
    if (fraction < 1e-12) break;
    rest = 1 / fraction;
  }
  throw ArgumentError(fmt::format(
      "resample: from {} to {} Hz is no ratio of whole numbers up to {}. Choose another rate.",
      from, to, largest));
}

/// The modified Bessel function of the first kind and order 0, by its series.
double bessel(double x) {
  double sum = 1, term = 1;
  for (int k = 1; term > 1e-17 * sum; ++k) {
    term *= x * x / (4.0 * k * k);
    sum += term;
  }
  return sum;
}

/// Taps of the low-pass at the rate from * up, of sum `up`.
std::vector<double> low_pass(Ratio ratio) {
  const Index wider = std::max(ratio.up, ratio.down), half = 10 * wider;
  std::vector<double> taps(static_cast<std::size_t>(2 * half + 1));
  double sum = 0;
  for (Index i = -half; i <= half; ++i) {
    const double at = static_cast<double>(i) / static_cast<double>(wider);
    const double sinc = i == 0 ? 1 : std::sin(std::numbers::pi * at) / (std::numbers::pi * at);
    const double place = static_cast<double>(i) / static_cast<double>(half);
    const double window = bessel(5 * std::sqrt(std::max(0.0, 1 - place * place))) / bessel(5);
    sum += taps[static_cast<std::size_t>(i + half)] = sinc * window;
  }
  for (double& tap : taps) tap *= static_cast<double>(ratio.up) / sum;
  return taps;
}

/// Runs of missing values, NaN or infinite, bridged by straight lines, so that the filter has
/// numbers. False when there is none.
bool bridge(std::vector<float>& values) {
  std::size_t before = values.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    const auto to = static_cast<double>(values[i]);
    const std::size_t first = before == values.size() ? 0 : before + 1;
    const double from = before == values.size() ? to : static_cast<double>(values[before]);
    for (std::size_t k = first; k < i; ++k)
      values[k] = static_cast<float>(from + (to - from) * static_cast<double>(k - first + 1) /
                                                static_cast<double>(i - first + 1));
    before = i;
  }
  if (before == values.size()) return false;
  std::fill(values.begin() + static_cast<std::ptrdiff_t>(before) + 1, values.end(), values[before]);
  return true;
}

std::vector<float> resample(const std::vector<float>& given, Ratio ratio,
                            const std::vector<double>& taps) {
  const auto steps = static_cast<Index>(given.size());
  const Index up = ratio.up, down = ratio.down, half = static_cast<Index>(taps.size()) / 2;
  const Index length = (steps * up + down - 1) / down;
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> values = given, result(static_cast<std::size_t>(length), nan);
  if (!bridge(values)) return result;
  for (Index m = 0; m < length; ++m) {
    const Index place = m * down;  // at the rate from * up
    // The nearest step given; a gap there is one here.
    const Index middle = std::min((2 * place + up) / (2 * up), steps - 1);
    if (!std::isfinite(given[static_cast<std::size_t>(middle)])) continue;
    const Index reach = place - half;
    const Index first = reach > 0 ? (reach + up - 1) / up : -(-reach / up);
    double sum = 0;
    for (Index k = first; k * up <= place + half; ++k) {
      const Index at = std::clamp(k, Index{0}, steps - 1);
      sum += taps[static_cast<std::size_t>(place - k * up + half)] *
             static_cast<double>(values[static_cast<std::size_t>(at)]);
    }
    result[static_cast<std::size_t>(m)] = static_cast<float>(sum);
  }
  return result;
}

}  // namespace

Array resample(const Array& signal, double from, double to) {
  if (signal.shape().rank() != 2)
    throw ArgumentError(fmt::format("resample: the signal must be (time, channels), got {}.",
                                    to_string(signal.shape())));
  const Index steps = signal.shape()[0], channels = signal.shape()[1];
  const Ratio ratio = ratio_of(from, to);
  const auto taps = low_pass(ratio);
  Array result({(steps * ratio.up + ratio.down - 1) / ratio.down, channels});
  std::vector<float> column(static_cast<std::size_t>(steps));
  for (Index c = 0; c < channels; ++c) {
    for (Index t = 0; t < steps; ++t) column[static_cast<std::size_t>(t)] = signal(t, c);
    const auto values = ratio.up == ratio.down ? column : resample(column, ratio, taps);
    for (Index t = 0; t < result.shape()[0]; ++t)
      result(t, c) = values[static_cast<std::size_t>(t)];
  }
  return result;
}

}  // namespace sonde
