#include "cli/train_recordings.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <iterator>
#include <utility>

#include "cli/fitting.hpp"
#include "cli/recording_report.hpp"
#include "cli/recording_run.hpp"
#include "cli/run_directory.hpp"

namespace sonde::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Spread {
  double mean = 0;
  double deviation = 0;  ///< of the sample; 0 for one value
};

Spread spread_of(const std::vector<double>& values) {
  Spread spread;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) spread.mean += value / count;
  for (const double value : values) spread.deviation += std::pow(value - spread.mean, 2);
  spread.deviation = values.size() > 1 ? std::sqrt(spread.deviation / (count - 1)) : 0;
  return spread;
}

/// All folds of each seed, judged as one.
struct Pooled {
  std::vector<Judged> seeds;
  bool whole = false;

  std::map<std::string, Spread> figures() const {
    std::map<std::string, std::vector<double>> values;
    for (const Judged& each : seeds)
      for (const auto& [name, value] : each.judge.counts().figures()) values[name].push_back(value);
    std::map<std::string, Spread> result;
    for (const auto& [name, list] : values) result[name] = spread_of(list);
    return result;
  }
  std::map<std::string, ConfidenceInterval> intervals() const {
    std::vector<const RecordingJudge*> judges;
    for (const Judged& each : seeds) judges.push_back(&each.judge);
    return intervals_of(judges);
  }
};

Json to_json(const Pooled& pooled, const std::vector<std::string>& classes) {
  Json json;
  const auto intervals = pooled.intervals();
  for (const auto& [name, spread] : pooled.figures()) {
    Json& figure =
        json["figures"][name] = {{"mean", spread.mean}, {"deviation_over_seeds", spread.deviation}};
    if (const auto found = intervals.find(name); found != intervals.end()) {
      figure["low"] = found->second.low;
      figure["high"] = found->second.high;
    }
  }
  json["seeds"] = Json::array();
  for (const Judged& each : pooled.seeds)
    json["seeds"].push_back(to_json(each, classes, pooled.whole));
  return json;
}

std::string to_text(const Pooled& pooled, const std::vector<std::string>& classes) {
  const std::size_t seeds = pooled.seeds.size();
  std::string text;
  if (seeds > 1) {
    const auto intervals = pooled.intervals();
    text += fmt::format("over {} seeds\n{:<20}{:>8}   {:<12}{}\n", seeds, "", "mean", "deviation",
                        intervals.empty() ? "" : "interval over groups");
    for (const auto& [name, spread] : pooled.figures()) {
      const auto range = intervals.find(name);
      text +=
          fmt::format("{:<20}{:>8.4f}   {:<12.4f}{}\n", name, spread.mean, spread.deviation,
                      range == intervals.end()
                          ? ""
                          : fmt::format("{:.4f} … {:.4f}", range->second.low, range->second.high));
    }
    text += "\nthe first seed\n";
  }
  return text + to_text(pooled.seeds.front(), classes, pooled.whole);
}

bool is_numbered(const std::string& name, std::string_view kind) {
  return name.starts_with(kind) && name.size() > kind.size() &&
         name.find_first_not_of("0123456789", kind.size()) == std::string::npos;
}

/// Removes what an earlier run has trained in folders of its own, seed-0/fold-1 and so on, and no
/// folder that is merely called so.
void remove_trainings(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> children;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.is_directory(error)) children.push_back(entry.path());
  for (const std::filesystem::path& child : children) {
    const std::string name = child.filename().string();
    const bool seed = is_numbered(name, "seed-");
    if (!seed && !is_numbered(name, "fold-")) continue;
    if (std::filesystem::exists(child / "config.toml") &&
        std::filesystem::exists(child / "log.txt"))
      std::filesystem::remove_all(child, error);
    else if (seed) {
      remove_trainings(child);
      std::filesystem::remove(child, error);  // where nothing is left
    }
  }
}

/// The folder of one training within the run's.
std::string folder_of(const TrainOptions& o, Index seed, Index fold, std::size_t folds) {
  std::filesystem::path folder = o.out;
  if (o.seeds > 1) folder /= fmt::format("seed-{}", o.seed + seed);
  if (folds > 1) folder /= fmt::format("fold-{}", fold + 1);
  return folder.string();
}

TrainOptions options_of(const TrainOptions& given, Index seed, Index fold, std::size_t folds) {
  TrainOptions o = given;
  o.out = folder_of(given, seed, fold, folds);
  o.seed = given.seed + seed;
  o.seeds = 1;
  if (folds > 1) o.fold = fold + 1;
  if (given.resume && !std::filesystem::exists(std::filesystem::path(o.out) / "config.toml"))
    o.resume = false;
  return o;
}

int train_one(const RecordingTask& task, Index fold, const TrainOptions& o) {
  const RecordingRun run = train_fold(task, fold, o);
  if (o.json) {
    Json result = run.metrics;
    result["out"] = o.out;
    fmt::print("{}\n", result.dump(2));
  } else if (!o.quiet) {
    fmt::print("scores on the {} part: {}", run.judged_part,
               to_text(*run.judged, task.files.classes, run.whole));
  }
  return 0;
}

}  // namespace

void find_files(TrainOptions& o, const std::string& config_file) {
  const std::filesystem::path folder = std::filesystem::path(config_file).parent_path();
  const auto find = [&](std::string& path) {
    if (!path.empty()) path = std::filesystem::absolute(folder / path).lexically_normal().string();
  };
  if (o.recordings) find(o.recordings->folder);
  if (o.split) find(o.split->file);
}

int train_recordings(const TrainOptions& asked) {
  check_options(asked);
  TrainOptions given = asked;
  SplitRules rules = given.split.value_or(SplitRules{});
  if (given.folds) {
    rules.folds = *std::exchange(given.folds, std::nullopt);
    rules.test_share = 0;  // each fold tests
  }
  given.split = rules;
  if (!given.evaluation) given.evaluation = JudgeRules{};

  RecordingTask task{.files = load_recording_files(*given.recordings, given.ignore_label)};
  task.classes = count_classes(task.files);
  task.each_channel = given.recordings->one_channel_each;
  task.combine_channels = given.combine_channels;
  task.folds = plan_split(task.files.recordings, rules);
  const auto folds = static_cast<Index>(task.folds.size());
  if (given.fold > folds)
    throw ArgumentError(fmt::format("--fold {}: there {} {} fold{}.", given.fold,
                                    folds == 1 ? "is" : "are", folds, folds == 1 ? "" : "s"));
  const bool one_fold = folds == 1 || given.fold > 0;
  const Index first = given.fold > 0 ? given.fold - 1 : 0;
  if (one_fold && given.seeds == 1)
    return train_one(task, first, options_of(given, 0, first, task.folds.size()));

  RunDirectory run = run_directory(given);
  run.open();
  if (!given.resume) remove_trainings(run.folder());
  TrainOptions repeated = given;
  repeated.force = repeated.resume = false;
  const auto write_config = [&] {
    run.write("config.toml", write_toml(to_config(repeated), train_texts()));
  };
  // What a run says of itself stays true until what was asked for now is done.
  if (!std::filesystem::exists(run.file("config.toml"))) write_config();
  for (const std::string& remark : std::exchange(task.files.remarks, {})) run.say(remark);  // once
  Pooled pooled;
  std::vector<ShownRecording> shown;  // of the first seed
  for (Index seed = 0; seed < given.seeds; ++seed) {
    std::optional<Judged> all;
    const bool is_shown = seed == 0;
    for (Index fold = first; fold < (one_fold ? first + 1 : folds); ++fold) {
      const TrainOptions o = options_of(given, seed, fold, task.folds.size());
      run.say(fmt::format("--- {}", o.out));
      RecordingRun each = train_fold(task, fold, o);
      pooled.whole = each.whole;
      if (is_shown) std::move(each.shown.begin(), each.shown.end(), std::back_inserter(shown));
      if (all) all->add(*each.judged);
      else all = std::move(each.judged);
    }
    pooled.seeds.push_back(std::move(*all));
  }
  Json result = {
      {"status", "finished"}, {"folds", folds}, {"scores", to_json(pooled, task.files.classes)}};
  write_config();
  run.write("metrics.json", result.dump(2) + "\n");
  Report page = recording_report(pooled.seeds.front(), std::move(shown), task.files.classes,
                                 one_fold ? "judged" : "tested in its own fold");
  page.title = fmt::format("{} on {}", given.model, given.recordings->folder);
  write_report(run.file("report.html"), page);
  const std::string text = to_text(pooled, task.files.classes);
  run.log(text);
  if (given.json) {
    result["out"] = given.out;
    fmt::print("{}\n", result.dump(2));
  } else if (!given.quiet) {
    fmt::print("all folds together: {}", text);
  }
  return 0;
}

}  // namespace sonde::cli
