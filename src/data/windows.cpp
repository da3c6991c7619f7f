#include <fmt/format.h>

#include <algorithm>
#include <sonde/recordings.hpp>
#include "base/random.hpp"

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

Windows::Windows(std::span<const Recording> recordings, Index length, WindowOptions options)
    : length_(length), channels_(channels_of(recordings, length)), seed_(options.seed) {
  for (const Recording& recording : recordings) {
    const Index before = labelled_;
    const std::span<const float> weights = recording.weights.values();
    const auto is_labelled = [](float weight) { return weight > 0; };
    for (auto at = weights.begin(); at != weights.end();) {
      const auto begin = std::find_if(at, weights.end(), is_labelled);
      at = std::find_if_not(begin, weights.end(), is_labelled);
      if (begin == at) break;
      runs_.push_back({&recording, begin - weights.begin(), at - begin, labelled_});
      labelled_ += at - begin;
    }
    if (labelled_ == before)
      throw DataError(
          fmt::format("recording \"{}\": no step is labelled. Leave it out.", recording.name));
  }
  if (options.per_epoch < 0)
    throw ArgumentError(
        fmt::format("windows: per_epoch must not be negative, got {}.", options.per_epoch));
  per_epoch_ = options.per_epoch > 0 ? options.per_epoch : (labelled_ + length - 1) / length;
}

Windows::Row Windows::row(Index epoch, Index position) const noexcept {
  const RandomKey key =
      random_part(random_key(seed_, "windows"), static_cast<std::uint64_t>(epoch));
  const auto draw = [&](Index which, Index below) {
    const double part = uniform_double(key, static_cast<std::uint64_t>(2 * position + which));
    // The product may round up to `below` itself.
    return std::min(static_cast<Index>(part * static_cast<double>(below)), below - 1);
  };
  // The labelled step that the window is built around, and where in the window it lies.
  const Index labelled = draw(0, labelled_);
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), labelled,
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
  sample.x[0] = found.x;
  sample.y[0] = found.y;
  sample.weights[0] = found.weights;
  return sample;
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
