#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sonde/words.hpp>

#include "formats/printable.hpp"
#include "formats/recordings/labels.hpp"
#include "formats/recordings/tracks.hpp"
#include "formats/recordings/units.hpp"

namespace sonde {
namespace {

using formats::Grid;
using formats::printable;
using formats::Track;

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

std::vector<std::string_view> names_of(const std::vector<Track>& tracks) {
  std::vector<std::string_view> names;
  for (const Track& each : tracks) names.push_back(each.name);
  return names;
}

/// The channels of all files of a recording, under the names used here.
std::vector<Track> read_all(const RecordingSet& set, const FoundRecording& found) {
  std::vector<Track> all;
  for (std::size_t i = 0; i < set.signals.size(); ++i) {
    auto tracks =
        formats::read_tracks(set.signals[i], found.signals[i],
                             formats::label_columns(set, i, found), formats::signals_name(i));
    std::move(tracks.begin(), tracks.end(), std::back_inserter(all));
  }
  for (Track& each : all)
    if (const auto name = set.rename.find(each.name); name != set.rename.end())
      each.name = name->second;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (all[i].name == all[j].name)
        throw DataError(fmt::format(
            "recording \"{}\": two channels are called \"{}\". Give an entry of signals names or a "
            "prefix.",
            found.name, printable(all[i].name)));
  return all;
}

/// A channel that is not in the files: no values, which load_recording fills.
Track absent(const std::string& name) {
  Track track;
  track.name = name;
  return track;
}

std::vector<Track> choose(const RecordingSet& set, std::vector<Track> all,
                          const FoundRecording& found) {
  if (set.channels.empty()) return all;
  std::vector<Track> chosen;
  for (const std::string& name : set.channels) {
    const auto names = names_of(all);
    const auto at = std::find(names.begin(), names.end(), name);
    if (at != names.end()) {
      chosen.push_back(all[static_cast<std::size_t>(at - names.begin())]);
      continue;
    }
    if (set.missing_channels == MissingChannels::refused)
      throw DataError(
          fmt::format("recording \"{}\": there is no channel \"{}\".{} There are: {}. Other "
                      "spellings: rename; to "
                      "go on without: missing_channels = \"zeros\" or \"nan\".",
                      found.name, printable(name), printable(did_you_mean(name, names)),
                      fmt::join(names, ", ")));
    chosen.push_back(absent(name));
  }
  if (std::all_of(chosen.begin(), chosen.end(), [](const Track& t) { return t.values.empty(); }))
    throw DataError(fmt::format("recording \"{}\" has none of the channels {}. Leave it out: skip.",
                                found.name, fmt::join(set.channels, ", ")));
  return chosen;
}

double rate_of(const RecordingSet& set, const std::vector<Track>& tracks,
               const FoundRecording& found) {
  if (set.rate != 0) {
    if (set.rate > 0 && std::isfinite(set.rate)) return set.rate;
    throw ArgumentError(fmt::format("recordings: rate must be above 0, got {}.", set.rate));
  }
  const Track* first = nullptr;
  for (const Track& each : tracks) {
    if (each.values.empty()) continue;
    if (!first) first = &each;
    if (each.frequency != first->frequency)
      throw DataError(
          fmt::format("recording \"{}\": channel \"{}\" has {} values per second, \"{}\" "
                      "{}. Say what the network shall see: rate = {}.",
                      found.name, printable(first->name),
                      rate_text(first->frequency, each.frequency), printable(each.name),
                      rate_text(each.frequency, first->frequency), rate_text(first->frequency)));
  }
  return first->frequency;
}

/// When the recording begins, and how many steps it has. `tolerance`: seconds.
Grid extent_of(const RecordingSet& set, const std::vector<Track>& tracks, double rate,
               double tolerance, const FoundRecording& found) {
  const Track* first = nullptr;
  double latest_start = 0, earliest_start = 0, latest_end = 0, earliest_end = 0;
  for (const Track& each : tracks) {
    if (each.values.empty()) continue;
    if (!first) {
      latest_start = earliest_start = each.start;
      latest_end = earliest_end = each.end();
      first = &each;
    }
    latest_start = std::max(latest_start, each.start);
    earliest_start = std::min(earliest_start, each.start);
    latest_end = std::max(latest_end, each.end());
    earliest_end = std::min(earliest_end, each.end());
    if (set.extent == Extent::equal && (std::abs(each.start - first->start) > tolerance ||
                                        std::abs(each.end() - first->end()) > tolerance))
      throw DataError(fmt::format(
          "recording \"{}\": channel \"{}\" lasts from {:.9g} to {:.9g} s ({} values), \"{}\" from "
          "{:.9g} to {:.9g} s ({} values). Take what they share, extent = \"shared\", or all, "
          "\"whole\".",
          found.name, printable(first->name), first->start, first->end(), first->values.size(),
          printable(each.name), each.start, each.end(), each.values.size()));
  }
  Grid grid;
  grid.rate = rate;
  grid.start = set.extent == Extent::whole ? earliest_start : latest_start;
  const double end = set.extent == Extent::whole ? latest_end : earliest_end;
  // As resampling does: a step for every begun one.
  grid.steps = static_cast<Index>(std::ceil((end - grid.start) * rate - 1e-6));
  if (grid.steps < 1)
    throw DataError(
        fmt::format("recording \"{}\": its channels share no time. extent = \"whole\" "
                    "takes all of it.",
                    found.name));
  if (grid.steps > (Index{1} << 33) / static_cast<Index>(tracks.size()))
    throw LimitError(
        fmt::format("recording \"{}\" has {} steps. Check the clock.", found.name, grid.steps));
  return grid;
}

/// Puts a track into its column. Where it has nothing, the column keeps NaN.
void put(const Track& track, const Grid& grid, Index column, Array& signal) {
  const Index channels = signal.shape()[1];
  const auto shift = static_cast<Index>(std::floor((grid.start - track.start) * grid.rate + 0.5));
  for (Index t = 0; t < grid.steps; ++t) {
    const Index at = t + shift;
    if (at >= 0 && at < static_cast<Index>(track.values.size()))
      signal.data()[t * channels + column] = track.values[static_cast<std::size_t>(at)];
  }
}

/// Weight 0 where channels that the recording has lack a value.
void mask(const Array& signal, const std::vector<bool>& is_there, Present present, Array& weights) {
  const Index channels = signal.shape()[1];
  for (Index t = 0; t < signal.shape()[0]; ++t) {
    Index has = 0, should = 0;
    for (Index c = 0; c < channels; ++c) {
      if (!is_there[static_cast<std::size_t>(c)]) continue;
      ++should;
      has += std::isfinite(signal.data()[t * channels + c]);
    }
    if (present == Present::every_channel ? has < should : has == 0) weights.data()[t] = 0;
  }
}

Array label_steps(const RecordingSet& set, const FoundRecording& found, const Grid& grid,
                  Array& weights) {
  formats::Painter painter(grid, found.name);
  for (std::size_t i = 0; i < set.labels.size(); ++i)
    if (!found.labels[i].empty()) formats::put_labels(set, i, found, grid, painter);
  std::optional<float> background;
  if (!set.background.empty()) background = formats::class_number(set, set.background);
  Array labels;
  painter.finish(set.labels.empty() ? std::nullopt : background, labels, weights);
  return labels;
}

void check_set(const RecordingSet& set) {
  if (!set.units.empty() && set.units.size() != set.channels.size())
    throw ArgumentError(
        fmt::format("recordings: units need one for each of channels, got {} for {} channels.",
                    set.units.size(), set.channels.size()));
  if (!(set.around_labels >= 0))
    throw ArgumentError(
        fmt::format("recordings: around_labels must be at least 0 seconds, got {}. 0 keeps all.",
                    set.around_labels));
  for (const auto* list : {&set.channels, &set.classes})
    for (std::size_t i = 0; i < list->size(); ++i)
      if (std::count(list->begin(), list->end(), (*list)[i]) > 1)
        throw ArgumentError(fmt::format("recordings: {} holds \"{}\" twice.",
                                        list == &set.channels ? "channels" : "classes",
                                        printable((*list)[i])));
}

/// Networks see all recordings alike: channels, their order, and steps per second.
void check_alike(const std::vector<Recording>& all) {
  for (const Recording& each : all) {
    const Recording& first = all[0];
    if (each.frequency != first.frequency)
      throw DataError(
          fmt::format("recordings \"{}\" and \"{}\" have {} and {} steps per second. Say what the "
                      "network shall "
                      "see: rate = {}.",
                      first.name, each.name, rate_text(first.frequency, each.frequency),
                      rate_text(each.frequency, first.frequency), rate_text(first.frequency)));
    if (each.channels.size() != first.channels.size())
      throw DataError(
          fmt::format("recording \"{}\" has {} channels ({}), \"{}\" has {} ({}). Choose those of "
                      "all: channels "
                      "= […].",
                      first.name, first.channels.size(), fmt::join(first.channels, ", "), each.name,
                      each.channels.size(), fmt::join(each.channels, ", ")));
    auto sorted = each.channels, expected = first.channels;
    std::sort(sorted.begin(), sorted.end());
    std::sort(expected.begin(), expected.end());
    if (each.channels != first.channels)
      throw DataError(fmt::format(
          "recordings \"{}\" and \"{}\" have {} ({}; {}). {}.", first.name, each.name,
          sorted == expected ? "their channels in another order" : "other channels",
          fmt::join(first.channels, ", "), fmt::join(each.channels, ", "),
          sorted == expected ? "Say which: channels = […]"
                             : "Give the same thing one name, rename = { … }, or take channels by "
                               "their place: names = […] of the signals"));
    if (each.units != first.units)
      throw DataError(fmt::format(
          "recordings \"{}\" and \"{}\" have other units ({}; {}). Say which: channels = […] and "
          "units = […].",
          first.name, each.name, fmt::join(first.units, ", "), fmt::join(each.units, ", ")));
  }
}

std::vector<Recording> split_channels(const Recording& whole, Present present) {
  std::vector<Recording> parts;
  for (Index c = 0; c < whole.signal.shape()[1]; ++c) {
    Recording& part = parts.emplace_back(channel_of(whole, c));
    part.channels = {"signal"};  // whatever the recorder calls it
    part.units = {whole.units[static_cast<std::size_t>(c)]};
    part.labels = whole.labels;
    part.weights = whole.weights;
    mask(part.signal, {true}, present, part.weights);
  }
  return parts;
}

/// Leaves out what lies further than `seconds` from every label.
void keep_around_labels(Recording& recording, double seconds) {
  const auto weights = recording.weights.values();
  const auto is_labelled = [](float weight) { return weight > 0; };
  const auto first = std::find_if(weights.begin(), weights.end(), is_labelled);
  if (first == weights.end()) return;
  const auto last = std::find_if(weights.rbegin(), weights.rend(), is_labelled);
  const auto steps = static_cast<Index>(weights.size());
  const auto more = static_cast<Index>(std::min(std::ceil(seconds * recording.frequency), 1e15));
  const Index begin = std::max<Index>(first - weights.begin() - more, 0);
  const Index end = std::min<Index>(steps - (last - weights.rbegin()) + more, steps);
  if (begin == 0 && end == steps) return;
  for (Array* each : {&recording.signal, &recording.labels, &recording.weights})
    *each = each->slice(begin, end);
}

}  // namespace

std::vector<std::string> formats::label_columns(const RecordingSet& set, std::size_t entry,
                                                const FoundRecording& found) {
  std::vector<std::string> columns;
  for (std::size_t l = 0; l < set.labels.size(); ++l)
    if (found.labels[l] == found.signals[entry] && !set.labels[l].column.empty())
      columns.push_back(set.labels[l].column);
  return columns;
}

Recording load_recording(const RecordingSet& set, const FoundRecording& found) {
  check_set(set);
  const std::vector<Track> all = read_all(set, found);
  std::vector<Track> tracks = choose(set, all, found);
  const double rate = rate_of(set, tracks, found);
  // Files that count rows must agree to the row; where rates differ, each was rounded to a step.
  const bool is_mixed = std::any_of(tracks.begin(), tracks.end(), [&](const Track& each) {
    return !each.values.empty() && each.frequency != all[0].frequency;
  });
  Recording recording;
  recording.name = found.name;
  recording.group = found.group;
  recording.frequency = rate;
  std::vector<bool> is_there;
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    Track& track = tracks[i];
    is_there.push_back(!track.values.empty());
    if (is_there.back() && !set.units.empty())
      formats::convert(
          track, set.units[i],
          fmt::format("recording \"{}\", channel \"{}\"", found.name, printable(track.name)));
    if (is_there.back()) track = formats::resampled(track, rate);
    recording.channels.push_back(track.name);
    recording.units.push_back(is_there.back() || set.units.empty() ? track.unit : set.units[i]);
  }
  Grid grid = extent_of(set, tracks, rate, (is_mixed ? 1.5 : 0.5) / rate, found);
  const Track& native = all[0];
  grid.native = native.frequency;
  grid.native_start = native.start;
  grid.native_steps = static_cast<Index>(native.values.size());
  grid.zero =
      set.signals[0].time_unit == TimeUnit::date && !set.signals[0].time.empty() ? grid.start : 0;

  const auto channels = static_cast<Index>(tracks.size());
  recording.signal = Array({grid.steps, channels});
  std::fill(recording.signal.values().begin(), recording.signal.values().end(), missing);
  for (Index c = 0; c < channels; ++c) {
    const auto at = static_cast<std::size_t>(c);
    if (is_there[at]) put(tracks[at], grid, c, recording.signal);
    else if (set.missing_channels == MissingChannels::zeros)
      for (Index t = 0; t < grid.steps; ++t) recording.signal(t, c) = 0;
    tracks[at].values = {};
  }
  recording.labels = label_steps(set, found, grid, recording.weights);
  mask(recording.signal, is_there, set.one_channel_each ? Present::any_channel : set.present,
       recording.weights);
  if (set.around_labels > 0) keep_around_labels(recording, set.around_labels);
  return recording;
}

std::vector<Recording> load_recordings(const RecordingSet& set, Remarks* remarks) {
  std::vector<Recording> recordings;
  const std::vector<FoundRecording> all = find_recordings(set, remarks);
  for (const FoundRecording& found : all) {
    Recording whole = load_recording(set, found);
    if (!set.one_channel_each) {
      recordings.push_back(std::move(whole));
      continue;
    }
    for (Recording& part : split_channels(whole, set.present))
      recordings.push_back(std::move(part));
  }
  check_alike(recordings);
  for (std::size_t i = 0; remarks && i < set.signals.size(); ++i)
    if (std::string remark = formats::remark_on_clock(set, i, all.front()); !remark.empty())
      remarks->push_back(std::move(remark));
  return recordings;
}

}  // namespace sonde
