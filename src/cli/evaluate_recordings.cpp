#include "cli/evaluate_recordings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/judged.hpp"
#include "cli/model_file.hpp"
#include "cli/recordings.hpp"
#include "cli/train_options.hpp"
#include "cli/train_recordings.hpp"

namespace sonde::cli {
namespace {

TrainOptions read_options(const std::string& file) {
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

/// The recordings that are judged, and those that trained where that is known.
Parts choose(std::vector<Recording> recordings, const TrainOptions& o, const std::string& part) {
  if (part == "all") return {.train = {}, .validation = {}, .test = std::move(recordings)};
  SplitRules rules = o.split.value_or(SplitRules{});
  if (o.folds) rules.folds = *o.folds;
  const std::vector<Fold> folds = plan_split(recordings, rules);
  if (folds.size() > 1 && (o.fold < 1 || o.fold > static_cast<Index>(folds.size())))
    throw ArgumentError(fmt::format(
        "the split has {} folds, each with its own model: say fold = N in the file, as the "
        "config.toml of each fold does, or --part all.",
        folds.size()));
  Parts parts = divide(recordings, folds[static_cast<std::size_t>(std::max<Index>(o.fold, 1) - 1)]);
  if (part == "train") parts.test = parts.train;
  if (part == "validation") parts.test = std::move(parts.validation);
  if (parts.test.empty())
    throw DataError(
        fmt::format("the split has no {} part. --part all takes every recording.", part));
  return parts;
}

}  // namespace

int evaluate_recordings(const EvaluateRecordings& o) {
  if (o.part != "all" && o.part != "train" && o.part != "validation" && o.part != "test")
    refuse_name("--part", o.part, {"all", "train", "validation", "test"});
  LabellingModel opened = load_model_file(o.model, false, o.weights);
  const TrainOptions options = read_options(o.config);
  RecordingFiles files = load_recording_files(*options.recordings);
  const Index outputs = opened.model.graph().output_tensors().front().shape().last();
  const Index classes = std::max<Index>(outputs, 2), found = count_classes(files);
  if (found > classes)
    throw DataError(
        fmt::format("the model knows {} classes, the recordings have {}.", classes, found));
  Parts parts = choose(std::move(files.recordings), options, o.part);
  std::optional<PositionBaseline> baseline;
  if (!parts.train.empty()) baseline.emplace(parts.train, classes);
  for (Recording& each : parts.test) {
    if (opened.extras.normalizer) opened.extras.normalizer->apply(each.signal);
    fill_missing(each.signal);
  }
  const auto& windows = opened.extras.windows;
  const bool whole = !windows && options.predict != "windows";
  const Index window = options.predict_window > 0 ? options.predict_window : options.window;
  Judged judged(classes, options.evaluation.value_or(JudgeRules{}));
  judged.add(opened.model, parts.test, baseline ? &*baseline : nullptr,
             {.window = windows ? windows->length
                        : whole ? 0
                                : window,
              .hop = windows ? windows->hop : options.predict_hop,
              .batch_size = o.batch_size,
              .threads = o.threads},
             opened.extras);
  if (o.json) fmt::print("{}\n", to_json(judged, files.classes, whole).dump(2));
  else fmt::print("{}", to_text(judged, files.classes, whole));
  return 0;
}

}  // namespace sonde::cli
