#include "cli/fitting.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/loss_text.hpp"
#include "cli/model_file.hpp"

namespace sonde::cli {

namespace {

std::string name_of(const MetricChoice& choice) {
  if (choice.name()) return *choice.name();
  return std::visit([](const auto& metric) { return metric.name; }, *choice.metric());
}

}  // namespace

std::vector<std::string> metric_names(const CompileOptions& compiled) {
  std::vector<std::string> names;
  for (const MetricChoice& choice : compiled.metrics) names.push_back(name_of(choice));
  for (const MetricChoice& choice : compiled.weighted_metrics) {
    const std::string name = name_of(choice);
    const bool taken = std::find(names.begin(), names.end(), name) != names.end();
    names.push_back(taken ? "weighted_" + name : name);
  }
  return names;
}

std::string compile(Model& model, const TrainOptions& o, const Task& task, Index steps) {
  const bool goes_on = o.optimizer == "auto" && model.compiled() != nullptr;
  Optimizer optimizer = goes_on ? model.compiled()->optimizer
                                : optimizer_from_name(o.optimizer == "auto" ? "adam" : o.optimizer);
  if (o.learning_rate)
    std::visit([&](auto& each) { each.learning_rate = *o.learning_rate; }, optimizer);
  if (o.clipnorm) std::visit([&](auto& each) { each.clipnorm = *o.clipnorm; }, optimizer);
  if (o.decay == "cosine")
    std::visit(
        [&](auto& each) {
          each.learning_rate = CosineDecay{each.learning_rate.at(0), std::max<Index>(steps, 1)};
        },
        optimizer);
  const std::int64_t iterations = model.iterations();
  std::vector<Buffer<float>> state;
  if (goes_on) state = std::move(model.optimizer_state());
  CompileOptions options{.optimizer = std::move(optimizer), .loss = task.loss};
  const MetricChoice own = std::string(task.metric());
  if (const CompileOptions* file = model.compiled()) {
    options.metrics = file->metrics;
    options.weighted_metrics = file->weighted_metrics;
  }
  const std::vector<std::string> names = metric_names(options);
  const bool has_more = !names.empty();
  if (std::find(names.begin(), names.end(), task.metric()) == names.end())
    options.metrics.insert(options.metrics.begin(), own);
  std::string left_out;
  try {
    model.compile(options);
  } catch (const ArgumentError& error) {  // metrics that do not fit the labels or another loss
    if (!has_more) throw;
    options.metrics = {own};
    options.weighted_metrics.clear();
    model.compile(std::move(options));
    left_out = fmt::format("metrics: those of {} are left out. {}", o.model, error.what());
  }
  if (!goes_on) return left_out;
  model.set_iterations(iterations);
  if (state.size() == model.optimizer_state().size()) model.optimizer_state() = std::move(state);
  return left_out;
}

TrainOptions effective(TrainOptions o, const Task& task, const Model& model,
                       std::string_view best) {
  // A fix may have changed the loss; repeating the run must find the same fixes.
  if (o.apply_fix == 0) o.loss = loss_text(task.loss);
  if (o.optimizer != "auto" || !is_model_file(o.model)) {
    if (o.optimizer == "auto") o.optimizer = "adam";
    // Rates are float32: the shortest number that is the same one.
    const Value rate = real_number(fmt::format("{}", static_cast<float>(model.learning_rate())));
    from_value(rate, "--learning-rate", o.learning_rate);
  }
  o.force = o.resume = false;  // nobody writes over a run by repeating its configuration
  if (o.monitor == "auto") o.monitor = best;
  return o;
}

RunDirectory run_directory(const TrainOptions& o) {
  using Earlier = RunDirectory::Earlier;
  using Voice = RunDirectory::Voice;
  return {o.out,
          o.resume  ? Earlier::go_on
          : o.force ? Earlier::remove
                    : Earlier::refuse,
          o.quiet || o.progress == "none" ? Voice::none
          : o.progress == "json"          ? Voice::programs
                                          : Voice::people};
}

FitOptions fit_options(const RunDirectory& run, const TrainOptions& o, bool resumes) {
  FitOptions fit{.epochs = o.epochs, .batch_size = o.batch_size};
  fit.threads = o.threads;
  fit.memory = o.memory.bytes;
  fit.matmul_precision = o.matmul_precision;
  fit.checkpoint = {
      .path = run.file("last.checkpoint"), .seconds = o.checkpoint_seconds, .resume = resumes};
  if (o.early_stopping)
    fit.callbacks.emplace_back(EarlyStopping{.monitor = o.monitor, .patience = *o.early_stopping});
  return fit;
}

void check_monitor(const TrainOptions& o, const std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), o.monitor) == names.end())
    refuse_name("--monitor", o.monitor, {names.begin(), names.end()});
}

}  // namespace sonde::cli
