#include "cli/evaluate_recordings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/fold_data.hpp"
#include "cli/recording_report.hpp"
#include "cli/recording_split.hpp"
#include "cli/recordings.hpp"
#include "cli/train_recordings.hpp"

namespace sonde::cli {
namespace {

/// The recordings that are judged as `test`, and those that trained where that is known.
sonde::Parts choose(const std::vector<Recording>& recordings, const TrainOptions& o,
                    std::string& part) {
  if (part == "all") return {.train = {}, .validation = {}, .test = recordings};
  SplitRules rules = o.split.value_or(SplitRules{});
  if (o.folds) rules.folds = *o.folds;
  const std::vector<Fold> folds = plan_split(recordings, rules);
  if (folds.size() > 1 && (o.fold < 1 || o.fold > static_cast<Index>(folds.size())))
    throw ArgumentError(fmt::format(
        "the split has {} folds, each with its own model: say fold = N in the file, as the "
        "config.toml of each fold does, or --part all.",
        folds.size()));
  sonde::Parts parts =
      divide(recordings, folds[static_cast<std::size_t>(std::max<Index>(o.fold, 1) - 1)]);
  if (part == "auto")
    part = !parts.test.empty() ? "test" : !parts.validation.empty() ? "validation" : "train";
  return parts;
}

}  // namespace

TrainOptions recording_options(const std::string& file) {
  TrainOptions o;
  read_config(read_toml(file), file, o);
  find_files(o, file);
  if (!o.recordings)
    throw ArgumentError(
        fmt::format("\"{}\" has no table [recordings] that says where recordings are. Arrays are "
                    "given with --x and --y.",
                    file));
  return o;
}

EvaluatedRecordings evaluate_recordings(LabellingModel& opened, const TrainOptions& options,
                                        const EvaluateRecordings& how) {
  constexpr std::array<std::string_view, 5> names = {"all", "train", "validation", "test", "auto"};
  if (std::find(names.begin(), names.end(), how.part) == names.end())
    refuse_name("--part", how.part, {names.begin(), names.end()});
  RecordingSet set = *options.recordings;
  if (set.rate == 0) set.rate = opened.extras.frequency;  // the network has learned no other
  if (opened.extras.each_channel) set.one_channel_each = true;
  const RecordingFiles files = load_recording_files(set, options.ignore_label);
  for (const std::string& remark : files.remarks) fmt::print(stderr, "sonde: {}\n", remark);
  const Index outputs = opened.model.graph().output_tensors().front().shape().last();
  const Index classes = std::max<Index>(outputs, 2), found = count_classes(files);
  if (found > classes)
    throw DataError(
        fmt::format("the model knows {} classes, the recordings have {}.", classes, found));
  EvaluatedRecordings result{.part = how.part,
                             .judged = Judged(classes, options.evaluation.value_or(JudgeRules{})),
                             .classes = files.classes};
  sonde::Parts parts = choose(files.recordings, options, result.part);
  result.parts = parts_of(parts);
  result.split = described(parts);
  std::optional<PositionBaseline> baseline;
  if (!parts.train.empty()) baseline.emplace(parts.train, classes);
  std::vector<Recording>& judged = result.part == "train"        ? parts.train
                                   : result.part == "validation" ? parts.validation
                                                                 : parts.test;
  if (judged.empty())
    throw DataError(
        fmt::format("the split has no {} part. --part all takes every recording.", result.part));
  for (Recording& each : judged) arrange_channels(opened, each);
  Shown shown(how.show ? judged : std::vector<Recording>{});
  for (Recording& each : judged) scale_recording(each, opened.extras.normalizer);
  const auto& windows = opened.extras.windows;
  result.whole = !windows && options.predict != "windows";
  const Index window = options.predict_window > 0 ? options.predict_window : options.window;
  result.judged.add(opened.model, judged, baseline ? &*baseline : nullptr,
                    {.window = windows        ? windows->length
                               : result.whole ? 0
                                              : window,
                     .hop = windows ? windows->hop : options.predict_hop,
                     .batch_size = how.batch_size,
                     .threads = how.threads},
                    opened.extras, how.show ? shown.show() : Judged::Show{});
  result.shown = shown.take();
  return result;
}

}  // namespace sonde::cli
