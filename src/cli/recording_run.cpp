#include "cli/recording_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <sonde/networks.hpp>

#include "cli/fitting.hpp"
#include "cli/model_file.hpp"
#include "cli/provenance.hpp"
#include "cli/run_directory.hpp"
#include "cli/task.hpp"
#include "cli/training_run.hpp"

namespace sonde::cli {
namespace {

using Json = nlohmann::ordered_json;

template <class F>
void for_each_part(Parts& parts, F f) {
  f("train", parts.train);
  f("validation", parts.validation);
  f("test", parts.test);
}

double labelled_steps(const std::vector<Recording>& recordings) {
  double steps = 0;
  for (const Recording& each : recordings)
    for (const float weight : each.weights.values()) steps += weight > 0;
  return steps;
}

/// Who is on which side, and the hash of what is there.
Json describe(Parts& parts) {
  Json json;
  for_each_part(parts, [&](const char* name, const std::vector<Recording>& part) {
    if (part.empty()) return;
    std::set<std::string> groups;
    Json names = Json::array();
    for (const Recording& each : part) {
      groups.insert(group_of(each));
      names.push_back(each.name);
    }
    json[name] = {{"groups", groups},
                  {"recordings", names},
                  {"labelled_steps", labelled_steps(part)},
                  {"sha256", sha256_of(part)}};
  });
  return json;
}

/// Groups that stand in more than one part, as with by = "recording" and "time".
std::vector<std::string> shared_groups(const Json& split) {
  std::map<std::string, int> parts;
  for (const auto& each : split)
    for (const auto& group : each["groups"]) ++parts[group.get<std::string>()];
  std::vector<std::string> shared;
  for (const auto& [group, count] : parts)
    if (count > 1) shared.push_back(group);
  return shared;
}

Normalizer fit_scale(const std::vector<Recording>& train, const TrainOptions& o) {
  const Scaling scaling = o.normalize == "zscore"    ? Scaling::per_channel
                          : o.normalize == "robust"  ? Scaling::per_channel_robust
                          : o.normalize == "running" ? Scaling::running
                                                     : Scaling::per_recording_robust;
  const double steps = std::max(1.0, o.normalize_seconds * train.front().frequency);
  return fit_normalizer(train, scaling, scaling == Scaling::running ? steps : 0);
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

Prepared prepare(const TrainOptions& o, Index classes, Index channels) {
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
  Model model = make_network(o.model, {dynamic, channels},
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
    names.push_back(std::string("val_") + name);
  if (classes == 2) names.push_back("val_f1");
  if (!rules.events.empty()) names.push_back("val_event_f1");
  if (rules.boundary_tolerance > 0) names.push_back("val_boundary_f1");
  return names;
}

/// What predicting needs to know besides the network.
void describe_labels(Extras& extras, const RecordingTask& job, const Parts& parts,
                     const JudgeRules& rules, const WholeOptions& how) {
  const Recording& first = parts.train.front();
  const auto all = [&](auto same) {
    return std::all_of(job.files.recordings.begin(), job.files.recordings.end(), same);
  };
  if (all([&](const Recording& each) { return each.frequency == first.frequency; }))
    extras.frequency = first.frequency;
  // Recorders that name their channels differently are told apart by nobody.
  const std::set<std::string> names(first.channels.begin(), first.channels.end());
  if (names.size() == first.channels.size() && !names.contains("") &&
      all([&](const Recording& each) { return each.channels == first.channels; }))
    extras.channels = first.channels;
  extras.classes = job.files.classes;
  extras.background = std::max<Index>(rules.background, 0);
  extras.windows.reset();
  if (how.window > 0)
    extras.windows = {.length = how.window,
                      .hop = how.hop > 0 ? how.hop : std::max<Index>(how.window / 2, 1)};
}

}  // namespace

RunDirectory::Voice voice_of(const TrainOptions& o) {
  using Voice = RunDirectory::Voice;
  return o.quiet || o.progress == "none" ? Voice::none
         : o.progress == "json"          ? Voice::programs
                                         : Voice::people;
}

RecordingRun train_fold(const RecordingTask& job, Index fold, const TrainOptions& given) {
  using Earlier = RunDirectory::Earlier;
  RunDirectory run(given.out,
                   given.resume  ? Earlier::go_on
                   : given.force ? Earlier::remove
                                 : Earlier::refuse,
                   voice_of(given));
  Parts parts = divide(job.files.recordings, job.folds[static_cast<std::size_t>(fold)]);
  check_no_copies(parts);
  const Json split = describe(parts);
  const Index channels = parts.train.front().signal.shape().last();
  const JudgeRules rules = given.evaluation.value_or(JudgeRules{});
  static_cast<void>(RecordingJudge(job.classes, rules));  // refuses rules before training

  Prepared prepared = prepare(given, job.classes, channels);
  LabellingModel& opened = prepared.opened;
  Task& task = prepared.task;
  task.counts = count_labels(parts.train, job.classes);
  Model& model = opened.model;
  if (opened.extras.normalizer) run.say(fmt::format("scale:  that of {}", given.model));
  else if (given.normalize != "none") opened.extras.normalizer = fit_scale(parts.train, given);
  Index missing = 0;
  for_each_part(parts, [&](const char*, std::vector<Recording>& part) {
    for (Recording& each : part) {
      if (opened.extras.normalizer) opened.extras.normalizer->apply(each.signal);
      missing += fill_missing(each.signal);
    }
  });

  TrainOptions o = given;
  if (o.window == 0) {
    o.window = 400;
    for (const Recording& each : parts.train) o.window = std::min(o.window, each.signal.shape()[0]);
  }
  const bool fixed_length = model.graph().input_tensors().front().shape()[0] != dynamic;
  if (o.predict == "auto") o.predict = fixed_length ? "windows" : "whole";
  if (o.predict == "windows" && o.predict_window == 0) o.predict_window = o.window;
  const WholeOptions how{.window = o.predict == "windows" ? o.predict_window : 0,
                         .hop = o.predict_hop,
                         .batch_size = o.batch_size,
                         .threads = o.threads};
  describe_labels(opened.extras, job, parts, rules, how);
  const Windows windows(
      parts.train, o.window,
      {.per_epoch = o.windows_per_epoch, .seed = static_cast<std::uint64_t>(o.seed)});
  o.windows_per_epoch = windows.size();
  compile(model, o, task, o.epochs * ((windows.size() + o.batch_size - 1) / o.batch_size));
  const bool validated = !parts.validation.empty();
  o = effective(std::move(o), task, model, validated ? "val_loss" : "loss");
  check_monitor(o, watched_names(task, rules, job.classes, validated));

  Index parameters = 0;
  for (const Array& weights : model.get_weights()) parameters += weights.size();
  for_each_part(parts, [&](const char* name, const std::vector<Recording>& part) {
    if (!part.empty())
      run.say(fmt::format("{:<12}{} recordings of {} groups, {} labelled steps, sha256 {}",
                          fmt::format("{}:", name), part.size(), split[name]["groups"].size(),
                          split[name]["labelled_steps"].get<double>(),
                          split[name]["sha256"].get<std::string>().substr(0, 12)));
  });
  if (const auto shared = shared_groups(split); !shared.empty())
    run.say(
        fmt::format("warning: {} groups stand on more than one side, as by and validation_by "
                    "of [split] allow: {}{}. Scores say nothing about other groups.",
                    shared.size(), shared.front(), shared.size() > 1 ? ", …" : ""));
  if (missing > 0)
    run.say(
        fmt::format("missing: {} numbers are NaN or infinite; 0, the middle of a channel, "
                    "stands for them",
                    missing));
  run.say(fmt::format("labels: {}", task.text()));
  run.say(
      fmt::format("model:  {}, {} parameters; {} windows of {} steps an epoch; recordings "
                  "predicted {}",
                  o.model, parameters, windows.size(), o.window,
                  o.predict == "whole" ? std::string("whole")
                                       : fmt::format("in windows of {} steps", o.predict_window)));

  const auto before = [&] {
    run.open();
    run.write("config.toml", write_toml(to_config(o), train_texts()));
    Json origin = provenance(o.seed, {{"model", is_model_file(o.model) ? o.model : ""}});
    for (const auto& [name, part] : split.items())
      origin["files"][name] = {{"path", name}, {"sha256", part["sha256"]}};
    if (given.resume) check_same_files(run.file("provenance.json"), origin);
    if (!given.resume || !std::filesystem::exists(run.file("provenance.json")))
      run.write("provenance.json", origin.dump(2) + "\n");
  };
  FitOptions fit{.epochs = o.epochs, .batch_size = o.batch_size};
  fit.class_weight = weights_of_classes(o, task, parts.train, job.classes);
  fit.threads = o.threads;
  fit.checkpoint = {
      .path = run.file("last.checkpoint"), .seconds = o.checkpoint_seconds, .resume = given.resume};
  if (o.early_stopping)
    fit.callbacks.push_back(EarlyStopping{.monitor = o.monitor, .patience = *o.early_stopping});
  const PositionBaseline baseline(parts.train, job.classes);
  const auto judge_part = [&](const std::vector<Recording>& part) {
    Judged judged(job.classes, rules);
    judged.add(model, part, &baseline, how, opened.extras);
    return judged;
  };
  TrainingRun training(run, model, opened.extras, o.monitor, before);
  training.fit(windows, std::move(fit), [&](Training& t) {
    if (!validated) return;
    const Logs logs = logs_of(judge_part(parts.validation));
    t.logs.insert(logs.begin(), logs.end());
  });

  RecordingRun result;
  result.whole = how.window == 0;
  const bool tested = !parts.test.empty();
  result.judged_part = tested ? "test" : validated ? "validation" : "training";
  result.judged = judge_part(tested ? parts.test : validated ? parts.validation : parts.train);
  Json scores = {{"scored_on", result.judged_part},
                 {"scores", to_json(*result.judged, job.files.classes, result.whole)}};
  if (tested && validated)
    scores["validation"] = to_json(judge_part(parts.validation), job.files.classes, result.whole);
  scores["split"] = split;
  result.metrics = training.finish(std::move(scores));
  run.say(fmt::format("best:   {}, saved in {}", training.best_text(),
                      run.file("model.keras").string()));
  run.log(to_text(*result.judged, job.files.classes, result.whole));
  return result;
}

}  // namespace sonde::cli
