#include "cli/recording_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <sonde/networks.hpp>

#include "cli/augment.hpp"
#include "cli/data_memory.hpp"
#include "cli/fitting.hpp"
#include "cli/model_file.hpp"
#include "cli/post_process.hpp"
#include "cli/provenance.hpp"
#include "cli/recording_report.hpp"
#include "cli/recording_split.hpp"
#include "cli/run_directory.hpp"
#include "cli/task.hpp"
#include "cli/training_run.hpp"

namespace sonde::cli {
namespace {

using Json = nlohmann::ordered_json;

Normalizer fit_scale(const std::vector<Recording>& train, const TrainOptions& o) {
  const Scaling scaling = o.normalize == "zscore"    ? Scaling::per_channel
                          : o.normalize == "robust"  ? Scaling::per_channel_robust
                          : o.normalize == "running" ? Scaling::running
                          : o.normalize == "range"   ? Scaling::per_recording_range
                          : o.normalize == "detrend" ? Scaling::per_recording_detrended
                                                     : Scaling::per_recording_robust;
  const double length = o.normalize_seconds * train.front().frequency;
  const double steps = scaling == Scaling::running ? std::max(1.0, length) : length;
  return fit_normalizer(train, scaling, steps);
}

/// The labels 0 … classes - 1 once each: what a task looks at to see what labels are.
Array each_class(Index classes) {
  Array labels({1, classes, 1});
  std::iota(labels.data(), labels.data() + classes, 0.0f);
  return labels;
}

std::vector<double> count_labels(const std::vector<Recording>& recordings, Index classes) {
  std::vector<double> counts(static_cast<std::size_t>(classes));
  for (const Recording& each : recordings)
    for (Index t = 0; t < each.labels.size(); ++t)
      if (each.weights.data()[t] > 0) ++counts[static_cast<std::size_t>(each.labels.data()[t])];
  return counts;
}

struct Prepared {
  LabellingModel opened;
  Task task;
};

Prepared make_network(const TrainOptions& o, Index classes, Index channels) {
  const Array labels = each_class(classes);
  if (is_model_file(o.model)) {
    LabellingModel opened = load_model_file(o.model, true, o.weights);
    Task task = task_for(opened.model, labels, {}, classes, o.loss);
    return {std::move(opened), std::move(task)};
  }
  Task task = task_of(labels, {}, classes, o.loss);
  const NetworkName& network = find_network(o.model);
  if (!network.labels_steps || !network.any_length)
    throw ArgumentError(fmt::format(
        "--model {} does not give a label for each step of a recording of any length. Use "
        "conv-bilstm or conv-lstm.",
        o.model));
  Model model = sonde::make_network(o.model, {dynamic, channels},
                                    {.filters = o.filters,
                                     .kernel_size = o.kernel_size,
                                     .pool_size = o.pool_size,
                                     .units = o.units,
                                     .outputs = task.outputs,
                                     .activation = task.activation,
                                     .seed = static_cast<std::uint64_t>(o.seed),
                                     .conv_layers = o.conv_layers,
                                     .lstm_layers = o.lstm_layers,
                                     .dropout = o.dropout});
  if (!o.weights.empty()) model.load_weights(o.weights);
  return {LabellingModel{std::move(model)}, std::move(task)};
}

std::vector<float> weights_of_classes(const TrainOptions& o, const Task& task,
                                      const std::vector<Recording>& train, Index classes) {
  if (o.class_weight == "auto") return class_weights(train, classes);
  return read_class_weights(o.class_weight, task, each_class(classes), {}, 1, classes);
}

/// The figures of an epoch, as "val_macro_f1" and the like.
Logs logs_of(const Judged& judged) {
  Logs logs = {{"val_loss", judged.judge.log_loss()}};
  for (const auto& [name, value] : judged.judge.counts().figures()) logs["val_" + name] = value;
  return logs;
}

/// Names that logs_of will give, without judging anything.
std::vector<std::string> watched_names(const Task& task, const JudgeRules& rules, Index classes,
                                       bool validated) {
  std::vector<std::string> names = {"loss", std::string(task.metric())};
  if (!validated) return names;
  for (const char* name : {"loss", "accuracy", "balanced_accuracy", "macro_f1"})
    names.push_back(fmt::format("val_{}", name));
  if (classes == 2) names.emplace_back("val_f1");
  if (!rules.events.empty()) names.emplace_back("val_event_f1");
  if (rules.boundary_tolerance > 0) names.emplace_back("val_boundary_f1");
  return names;
}

/// What predicting needs to know besides the network.
void describe_labels(Extras& extras, const RecordingTask& job, const FoldData& data,
                     const JudgeRules& rules, const WholeOptions& how) {
  const Recording& first = data.parts().train.front();
  const auto all = [&](auto same) {
    return std::all_of(job.files.recordings.begin(), job.files.recordings.end(), same);
  };
  if (all([&](const Recording& each) { return each.frequency == first.frequency; }))
    extras.frequency = first.frequency;
  extras.each_channel |= job.each_channel;
  extras.combine_channels = job.combine_channels;
  // Recorders that name their channels differently are told apart by nobody. An earlier model's
  // names hold: its channels were put into its order.
  const std::set<std::string> names(first.channels.begin(), first.channels.end());
  if (extras.channels.empty() && !extras.each_channel && names.size() == first.channels.size() &&
      !names.contains("") &&
      all([&](const Recording& each) { return each.channels == first.channels; }))
    extras.channels = first.channels;
  extras.classes = job.files.classes;
  extras.background = std::max<Index>(rules.background, 0);
  extras.windows.reset();
  if (how.window > 0)
    extras.windows = {.length = how.window,
                      .hop = how.hop > 0 ? how.hop : std::max<Index>(how.window / 2, 1)};
}

/// What post-processing is chosen by: the value that is monitored, as far as it looks at final
/// labels; else F1 per step.
Criterion criterion_of(const std::string& monitor, const JudgeRules& rules) {
  Criterion criterion;
  if (monitor == "val_event_f1") {
    criterion.kind = Criterion::Kind::event_f1;
    criterion.rule = rules.event_rules().front();
  } else if (monitor == "val_boundary_f1") {
    criterion.kind = Criterion::Kind::boundary_f1;
    criterion.tolerance = rules.boundary_tolerance;
  }
  return criterion;
}

/// What the network alone says of recordings, beside what people say.
class Unprocessed {
 public:
  Judged::Show show() {
    return [this](const Recording& each, Array probabilities, std::vector<Index>) {
      One& one = said_.emplace_back();
      one.probabilities = std::move(probabilities);
      one.labels.assign(each.labels.values().begin(), each.labels.values().end());
      for (Index& label : one.labels) label = std::max<Index>(label, 0);
      one.weights = each.weights;
      one.frequency = each.frequency;
    };
  }
  std::vector<LabelledProbabilities> all() const {
    std::vector<LabelledProbabilities> all;
    for (const One& each : said_)
      all.push_back({&each.probabilities, each.labels, each.weights.values(), each.frequency});
    return all;
  }

 private:
  struct One {
    Array probabilities;
    std::vector<Index> labels;
    Array weights;
    double frequency = 0;
  };
  std::vector<One> said_;
};

/// The options with the lengths that were left open. `fixed_length`: the network takes no other.
TrainOptions with_lengths(TrainOptions o, const std::vector<Recording>& lessons,
                          bool fixed_length) {
  if (o.window == 0) {
    o.window = 400;
    for (const Recording& each : lessons) o.window = std::min(o.window, each.signal.shape()[0]);
    const double stretch = o.augmentation ? o.augmentation->stretch : 0;
    o.window =
        std::max<Index>(static_cast<Index>(static_cast<double>(o.window) / (1 + stretch)), 1);
  }
  if (o.predict == "auto") o.predict = fixed_length ? "windows" : "whole";
  if (o.predict == "windows" && o.predict_window == 0) o.predict_window = o.window;
  return o;
}

/// The network, its task, and the scale of its signals, which the data is brought to. A network
/// that goes on sees signals as it always did; what became of its labels is found anew.
Prepared prepare(const TrainOptions& o, const RecordingTask& job, FoldData& data,
                 RunDirectory& run) {
  Prepared prepared =
      make_network(o, job.classes, data.parts().train.front().signal.shape().last());
  LabellingModel& opened = prepared.opened;
  data.arrange(opened);
  prepared.task.counts = count_labels(data.lessons(), job.classes);
  if (opened.extras.normalizer) run.say(fmt::format("scale:  that of {}", o.model));
  else if (o.normalize != "none") opened.extras.normalizer = fit_scale(data.lessons(), o);
  if (o.post_processing && job.classes > 2 &&
      (o.post_processing->threshold != 0.5 || o.post_processing->low_threshold))
    throw ArgumentError(fmt::format(
        "[post_processing] threshold and low_threshold are of the second of two classes, and there "
        "are {}. class_factors make a class more or less frequent.",
        job.classes));
  opened.extras.temperature = 1;
  opened.extras.post_processing = o.post_processing.value_or(PostProcessing{});
  return prepared;
}

void tell(RunDirectory& run, const TrainOptions& o, const FoldData& data, Index missing,
          const Prepared& prepared, const JudgeRules& rules) {
  Index parameters = 0;
  for (const Array& weights : prepared.opened.model.get_weights()) parameters += weights.size();
  for (const std::string& line : told(data.split())) run.say(line);
  if (data.mixtures() > 0)
    run.say(fmt::format("mixtures:   {} recordings of channels mixed at random train too",
                        data.mixtures()));
  if (missing > 0)
    run.say(
        fmt::format("missing: {} numbers are NaN or infinite; 0, the middle of a channel, "
                    "stands for them",
                    missing));
  run.say(fmt::format("labels: {}", prepared.task.text()));
  run.say(
      fmt::format("model:  {}, {} parameters; {} windows of {} steps an epoch; recordings "
                  "predicted {}",
                  o.model, parameters, o.windows_per_epoch, o.window,
                  o.predict == "whole" ? std::string("whole")
                                       : fmt::format("in windows of {} steps", o.predict_window)));
  if (o.monitor == "val_event_f1")
    run.say("best:   by val_event_f1, " + rules.event_rules().front().text());
}

/// What the run begins with: its configuration, and where its data comes from.
void begin(RunDirectory& run, const TrainOptions& o, const Json& split, bool resumes) {
  run.open();
  run.write("config.toml", write_toml(to_config(o), train_texts()));
  Json origin = provenance(o.seed, {{"model", is_model_file(o.model) ? o.model : ""}});
  origin["files"].update(sources_of(split));
  if (resumes) check_same_files(run.file("provenance.json"), origin);
  if (!resumes || !std::filesystem::exists(run.file("provenance.json")))
    run.write("provenance.json", origin.dump(2) + "\n");
}

}  // namespace

RecordingRun train_fold(const RecordingTask& job, Index fold, const TrainOptions& given) {
  RunDirectory run = run_directory(given);
  for (const std::string& remark : job.files.remarks) run.say(remark);
  FoldData data(job, fold, given);
  const JudgeRules rules = given.evaluation.value_or(JudgeRules{});
  static_cast<void>(RecordingJudge(job.classes, rules));  // refuses rules before training
  if (given.post_process == "auto" && !data.validated())
    throw ArgumentError(
        "--post-process auto needs a validation part to choose by: [split] validation_share.");
  Prepared prepared = prepare(given, job, data, run);
  Model& model = prepared.opened.model;
  Extras& extras = prepared.opened.extras;
  Shown shown(data.judged());
  if (extras.normalizer)
    if (const std::string hint = data.hint_at_scale(*extras.normalizer); !hint.empty())
      run.say(hint);
  const Index missing = data.scale(extras.normalizer);

  TrainOptions o = with_lengths(given, data.lessons(),
                                model.graph().input_tensors().front().shape()[0] != dynamic);
  const WholeOptions how{.window = o.predict == "windows" ? o.predict_window : 0,
                         .hop = o.predict_hop,
                         .batch_size = o.batch_size,
                         .threads = o.threads};
  describe_labels(extras, job, data, rules, how);
  const Windows windows(data.lessons(),
                        steps_needed(o.window, o.augmentation.value_or(Augmentation{})),
                        {.per_epoch = o.windows_per_epoch,
                         .seed = static_cast<std::uint64_t>(o.seed),
                         .balanced = o.balanced});
  const std::optional<Augmented> changed = augmented(windows, o);
  o.windows_per_epoch = windows.size();
  const Index steps = o.epochs * ((windows.size() + o.batch_size - 1) / o.batch_size);
  if (const std::string left_out = compile(model, o, prepared.task, steps); !left_out.empty())
    run.say(left_out);
  o = effective(std::move(o), prepared.task, model, data.validated() ? "val_loss" : "loss");
  check_monitor(o, watched_names(prepared.task, rules, job.classes, data.validated()));
  tell(run, o, data, missing, prepared, rules);

  const PositionBaseline baseline(data.parts().train, job.classes);
  const auto judge_part = [&](std::span<const Recording> part, const Judged::Show& show = {}) {
    Judged judged(job.classes, rules);
    judged.add(model, part, &baseline, how, extras, show);
    return judged;
  };
  const std::vector<Recording>& validation = data.parts().validation;
  TrainingRun training(run, model, extras, o.monitor,
                       [&] { begin(run, o, data.split(), given.resume); });
  FitOptions fit = fit_options(run, o, given.resume);
  fit.class_weight = weights_of_classes(o, prepared.task, data.lessons(), job.classes);
  const SampleSource& samples = changed ? static_cast<const SampleSource&>(*changed) : windows;
  run.say("memory: " + model.training_memory(samples, fit).text());
  if (const std::string text = data_on_disk_text(); !text.empty()) run.say("disk:   " + text);
  training.fit(samples, std::move(fit), [&](Training& t) {
    if (!data.validated()) return;
    const Logs logs = logs_of(judge_part(validation));
    t.logs.insert(logs.begin(), logs.end());
  });

  Json scores = Json::object();
  if (o.post_process == "auto") {
    Unprocessed said;
    judge_part(validation, said.show());
    const std::string chosen = tune_recipe(extras, said.all(), criterion_of(o.monitor, rules));
    run.say("labels: chosen on the validation part: " + chosen);
    save_recipe(run.file("model.keras"), extras);
    scores["post_process"] = chosen;
  }
  RecordingRun result{.judged_part = data.judged_part(),
                      .judged = judge_part(data.judged(), shown.show()),
                      .whole = how.window == 0,
                      .metrics = {}};
  const std::vector<std::string>& classes = job.files.classes;
  scores["scored_on"] = result.judged_part;
  scores["scores"] = to_json(*result.judged, classes, result.whole);
  if (data.validated() && result.judged_part != "validation")
    scores["validation"] = to_json(judge_part(validation), classes, result.whole);
  scores["split"] = data.split();
  result.metrics = training.finish(std::move(scores));
  result.shown = shown.take();
  Report page = recording_report(*result.judged, result.shown, classes,
                                 "the " + result.judged_part + " part");
  page.title = fmt::format("{} on {}", o.model, o.recordings->folder);
  page.parts = parts_of(data.parts());
  add_run(page, run.folder(), model);
  write_report(run.file("report.html"), page);
  run.say(fmt::format("best:   {}, saved in {}", training.best_text(),
                      run.file("model.keras").string()));
  run.log(to_text(*result.judged, classes, result.whole));
  return result;
}

}  // namespace sonde::cli
