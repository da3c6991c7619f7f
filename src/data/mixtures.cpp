#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sonde/augmentation.hpp>

#include "base/random.hpp"

namespace sonde {
namespace {

/// Factors of either sign whose squares sum to one. Sums of four uniform numbers point everywhere
/// about equally often.
std::vector<float> direction(std::size_t channels, RandomKey key) {
  std::vector<double> factors(channels);
  double squares = 0;
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::uint64_t i = 0; i < 4; ++i) factors[c] += uniform_double(key, 4 * c + i) - 0.5;
    squares += factors[c] * factors[c];
  }
  std::vector<float> unit;
  for (const double factor : factors)
    unit.push_back(static_cast<float>(squares > 0 ? factor / std::sqrt(squares) : 1));
  return unit;
}

Recording mixture(const std::vector<const Recording*>& together,
                  const std::vector<float>& factors) {
  Recording mixed = *together.front();
  for (Index t = 0; t < mixed.signal.size(); ++t) {
    float sum = 0;
    float& weight = mixed.weights.data()[t];
    for (std::size_t c = 0; c < together.size(); ++c) {
      sum += factors[c] * together[c]->signal.data()[t];
      weight = std::min(weight, together[c]->weights.data()[t]);
      if (together[c]->labels.data()[t] != mixed.labels.data()[t]) weight = 0;
    }
    mixed.signal.data()[t] = sum;
  }
  return mixed;
}

bool is_labelled(const Recording& recording) {
  const auto weights = recording.weights.values();
  return std::any_of(weights.begin(), weights.end(), [](float weight) { return weight > 0; });
}

}  // namespace

std::vector<Recording> mixtures(std::span<const Recording> channels, Index count, Index seed) {
  std::map<std::string, std::vector<const Recording*>> together;
  for (const Recording& each : channels) {
    if (each.whole.empty() || each.signal.shape().last() != 1) continue;
    auto& others = together[each.whole];
    if (others.empty() || (others.front()->signal.shape() == each.signal.shape() &&
                           others.front()->frequency == each.frequency))
      others.push_back(&each);
  }
  std::vector<Recording> mixed;
  for (const auto& [name, parts] : together) {
    if (parts.size() < 2) continue;
    const RandomKey key = random_key(static_cast<std::uint64_t>(seed), "mixtures of " + name);
    for (Index i = 0; i < count; ++i) {
      Recording made =
          mixture(parts, direction(parts.size(), random_part(key, static_cast<std::uint64_t>(i))));
      made.name = fmt::format("{}/mixed-{}", name, i + 1);
      if (is_labelled(made)) mixed.push_back(std::move(made));
    }
  }
  return mixed;
}

}  // namespace sonde
