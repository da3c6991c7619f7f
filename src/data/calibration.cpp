#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sonde/calibration.hpp>
#include <sonde/error.hpp>

#include "base/random.hpp"

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// The probabilities of one step, of class 0 and 1 where there is one output.
struct Steps {
  std::span<const float> probabilities;
  std::span<const float> labels;
  std::span<const float> weights;
  Index width = 1;

  Steps(std::span<const float> p, std::span<const float> y, std::span<const float> w)
      : probabilities(p), labels(y), weights(w) {
    if (y.empty() ? !p.empty() : p.size() % y.size() != 0 || p.size() < y.size())
      throw DataError(
          fmt::format("calibration: {} probabilities for {} labels.", p.size(), y.size()));
    if (!w.empty() && w.size() != y.size())
      throw DataError(fmt::format("calibration: {} weights for {} labels.", w.size(), y.size()));
    width = y.empty() ? 1 : static_cast<Index>(p.size() / y.size());
    for (std::size_t i = 0; i < y.size(); ++i)
      if (counts(i) &&
          (y[i] < 0 || y[i] >= static_cast<float>(classes()) || std::floor(y[i]) != y[i]))
        throw DataError(fmt::format("calibration: label {} of step {} is no class number below {}.",
                                    y[i], i, classes()));
  }
  Index classes() const { return std::max<Index>(width, 2); }
  bool counts(std::size_t i) const { return weights.empty() || weights[i] != 0; }
  std::size_t label(std::size_t i) const { return static_cast<std::size_t>(labels[i]); }
  double probability(std::size_t i, std::size_t k) const {
    if (width > 1) return static_cast<double>(probabilities[i * at(width) + k]);
    const auto one = static_cast<double>(probabilities[i]);
    return k == 1 ? one : 1 - one;
  }
};

double log_of(double p) { return std::log(std::max(p, std::numeric_limits<double>::min())); }

/// -log of the right class's probability after dividing all logarithms by the temperature.
double mean_log_loss(const Steps& steps, double temperature) {
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < steps.labels.size(); ++i) {
    if (!steps.counts(i)) continue;
    double largest = -std::numeric_limits<double>::infinity(), total = 0;
    for (std::size_t k = 0; k < at(steps.classes()); ++k)
      largest = std::max(largest, log_of(steps.probability(i, k)) / temperature);
    for (std::size_t k = 0; k < at(steps.classes()); ++k)
      total += std::exp(log_of(steps.probability(i, k)) / temperature - largest);
    sum += largest + std::log(total) - log_of(steps.probability(i, steps.label(i))) / temperature;
    ++count;
  }
  return count > 0 ? sum / count : 0;
}

}  // namespace

CalibrationScores calibration(std::span<const float> probabilities, std::span<const float> labels,
                              std::span<const float> weights, Index bins) {
  if (bins < 1)
    throw ArgumentError(fmt::format("calibration: bins must be at least 1, got {}.", bins));
  const Steps steps(probabilities, labels, weights);
  CalibrationScores scores;
  scores.bins.resize(at(bins));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!steps.counts(i)) continue;
    ++scores.steps;
    std::size_t guess = 0;
    for (std::size_t k = 0; k < at(steps.classes()); ++k) {
      const double p = steps.probability(i, k);
      if (p > steps.probability(i, guess)) guess = k;
      scores.brier += std::pow(p - (k == steps.label(i) ? 1 : 0), 2);
    }
    scores.log_loss -= log_of(steps.probability(i, steps.label(i)));
    const double confidence = steps.probability(i, guess);
    const auto place = static_cast<Index>(std::ceil(confidence * static_cast<double>(bins))) - 1;
    CalibrationBin& bin = scores.bins[at(std::clamp<Index>(place, 0, bins - 1))];
    ++bin.steps;
    bin.confidence += confidence;
    bin.accuracy += guess == steps.label(i) ? 1 : 0;
  }
  const auto total = static_cast<double>(std::max<Index>(scores.steps, 1));
  scores.brier /= total;
  scores.log_loss /= total;
  for (CalibrationBin& bin : scores.bins) {
    if (bin.steps == 0) continue;
    scores.ece += std::abs(bin.confidence - bin.accuracy) / total;
    bin.confidence /= static_cast<double>(bin.steps);
    bin.accuracy /= static_cast<double>(bin.steps);
  }
  return scores;
}

double fit_temperature(std::span<const float> probabilities, std::span<const float> labels,
                       std::span<const float> weights) {
  const Steps steps(probabilities, labels, weights);
  // The log loss has one minimum in 1 / temperature; golden section over its logarithm.
  const double golden = (std::sqrt(5.0) - 1) / 2;
  double low = std::log(0.02), high = std::log(50.0);
  double a = high - golden * (high - low), b = low + golden * (high - low);
  double at_a = mean_log_loss(steps, std::exp(a)), at_b = mean_log_loss(steps, std::exp(b));
  while (high - low > 1e-6) {
    if (at_a <= at_b) {
      high = b, b = a, at_b = at_a;
      a = high - golden * (high - low);
      at_a = mean_log_loss(steps, std::exp(a));
    } else {
      low = a, a = b, at_a = at_b;
      b = low + golden * (high - low);
      at_b = mean_log_loss(steps, std::exp(b));
    }
  }
  return std::exp((low + high) / 2);
}

void apply_temperature(std::span<float> probabilities, Index classes, double temperature) {
  if (!(temperature > 0))
    throw ArgumentError(
        fmt::format("apply_temperature: temperature must be above 0, got {}.", temperature));
  const std::size_t width = at(classes);
  std::vector<double> logs(std::max<std::size_t>(width, 2));
  for (std::size_t i = 0; i + width <= probabilities.size(); i += width) {
    float* p = probabilities.data() + i;
    for (std::size_t k = 0; k < logs.size(); ++k) {
      const auto one = static_cast<double>(width == 1 ? p[0] : p[k]);
      logs[k] = log_of(width == 1 && k == 0 ? 1 - one : one) / temperature;
    }
    const double largest = *std::max_element(logs.begin(), logs.end());
    double total = 0;
    for (double& each : logs) total += each = std::exp(each - largest);
    if (width == 1) p[0] = static_cast<float>(logs[1] / total);
    for (std::size_t k = 0; width > 1 && k < width; ++k) p[k] = static_cast<float>(logs[k] / total);
  }
}

Array pooled_probabilities(std::span<const Array> said) {
  if (said.empty()) throw ArgumentError("pooled_probabilities: nobody said anything.");
  const Shape& shape = said.front().shape();
  for (const Array& each : said)
    if (each.shape() != shape)
      throw DataError(fmt::format("pooled_probabilities: {} and {} are of different steps.",
                                  to_string(shape), to_string(each.shape())));
  if (said.size() == 1) return said.front();
  constexpr double surest = 1.0 / (1 << 24);
  const Index width = shape.last(), classes = std::max<Index>(width, 2);
  const double share = 1 / static_cast<double>(said.size());
  Array pooled(shape);
  std::vector<double> logs(at(classes));
  for (Index i = 0; i < pooled.size(); i += width) {
    std::fill(logs.begin(), logs.end(), 0.0);
    for (const Array& each : said)
      for (Index k = 0; k < classes; ++k) {
        const auto p = static_cast<double>(each.data()[i + std::min(k, width - 1)]);
        logs[at(k)] += share * std::log(std::max(width == 1 && k == 0 ? 1 - p : p, surest));
      }
    double total = 0;
    for (double& log : logs) total += log = std::exp(log);
    for (Index k = 0; k < width; ++k)
      pooled.data()[i + k] = static_cast<float>(logs[at(width == 1 ? 1 : k)] / total);
  }
  return pooled;
}

ConfidenceInterval bootstrap(Index groups,
                             const std::function<double(std::span<const Index>)>& score,
                             BootstrapOptions options) {
  if (groups < 1 || options.draws < 1 || !(options.level > 0 && options.level < 1))
    throw ArgumentError(fmt::format(
        "bootstrap: needs a group, a draw and a level between 0 and 1; got {}, {} and {}.", groups,
        options.draws, options.level));
  const RandomKey key = random_key(options.seed, "bootstrap");
  std::vector<Index> drawn(at(groups));
  std::vector<double> scores;
  for (Index d = 0; d < options.draws; ++d) {
    for (std::size_t g = 0; g < drawn.size(); ++g)
      drawn[g] =
          static_cast<Index>(uniform_double(random_part(key, static_cast<std::uint64_t>(d)), g) *
                             static_cast<double>(groups));
    const double value = score(drawn);
    if (!std::isnan(value)) scores.push_back(value);
  }
  if (scores.empty()) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    return {none, none};
  }
  std::sort(scores.begin(), scores.end());
  const auto percentile = [&](double part) {
    const double place = part * static_cast<double>(scores.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, scores.size() - 1);
    return scores[below] + (place - static_cast<double>(below)) * (scores[above] - scores[below]);
  };
  return {percentile((1 - options.level) / 2), percentile((1 + options.level) / 2)};
}

}  // namespace sonde
