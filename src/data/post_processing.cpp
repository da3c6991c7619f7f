#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sonde/error.hpp>
#include <sonde/events.hpp>
#include <sonde/scores.hpp>

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

constexpr double longest = 1e6;  // seconds: more than any stretch that is to be smoothed

/// Each step's probabilities times the factors, again with a sum of 1.
Array weighed(const Array& probabilities, const std::vector<double>& factors) {
  Array result = probabilities;
  const auto width = at(probabilities.shape()[1]);
  if (factors.size() != std::max<std::size_t>(width, 2))
    throw ArgumentError(
        fmt::format("PostProcessing: class_factors must be one number for each of {} classes, got "
                    "{}.",
                    std::max<std::size_t>(width, 2), factors.size()));
  for (std::size_t t = 0; t < at(probabilities.shape()[0]); ++t) {
    float* p = result.data() + t * width;
    double sum = width == 1 ? (1 - static_cast<double>(p[0])) * factors[0] : 0;
    for (std::size_t k = 0; k < width; ++k)
      sum += static_cast<double>(p[k]) * factors[width == 1 ? 1 : k];
    for (std::size_t k = 0; sum > 0 && k < width; ++k)
      p[k] = static_cast<float>(static_cast<double>(p[k]) * factors[width == 1 ? 1 : k] / sum);
  }
  return result;
}

/// Two classes: class 1 from `threshold` up, and down to `low` once it is there.
std::vector<Index> by_threshold(const Array& p, double threshold, double low) {
  const Index width = p.shape()[1];
  std::vector<Index> labels;
  bool on = false;
  for (Index t = 0; t < p.shape()[0]; ++t) {
    const double value = static_cast<double>(p.data()[t * width + width - 1]);
    on = value > (on ? low : threshold);
    labels.push_back(on);
  }
  return labels;
}

/// The path of the largest product of probabilities, where each change of class costs
/// switch / (classes - 1) and each step without one 1 - switch.
std::vector<Index> most_likely_path(const Array& p, double switch_probability) {
  const Index steps = p.shape()[0], width = p.shape()[1], classes = std::max<Index>(width, 2);
  const double stay = std::log1p(-switch_probability),
               change = std::log(switch_probability / static_cast<double>(classes - 1));
  const auto log_of = [&](Index t, Index k) {
    const double one = static_cast<double>(p.data()[t * width + (width == 1 ? 0 : k)]);
    const double value = width == 1 && k == 0 ? 1 - one : one;
    return std::log(std::max(value, std::numeric_limits<double>::min()));
  };
  std::vector<double> best(at(classes)), next(at(classes));
  std::vector<Index> from(at(steps * classes));
  for (Index t = 0; t < steps; ++t) {
    const auto top = std::max_element(best.begin(), best.end());
    for (Index k = 0; k < classes; ++k) {
      const double stayed = best[at(k)] + stay, changed = *top + change;
      const bool moves = t > 0 && changed > stayed;
      from[at(t * classes + k)] = moves ? top - best.begin() : k;
      next[at(k)] = (t == 0 ? 0 : moves ? changed : stayed) + log_of(t, k);
    }
    std::swap(best, next);
  }
  std::vector<Index> labels(at(steps));
  Index k = std::max_element(best.begin(), best.end()) - best.begin();
  for (Index t = steps; t-- > 0;) {
    labels[at(t)] = k;
    k = from[at(t * classes + k)];
  }
  return labels;
}

/// Each step's most frequent label among the 2 * reach + 1 around it; the step's own where it ties.
void take_most_frequent(std::vector<Index>& labels, Index classes, Index reach) {
  const std::vector<Index> given = labels;
  const auto size = static_cast<Index>(given.size());
  std::vector<Index> counts(at(classes));
  for (Index t = 0; t < std::min(reach, size); ++t) ++counts[at(given[at(t)])];
  for (Index t = 0; t < size; ++t) {
    if (t + reach < size) ++counts[at(given[at(t + reach)])];
    if (t - reach - 1 >= 0) --counts[at(given[at(t - reach - 1)])];
    const auto most = std::max_element(counts.begin(), counts.end());
    if (*most > counts[at(given[at(t)])]) labels[at(t)] = most - counts.begin();
  }
}

}  // namespace

void check(const PostProcessing& p, const Where& where) {
  const auto refuse = [&](std::string_view what, std::string_view expected, double got) {
    throw ArgumentError(fmt::format("{}: {} must be {}, got {}.", where, what, expected, got));
  };
  const auto check_seconds = [&](std::string_view what, double seconds) {
    if (!(seconds >= 0)) refuse(what, "at least 0", seconds);
    if (seconds > longest) refuse(what, "at most 1e6 seconds", seconds);
  };
  for (const double factor : p.class_factors)
    if (!(factor > 0 && std::isfinite(factor))) refuse("class_factors", "above 0", factor);
  if (!(p.threshold >= 0 && p.threshold <= 1)) refuse("threshold", "from 0 to 1", p.threshold);
  if (p.low_threshold && !(*p.low_threshold >= 0 && *p.low_threshold <= p.threshold))
    refuse("low_threshold", "from 0 to threshold", *p.low_threshold);
  if (!(p.switch_probability >= 0 && p.switch_probability < 1))
    refuse("switch_probability", "at least 0 and below 1", p.switch_probability);
  check_seconds("median_seconds", p.median_seconds);
  check_seconds("gap_seconds", p.gap_seconds);
  check_seconds("duration_seconds", p.duration_seconds);
}

std::vector<Index> labels_from(const Array& given, double frequency,
                               const PostProcessing& processing, Index background) {
  check(processing);
  if (given.shape().rank() != 2)
    throw ArgumentError(
        fmt::format("PostProcessing: expected probabilities (time, classes), got {}.",
                    to_string(given.shape())));
  if (!(frequency > 0 && std::isfinite(frequency)))
    throw ArgumentError(
        fmt::format("PostProcessing: frequency must be above 0, got {}.", frequency));
  const Array factored =
      processing.class_factors.empty() ? Array() : weighed(given, processing.class_factors);
  const Array& probabilities = processing.class_factors.empty() ? given : factored;
  const Index width = probabilities.shape()[1], classes = std::max<Index>(width, 2);
  const auto steps_of = [&](double seconds) {
    return static_cast<Index>(std::llround(std::min(seconds * frequency, 1e15)));
  };
  const PostProcessing& p = processing;
  std::vector<Index> labels =
      p.switch_probability > 0 ? most_likely_path(probabilities, p.switch_probability)
      : width <= 2 ? by_threshold(probabilities, p.threshold, p.low_threshold.value_or(p.threshold))
                   : most_likely(probabilities.values(), width);
  if (const Index reach = steps_of(p.median_seconds) / 2; reach > 0)
    take_most_frequent(labels, classes, reach);

  if (const Index gap = steps_of(p.gap_seconds); gap > 0) {
    const std::vector<Interval> events = intervals_of(labels, background);
    for (std::size_t i = 1; i < events.size(); ++i)
      if (events[i].label == events[i - 1].label && events[i].begin - events[i - 1].end <= gap)
        std::fill(labels.begin() + events[i - 1].end, labels.begin() + events[i].begin,
                  events[i].label);
  }
  if (const Index least = steps_of(p.duration_seconds); least > 1)
    for (const Interval& each : intervals_of(labels, background))
      if (each.steps() < least)
        std::fill(labels.begin() + each.begin, labels.begin() + each.end, background);
  return labels;
}

}  // namespace sonde
