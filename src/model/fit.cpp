#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.hpp"
#include "data/finite.hpp"
#include "model/state.hpp"
#include "training/target.hpp"
#include "training/updater.hpp"

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// Sums of the batches of an epoch, as Keras logs them: the loss is weighted by batch size.
class EpochSums {
 public:
  EpochSums(const Model::State& state, const std::vector<OutputJob>& jobs)
      : state_(state), jobs_(jobs) {
    for (const OutputJob& job : jobs)
      totals_.push_back({0, std::vector<double>(at(job.state_size()))});
    losses_.resize(jobs.size());
  }

  void add(const BatchRunner& runner, const std::vector<float>& scales, double regularization,
           Index rows) {
    const auto samples = static_cast<double>(rows);
    double loss = regularization;
    for (std::size_t o = 0; o < jobs_.size(); ++o) {
      const double part = runner.totals()[o].loss * static_cast<double>(scales[o]);
      loss += part;
      losses_[o] += part / static_cast<double>(jobs_[o].loss_weight) * samples;
      totals_[o].add(runner.totals()[o]);
    }
    loss_ += loss * samples;
    samples_ += samples;
  }

  Logs logs(const std::string& prefix) const {
    Logs logs;
    logs[prefix + "loss"] = loss_ / samples_;
    for (std::size_t o = 0; o < jobs_.size(); ++o) {
      std::string output = prefix;
      if (jobs_.size() > 1) {
        const auto& source = state_.graph.outputs()[o];
        output += state_.graph.layer(state_.graph.calls()[at(source.call)]).name + "_";
        logs[output + "loss"] = losses_[o] / samples_;
      }
      const double* sums = totals_[o].states.data();
      add_metrics(jobs_[o], jobs_[o].metrics, output, "", sums, logs);
      add_metrics(jobs_[o], jobs_[o].weighted_metrics, output, "weighted_", sums, logs);
    }
    return logs;
  }

 private:
  static void add_metrics(const OutputJob& job, const std::vector<Metric>& metrics,
                          const std::string& prefix, const std::string& kind, const double*& sums,
                          Logs& logs) {
    for (const Metric& metric : metrics) {
      std::string name = prefix + metric_name(metric);
      if (!kind.empty() && logs.count(name)) name = prefix + kind + metric_name(metric);
      logs[name] = metric_result(metric, job.width, sums);
      sums += metric_state_size(metric, job.width);
    }
  }

  const Model::State& state_;
  const std::vector<OutputJob>& jobs_;
  std::vector<OutputTotals> totals_;
  std::vector<double> losses_;
  double loss_ = 0;
  double samples_ = 0;
};

/// Throws where targets, weights or class weights do not fit the outputs.
void check_targets(const Model::State& state, const SampleSource& samples,
                   std::vector<OutputJob>& jobs, const Plan& plan) {
  const auto targets = samples.targets();
  if (targets.size() != jobs.size())
    throw DataError(fmt::format("Model \"{}\": has {} outputs, got targets for {}.",
                                state.options.name, jobs.size(), targets.size()));
  for (std::size_t o = 0; o < jobs.size(); ++o) {
    const LayerInstance& layer =
        state.graph.layer(state.graph.calls()[at(state.graph.outputs()[o].call)]);
    const std::string where = fmt::format("{} \"{}\"", layer.layer.type(), layer.name);
    const Plan::Value& y = plan.values()[at(plan.outputs()[o])];
    check_target(jobs[o].loss, y.shape, targets[o], where);
    const Index vectors = y.shape.elements() / y.shape.last();
    const Index weights = samples.weights(static_cast<Index>(o));
    if (weights != 0 && weights != 1 && weights != vectors)
      throw DataError(fmt::format(
          "{}: sample weights have {} numbers for each sample; the output has {} steps. Give one "
          "weight for each sample, (samples, 1), or one for each step, (samples, {}).",
          where, weights, vectors, vectors));
  }
}

/// Class weights need labels that have a class: one number, or one-hot.
void check_class_weight(const Model::State& state, const std::vector<OutputJob>& jobs) {
  for (std::size_t o = 0; o < jobs.size(); ++o) {
    if (jobs[o].class_weight.empty()) continue;
    const LayerInstance& layer =
        state.graph.layer(state.graph.calls()[at(state.graph.outputs()[o].call)]);
    const bool classes =
        jobs[o].target_width == 1 || std::holds_alternative<CategoricalCrossentropy>(jobs[o].loss);
    if (!classes)
      throw ArgumentError(
          fmt::format("{} \"{}\": class_weight needs one class for each label; this output holds "
                      "{} labels in one vector. Give the output one label per step "
                      "(return_sequences), or weigh samples with sample_weight.",
                      layer.layer.type(), layer.name, jobs[o].width));
    for (const float weight : jobs[o].class_weight)
      if (!(weight >= 0) || std::isinf(weight))
        throw ArgumentError(
            fmt::format("class_weight: weights must be finite and at least 0, got {}.", weight));
  }
}

/// Looks at the labels of every sample, one by one.
void check_all_labels(const Model::State& state, const SampleSource& samples,
                      const std::vector<OutputJob>& jobs) {
  const auto targets = samples.targets();
  for (std::size_t o = 0; o < jobs.size(); ++o) {
    const LayerInstance& layer =
        state.graph.layer(state.graph.calls()[at(state.graph.outputs()[o].call)]);
    const Index width = state.graph.output_tensors()[o].shape().last();
    const auto size = at(targets[o].elements());
    for (Index i = 0; i < samples.size(); ++i) {
      const Sample sample = samples.sample(0, i);
      const Index values = static_cast<Index>(size) / target_width(jobs[o].loss, width);
      std::span<const float> weights;
      if (sample.weights[o] != nullptr && samples.weights(static_cast<Index>(o)) == values)
        weights = {sample.weights[o], at(values)};
      check_labels(jobs[o].loss, width, targets[o].with_front(1), {sample.y[o], size}, weights,
                   fmt::format("{} \"{}\": sample {}", layer.layer.type(), layer.name, i));
    }
  }
}

/// Loss and metrics over all samples with the weights as they are.
Logs evaluate_all(Model::State& state, const SampleSource& samples, Index batch_size, int threads,
                  const std::string& prefix) {
  state.refresh();
  const Index steps = state.check(samples);
  ThreadPool& pool = state.threads(threads);
  std::vector<OutputJob> jobs = state.jobs();
  BatchRunner runner(state.graph, *state.weights, jobs, samples,
                     {.batch_size = std::min(batch_size, samples.size()),
                      .mode = Mode::infer,
                      .steps = steps,
                      .seed = state.options.seed},
                     pool.size(), state.states);
  check_targets(state, samples, jobs, runner.plan());
  const double regularization = regularization_loss(*state.weights, state.entries);
  EpochSums sums(state, runner.jobs());
  std::vector<Index> numbers(at(runner.batch_size()));
  pool.run([&](int worker, Team& team) noexcept { runner.pack(worker, team.size()); });
  for (Index begin = 0; begin < samples.size(); begin += runner.batch_size()) {
    const Index count = std::min(runner.batch_size(), samples.size() - begin);
    std::iota(numbers.begin(), numbers.begin() + count, begin);
    const BatchRunner::Batch batch{.source = &samples, .numbers = {numbers.data(), at(count)}};
    pool.run([&](int worker, Team& team) noexcept { runner.run(batch, worker, team); });
    sums.add(runner, runner.scales(), regularization, count);
  }
  return sums.logs(prefix);
}

}  // namespace

History Model::fit(const SampleSource& samples, FitOptions options) {
  State& state = *state_;
  state.refresh();
  if (options.epochs < 1)
    throw ArgumentError(fmt::format("fit: epochs must be at least 1, got {}.", options.epochs));
  if (options.batch_size < 1)
    throw ArgumentError(
        fmt::format("fit: batch_size must be at least 1, got {}.", options.batch_size));
  if (options.validation_split < 0 || options.validation_split >= 1)
    throw ArgumentError(fmt::format("fit: validation_split must be at least 0 and below 1, got {}.",
                                    options.validation_split));

  // Keras: the split is the tail of the data, cut before shuffling.
  Index training = samples.size();
  if (options.validation_data == nullptr && options.validation_split > 0) {
    training = static_cast<Index>(
        std::floor(static_cast<double>(samples.size()) * (1.0 - options.validation_split)));
    if (training == 0 || training == samples.size())
      throw DataError(fmt::format("fit: validation_split = {} of {} samples leaves one part empty.",
                                  options.validation_split, samples.size()));
  }
  const SamplePart train(samples, 0, training), tail(samples, training, samples.size());
  const SampleSource* validation = options.validation_data;
  if (validation == nullptr && tail.size() > 0) validation = &tail;

  const Index steps = state.check(samples);
  ThreadPool& pool = state.threads(options.threads);
  std::vector<OutputJob> jobs = state.jobs();
  for (OutputJob& job : jobs) job.class_weight = options.class_weight;
  BatchRunner runner(state.graph, *state.weights, jobs, train,
                     {.batch_size = std::min(options.batch_size, training),
                      .mode = Mode::train,
                      .steps = steps,
                      .seed = state.options.seed},
                     pool.size(), state.states);
  check_targets(state, samples, jobs, runner.plan());
  check_class_weight(state, runner.jobs());
  check_all_labels(state, samples, jobs);
  Updater updater(*state.weights, state.entries, state.compiled->optimizer, state.optimizer_state);

  Training report(*this);
  report.epochs = options.epochs;
  report.batches = (training + runner.batch_size() - 1) / runner.batch_size();
  std::vector<Callback> callbacks = options.callbacks;
  if (options.verbose) callbacks.insert(callbacks.begin(), ProgressBar{});
  History history;
  const RandomKey shuffle_key = random_key(state.options.seed, "shuffle");
  std::vector<Index> order(at(training));
  std::iota(order.begin(), order.end(), Index{0});

  for (const Callback& callback : callbacks) callback.train_begin(report);
  for (report.epoch = options.initial_epoch; report.epoch < options.epochs && !report.stop_reason();
       ++report.epoch) {
    if (options.shuffle)
      order = shuffled(training, shuffle_key, static_cast<std::uint64_t>(report.epoch));
    for (const Callback& callback : callbacks) callback.epoch_begin(report);
    EpochSums sums(state, runner.jobs());
    for (report.batch = 0; report.batch < report.batches && !report.stop_reason();) {
      const Index begin = report.batch * runner.batch_size();
      const Index count = std::min(runner.batch_size(), training - begin);
      const BatchRunner::Batch batch{.source = &train,
                                     .epoch = report.epoch,
                                     .numbers = {order.data() + begin, at(count)},
                                     .draw = static_cast<std::uint64_t>(state.iterations)};
      updater.begin(state.iterations);
      pool.run([&](int worker, Team& team) noexcept {
        // First, not last: callbacks may have set other weights.
        runner.pack(worker, team.size());
        team.barrier();
        runner.run(batch, worker, team);
        updater.update(runner, worker, team);
      });
      ++state.iterations;
      sums.add(runner, runner.scales(), updater.regularization(), count);
      ++report.batch;
      report.logs = sums.logs("");
      for (const Callback& callback : callbacks) callback.batch_end(report);
    }
    if (validation != nullptr) {
      const Logs judged =
          evaluate_all(state, *validation, options.batch_size, options.threads, "val_");
      report.logs.insert(judged.begin(), judged.end());
    }
    for (const Callback& callback : callbacks) callback.epoch_end(report);
    history.epoch.push_back(report.epoch);
    for (const auto& entry : report.logs) history.history[entry.first].push_back(entry.second);
  }
  updater.finish();
  for (const Callback& callback : callbacks) callback.train_end(report);
  history.stop_reason = report.stop_reason();
  return history;
}

namespace {

ArraySamples::Arrays pointers(const std::vector<Array>& arrays) {
  ArraySamples::Arrays list;
  for (const Array& each : arrays) list.push_back(&each);
  return list;
}

}  // namespace

History Model::fit(const std::vector<Array>& x, const std::vector<Array>& y, FitOptions options) {
  for (const Array& each : x) check_finite(each, "X");
  ArraySamples::Arrays weights;
  if (options.sample_weight != nullptr) weights.assign(y.size(), options.sample_weight);
  return fit(ArraySamples(pointers(x), pointers(y), weights), std::move(options));
}

History Model::fit(const Array& x, const Array& y, FitOptions options) {
  check_finite(x, "X");
  ArraySamples::Arrays weights;
  if (options.sample_weight != nullptr) weights.push_back(options.sample_weight);
  return fit(ArraySamples({&x}, {&y}, weights), std::move(options));
}

Logs Model::evaluate(const SampleSource& samples, EvaluateOptions options) {
  return evaluate_all(*state_, samples, options.batch_size, options.threads, "");
}

Logs Model::evaluate(const Array& x, const Array& y, EvaluateOptions options) {
  check_finite(x, "X");
  ArraySamples::Arrays weights;
  if (options.sample_weight != nullptr) weights.push_back(options.sample_weight);
  return evaluate(ArraySamples({&x}, {&y}, weights), std::move(options));
}

}  // namespace sonde
