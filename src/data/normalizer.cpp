#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sonde/recordings.hpp>

namespace sonde {
namespace {

/// The interquartile range of a normal distribution is this many standard deviations.
constexpr double quartile_range_of_normal = 1.3489795003921634;
/// And so many are those from its 2 % to its 98 % quantile.
constexpr double wide_range_of_normal = 4.107497821263644;

struct Scale {
  double center = 0;
  double spread = 1;
};

/// The finite values of one channel of (time, channels).
std::vector<double> finite_values(const Array& signal, Index channel) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(signal.shape()[0]));
  for (Index t = 0; t < signal.shape()[0]; ++t)
    if (const float value = signal(t, channel); std::isfinite(value)) values.push_back(value);
  return values;
}

/// Linear between the two nearest values, as NumPy's default. Puts the values in another order: no
/// need to sort all of them.
double quantile(std::vector<double>& values, double part) {
  const double at = part * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(at);
  const auto low = values.begin() + below;
  std::nth_element(values.begin(), low, values.end());
  const double high = low + 1 < values.end() ? *std::min_element(low + 1, values.end()) : *low;
  return *low + (at - static_cast<double>(below)) * (high - *low);
}

/// Median, and the distance between the quantiles `part` and 1 - `part` in `of_normal`s.
Scale robust_scale(std::vector<double> values, double part, double of_normal) {
  if (values.empty()) return {};
  const double range = quantile(values, 1 - part) - quantile(values, part);
  return {quantile(values, 0.5), range > 0 ? range / of_normal : 1};
}

bool sees_range(Scaling scaling) {
  return scaling == Scaling::per_recording_range || scaling == Scaling::per_recording_detrended;
}

/// The quantile that a robust scale looks at, and the one as far from the other end.
double part_of(Scaling scaling) { return sees_range(scaling) ? 0.02 : 0.25; }

Scale scale_of_recording(std::vector<double> values, Scaling scaling) {
  return robust_scale(std::move(values), part_of(scaling),
                      sees_range(scaling) ? wide_range_of_normal : quartile_range_of_normal);
}

/// The finite values of one channel of all recordings.
std::vector<double> all_values(std::span<const Recording> recordings, Index channel) {
  std::vector<double> all;
  for (const Recording& recording : recordings) {
    const std::vector<double> values = finite_values(recording.signal, channel);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

Scale mean_and_deviation(std::span<const Recording> recordings, Index channel) {
  // Two passes: the plain sum of squares loses every digit when the middle is far from 0.
  double sum = 0, squares = 0, count = 0;
  for (const Recording& recording : recordings)
    for (const double value : finite_values(recording.signal, channel)) sum += value, ++count;
  const double mean = count > 0 ? sum / count : 0;
  for (const Recording& recording : recordings)
    for (const double value : finite_values(recording.signal, channel))
      squares += (value - mean) * (value - mean);
  const double deviation = count > 0 ? std::sqrt(squares / count) : 0;
  return {mean, deviation > 0 ? deviation : 1};
}

/// Takes from each step the mean of the finite values up to `reach` steps around it. Sums run
/// from either end of blocks as long as a window, so that one monstrous value spoils its own
/// neighbourhood and not all that comes after it.
void remove_moving_mean(Array& signal, Index channel, Index reach) {
  const Index steps = signal.shape()[0], block = 2 * std::min(reach, steps) + 1;
  const auto at = [](Index i) { return static_cast<std::size_t>(i); };
  std::vector<double> from_begin(at(steps)), to_end(at(steps));
  std::vector<Index> counts(at(steps + 1));
  const auto value = [&](Index t) {
    const float v = signal(t, channel);
    return std::isfinite(v) ? static_cast<double>(v) : 0;
  };
  for (Index t = 0; t < steps; ++t) {
    counts[at(t + 1)] = counts[at(t)] + (std::isfinite(signal(t, channel)) ? 1 : 0);
    from_begin[at(t)] = value(t) + (t % block == 0 ? 0 : from_begin[at(t - 1)]);
  }
  for (Index t = steps - 1; t >= 0; --t)
    to_end[at(t)] = value(t) + ((t + 1) % block == 0 || t + 1 == steps ? 0 : to_end[at(t + 1)]);
  for (Index t = 0; t < steps; ++t) {
    const Index first = std::max<Index>(t - reach, 0), last = std::min(t + reach, steps - 1);
    const bool crosses = first / block != last / block;
    const double sum = crosses              ? to_end[at(first)] + from_begin[at(last)]
                       : first % block == 0 ? from_begin[at(last)]
                                            : to_end[at(first)];
    if (const Index count = counts[at(last + 1)] - counts[at(first)]; count > 0)
      signal(t, channel) -= static_cast<float>(sum / static_cast<double>(count));
  }
}

void check_channels(const Array& signal, Index channels, std::string_view where) {
  if (signal.shape().rank() != 2 || signal.shape()[1] != channels)
    throw DataError(fmt::format("{}: expected a signal (time, {}), got {}.", where, channels,
                                to_string(signal.shape())));
}

void scale_channel(Array& signal, Index channel, Scale scale) {
  for (Index t = 0; t < signal.shape()[0]; ++t) {
    float& value = signal(t, channel);
    value = static_cast<float>((static_cast<double>(value) - scale.center) / scale.spread);
  }
}

}  // namespace

bool needs_whole_recording(Scaling scaling) {
  return scaling == Scaling::per_recording_robust || sees_range(scaling);
}

double least_steps(Scaling scaling) {
  return scaling == Scaling::running                   ? 1
         : scaling == Scaling::per_recording_detrended ? 2  // of one step nothing would be left
                                                       : 0;
}

Normalizer fit_normalizer(std::span<const Recording> recordings, Scaling scaling, double steps) {
  Normalizer normalizer{.scaling = scaling};
  if (const double least = least_steps(scaling); least > 0) {
    if (!(steps >= least))
      throw ArgumentError(
          fmt::format("normalizer: {} needs at least {:g} step{}, got {:g}. Say {}.",
                      enum_names(scaling)[static_cast<std::size_t>(scaling)], least,
                      least > 1 ? "s" : "", steps,
                      scaling == Scaling::running ? "after how many steps a step is forgotten"
                                                  : "how many steps the moving mean takes"));
    normalizer.steps = steps;
  }
  if (needs_whole_recording(scaling)) return normalizer;
  if (recordings.empty()) throw DataError("normalizer: there are no recordings to fit on.");
  const Index channels = recordings.front().signal.shape().last();
  for (const Recording& recording : recordings)
    check_channels(recording.signal, channels, fmt::format("recording \"{}\"", recording.name));

  for (Index channel = 0; channel < channels; ++channel) {
    const Scale found = scaling == Scaling::per_channel_robust
                            ? scale_of_recording(all_values(recordings, channel), scaling)
                            : mean_and_deviation(recordings, channel);
    normalizer.center.push_back(found.center);
    normalizer.scale.push_back(found.spread);
  }
  return normalizer;
}

void Normalizer::apply(Array& signal) const {
  const bool by_itself = needs_whole_recording(scaling);
  const Index channels = by_itself ? signal.shape().last() : static_cast<Index>(center.size());
  check_channels(signal, channels, "normalizer");
  if (scaling == Scaling::running) {
    RunningScale running(*this);
    for (Index t = 0; t < signal.shape()[0]; ++t)
      running.push({signal.data() + t * channels, static_cast<std::size_t>(channels)});
    return;
  }
  for (Index channel = 0; channel < channels; ++channel) {
    const auto i = static_cast<std::size_t>(channel);
    if (scaling == Scaling::per_recording_detrended)
      remove_moving_mean(signal, channel, static_cast<Index>(std::min(steps / 2, 1e15)));
    scale_channel(signal, channel,
                  by_itself ? scale_of_recording(finite_values(signal, channel), scaling)
                            : Scale{center[i], scale[i]});
  }
}

std::vector<Index> unscaled_channels(std::span<const Recording> recordings, Scaling scaling) {
  std::vector<Index> found;
  if (scaling == Scaling::per_recording_detrended) return found;  // what is left of it is not known
  if (recordings.empty() ||
      !(needs_whole_recording(scaling) || scaling == Scaling::per_channel_robust))
    return found;
  for (Index channel = 0; channel < recordings.front().signal.shape().last(); ++channel) {
    std::vector<double> values = all_values(recordings, channel);
    if (values.empty()) continue;
    const double part = part_of(scaling);
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    const bool changes = *least < *most;
    if (changes && !(quantile(values, 1 - part) > quantile(values, part))) found.push_back(channel);
  }
  return found;
}

Index fill_missing(Array& signal) {
  Index missing = 0;
  for (float& value : signal.values())
    if (!std::isfinite(value)) value = 0, ++missing;
  return missing;
}

RunningScale::RunningScale(const Normalizer& normalizer) : steps_(normalizer.steps) {
  for (const double scale : normalizer.scale) channels_.push_back({.least = scale * scale * 1e-6});
}

void RunningScale::push(std::span<float> step) noexcept {
  for (std::size_t c = 0; c < std::min(step.size(), channels_.size()); ++c) {
    const auto value = static_cast<double>(step[c]);
    if (!std::isfinite(value)) continue;
    Channel& channel = channels_[c];
    channel.seen += 1;
    const double part = 1 / std::min(channel.seen, steps_), away = value - channel.mean;
    channel.mean += part * away;
    channel.variance = (1 - part) * (channel.variance + part * away * away);
    step[c] = static_cast<float>((value - channel.mean) /
                                 std::sqrt(std::max(channel.variance, channel.least)));
  }
}

}  // namespace sonde
