#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sonde/recordings.hpp>

#include "base/random.hpp"
#include "base/read_ahead.hpp"

namespace sonde {
namespace {

/// What windows and pieces need of each recording.
void check_recording(const Recording& recording, Index length, Index channels) {
  const auto refuse = [&](const std::string& what) {
    throw DataError(fmt::format("recording \"{}\": {}", recording.name, what));
  };
  const Shape& shape = recording.signal.shape();
  if (shape.rank() != 2 || shape[1] != channels)
    refuse(fmt::format("expected a signal (time, {}), got {}.", channels, to_string(shape)));
  if (recording.labels.shape() != Shape{shape[0], 1} ||
      recording.weights.shape() != Shape{shape[0]})
    refuse(fmt::format("{} steps need labels ({}, 1) and weights ({},), got {} and {}.", shape[0],
                       shape[0], shape[0], to_string(recording.labels.shape()),
                       to_string(recording.weights.shape())));
  if (shape[0] < length)
    refuse(
        fmt::format("it has {} steps, fewer than the window length {}. Take shorter windows or "
                    "leave the recording out.",
                    shape[0], length));
}

Index channels_of(std::span<const Recording> recordings, Index length) {
  if (recordings.empty()) throw DataError("windows: there are no recordings.");
  if (length < 1)
    throw ArgumentError(fmt::format("windows: length must be at least 1, got {}.", length));
  const Shape& shape = recordings.front().signal.shape();
  const Index channels = shape.rank() == 2 ? shape[1] : 0;
  for (const Recording& recording : recordings) check_recording(recording, length, channels);
  return channels;
}

}  // namespace

void Windows::make_urns(std::span<const Recording> recordings, const WindowOptions& options) {
  const bool by_class = options.balanced || !options.shares.empty();
  // More classes than this are no class numbers but measured values.
  constexpr float most_classes = 1 << 16;
  if (!by_class) urns_.resize(1);
  for (const Recording& recording : recordings) {
    const float* weights = recording.weights.data();
    const float* labels = recording.labels.data();
    const Index steps = recording.weights.size();
    const auto urn_of = [&](Index t) -> std::size_t {
      if (!by_class) return 0;
      if (!(labels[t] >= 0 && labels[t] < most_classes && labels[t] == std::floor(labels[t])))
        throw DataError(fmt::format(
            "recording \"{}\": the label at step {} is {}. To draw classes in balance, labels must "
            "be class numbers from 0.",
            recording.name, t, labels[t]));
      return static_cast<std::size_t>(labels[t]);
    };
    bool any = false;
    for (Index t = 0; t < steps;) {
      if (!(weights[t] > 0)) {
        ++t;
        continue;
      }
      const std::size_t urn = urn_of(t);
      const Index begin = t;
      while (t < steps && weights[t] > 0 && urn_of(t) == urn) ++t;
      if (urns_.size() <= urn) urns_.resize(urn + 1);
      urns_[urn].runs.push_back({&recording, begin, t - begin, urns_[urn].steps});
      urns_[urn].steps += t - begin;
      any = true;
    }
    if (!any)
      throw DataError(
          fmt::format("recording \"{}\": no step is labelled. Leave it out.", recording.name));
  }

  std::vector<double> shares = options.shares;
  if (shares.empty())
    for (const Urn& urn : urns_) shares.push_back(urn.steps > 0 ? 1 : 0);
  if (shares.size() < urns_.size())
    throw ArgumentError(fmt::format("windows: expected a share for each of {} classes, got {}.",
                                    urns_.size(), shares.size()));
  urns_.resize(shares.size());
  double sum = 0;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    if (!(shares[k] >= 0) || std::isinf(shares[k]))
      throw ArgumentError(fmt::format(
          "windows: shares must be finite and at least 0, got {} for class {}.", shares[k], k));
    if (shares[k] > 0 && urns_[k].steps == 0)
      throw DataError(fmt::format(
          "windows: class {} has a share of {}, but no step is labelled so. Give it share 0.", k,
          shares[k]));
    sum += shares[k];
    urns_[k].until = sum;
  }
  if (!(sum > 0) || std::isinf(sum))
    throw ArgumentError(fmt::format("windows: the shares add up to {}.", sum));
  for (Urn& urn : urns_) urn.until /= sum;
  // Uniform numbers are below 1: nothing is left over, whatever the sums were rounded to.
  std::size_t last = shares.size() - 1;
  while (shares[last] == 0) --last;
  urns_[last].until = 1;
}

Windows::Windows(std::span<const Recording> recordings, Index length, WindowOptions options)
    : length_(length), channels_(channels_of(recordings, length)), seed_(options.seed) {
  make_urns(recordings, options);
  on_disk_ = std::any_of(recordings.begin(), recordings.end(), [](const Recording& each) {
    return each.signal.is_on_disk() || each.labels.is_on_disk() || each.weights.is_on_disk();
  });
  if (options.per_epoch < 0)
    throw ArgumentError(
        fmt::format("windows: per_epoch must not be negative, got {}.", options.per_epoch));
  Index labelled = 0;
  for (const Urn& urn : urns_) labelled += urn.steps;
  per_epoch_ = options.per_epoch > 0 ? options.per_epoch : (labelled + length - 1) / length;
}

Windows::Row Windows::row(Index epoch, Index position) const noexcept {
  const RandomKey key =
      random_part(random_key(seed_, "windows"), static_cast<std::uint64_t>(epoch));
  const auto draw = [&](Index which, Index below) {
    const double part = uniform_double(key, static_cast<std::uint64_t>(2 * position + which));
    // The product may round up to `below` itself.
    return std::min(static_cast<Index>(part * static_cast<double>(below)), below - 1);
  };
  const Urn* urn = &urns_.front();
  if (urns_.size() > 1) {
    const RandomKey classes =
        random_part(random_key(seed_, "classes of windows"), static_cast<std::uint64_t>(epoch));
    const double part = uniform_double(classes, static_cast<std::uint64_t>(position));
    while (part >= urn->until) ++urn;
  }
  // The labelled step that the window is built around, and where in the window it lies.
  const Index labelled = draw(0, urn->steps);
  const auto after = std::upper_bound(urn->runs.begin(), urn->runs.end(), labelled,
                                      [](Index n, const Run& run) { return n < run.before; });
  const Run& run = *(after - 1);
  const Index step = run.begin + labelled - run.before;
  const Recording& recording = *run.recording;
  const Index last_begin = recording.signal.shape()[0] - length_;
  const Index begin = std::clamp<Index>(step - draw(1, length_), 0, last_begin);
  return {recording.signal.data() + begin * channels_, recording.labels.data() + begin,
          recording.weights.data() + begin};
}

Sample Windows::sample(Index epoch, Index number) const noexcept {
  const Row found = row(epoch, number);
  Sample sample;
  const auto at_hand_of = [&](const float* begin, Index count) {
    return on_disk_ ? at_hand(begin, begin + count) : begin;
  };
  sample.x[0] = at_hand_of(found.x, length_ * channels_);
  sample.y[0] = at_hand_of(found.y, length_);
  sample.weights[0] = at_hand_of(found.weights, length_);
  return sample;
}

void Windows::will_need(Index epoch, std::span<const Index> numbers) const noexcept {
  if (!on_disk_) return;
  for (const Index number : numbers) {
    const Row found = row(epoch, number);
    read_ahead(found.x, found.x + length_ * channels_);
    read_ahead(found.y, found.y + length_);
    read_ahead(found.weights, found.weights + length_);
  }
}

Pieces cut_windows(std::span<const Recording> recordings, Index length, Index hop) {
  const Index channels = channels_of(recordings, length);
  if (hop < 1) throw ArgumentError(fmt::format("windows: hop must be at least 1, got {}.", hop));
  struct Place {
    const Recording* recording;
    Index begin;
  };
  std::vector<Place> places;
  for (const Recording& recording : recordings) {
    const Index last_begin = recording.signal.shape()[0] - length;
    for (Index begin = 0;; begin = std::min(begin + hop, last_begin)) {
      const auto weights = recording.weights.values().subspan(static_cast<std::size_t>(begin),
                                                              static_cast<std::size_t>(length));
      if (std::any_of(weights.begin(), weights.end(), [](float w) { return w > 0; }))
        places.push_back({&recording, begin});
      if (begin == last_begin) break;
    }
  }

  const auto n = static_cast<Index>(places.size());
  Pieces pieces{Array({n, length, channels}), Array({n, length, 1}), Array({n, length})};
  for (Index i = 0; i < n; ++i) {
    const auto& [recording, begin] = places[static_cast<std::size_t>(i)];
    std::copy_n(recording->signal.data() + begin * channels, length * channels,
                pieces.x.data() + i * length * channels);
    std::copy_n(recording->labels.data() + begin, length, pieces.y.data() + i * length);
    std::copy_n(recording->weights.data() + begin, length, pieces.weights.data() + i * length);
  }
  return pieces;
}

}  // namespace sonde
