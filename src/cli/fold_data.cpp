#include "cli/fold_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <sonde/augmentation.hpp>
#include <sonde/error.hpp>
#include <sonde/labeller.hpp>
#include <sonde/words.hpp>
#include <span>

#include "cli/recording_split.hpp"

namespace sonde::cli {

FoldData::FoldData(const RecordingTask& job, Index fold, const TrainOptions& o)
    : parts_(divide(job.files.recordings, job.folds[static_cast<std::size_t>(fold)])) {
  check_no_copies(parts_);
  split_ = described(parts_);
  if (o.mixtures == 0) return;
  std::vector<Recording> mixed = sonde::mixtures(parts_.train, o.mixtures, o.seed);
  if (mixed.empty())
    throw DataError(
        "--mixtures: no recording of the training part has two channels that were recorded "
        "together. Leave it out.");
  lessons_ = parts_.train;
  std::move(mixed.begin(), mixed.end(), std::back_inserter(lessons_));
}

template <class F>
void FoldData::for_each(F f) {
  for (auto* part : {&parts_.train, &parts_.validation, &parts_.test, &lessons_})
    for (Recording& each : *part) f(each, part != &lessons_);
}

const std::vector<Recording>& FoldData::judged() const {
  return !parts_.test.empty() ? parts_.test : validated() ? parts_.validation : parts_.train;
}

std::string FoldData::judged_part() const {
  return !parts_.test.empty() ? "test" : validated() ? "validation" : "training";
}

void FoldData::arrange(const LabellingModel& opened) {
  const double rate = opened.extras.frequency;
  for_each([&](Recording& each, bool) {
    // As near as rates are that are written down and read again.
    if (rate > 0 && !(std::abs(each.frequency / rate - 1) < 1e-9))
      throw DataError(fmt::format(
          "recording \"{}\" has {} steps per second, the model has learned {}. Say rate = {:.10g} "
          "in "
          "[recordings].",
          each.name, rate_text(each.frequency, rate), rate_text(rate, each.frequency), rate));
    arrange_channels(opened, each);
  });
}

std::string FoldData::hint_at_scale(const Normalizer& normalizer) const {
  const Scaling how = normalizer.scaling;
  const bool together = how == Scaling::per_channel_robust;
  std::string first;
  Index count = 0;
  const auto look_at = [&](std::span<const Recording> recordings) {
    std::vector<Index> found = unscaled_channels(recordings, how);
    if (together)  // a scale that came with a model may be another one
      std::erase_if(found,
                    [&](Index c) { return normalizer.scale[static_cast<std::size_t>(c)] != 1; });
    if (found.empty() || ++count > 1) return;
    const Recording& recording = recordings.front();
    const auto c = static_cast<std::size_t>(found.front());
    first = c < recording.channels.size() ? fmt::format("\"{}\"", recording.channels[c])
                                          : fmt::format("{} (the first is 0)", c);
    if (!together) first += fmt::format(" of recording \"{}\"", recording.name);
  };
  if (together) look_at(lessons());
  else
    for (const auto* part : {&parts_.train, &parts_.validation, &parts_.test})
      for (const Recording& each : *part) look_at({&each, 1});
  if (count == 0) return {};
  const bool wide = how == Scaling::per_recording_range;
  return fmt::format(
      "hint:   channel {}: {} of its values or more are the same, so that its {} no scale and it "
      "is only moved to its median{}. --normalize zscore{} sees the rest of it.",
      first, wide ? "96 %" : "half", wide ? "range gives" : "quartiles give",
      count > 1 ? fmt::format("; so it is in {} recordings", count) : "", wide ? "" : " or range");
}

Index FoldData::scale(const std::optional<Normalizer>& normalizer) {
  Index missing = 0;
  for_each([&](Recording& each, bool counts) {
    const Index filled = scale_recording(each, normalizer);
    if (counts) missing += filled;
  });
  return missing;
}

Index scale_recording(Recording& recording, const std::optional<Normalizer>& normalizer) {
  if (normalizer) normalizer->apply(recording.signal);
  return fill_missing(recording.signal);
}

void arrange_channels(const LabellingModel& opened, Recording& recording) {
  const Index takes = channels_of(opened.model);
  if (!opened.extras.channels.empty()) {
    recording.signal = pick_channels(recording, opened.extras);
    if (!recording.channels.empty()) recording.channels = opened.extras.channels;
  }
  if (const Index has = recording.signal.shape()[1]; has != takes)
    throw DataError(fmt::format(
        "recording \"{}\" has {} channels, the model takes {}. {}", recording.name, has, takes,
        takes == 1 ? "Judge each by itself, one_channel_each = true, or choose one: channels = "
                     "[\"…\"]."
                   : "Choose them: channels = […]."));
}

}  // namespace sonde::cli
