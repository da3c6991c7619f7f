#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/file_read_ahead.hpp"
#include "base/random.hpp"
#include "data/finite.hpp"
#include "model/checkpoint.hpp"
#include "model/diagnosis/explained.hpp"
#include "model/epoch_sums.hpp"
#include "model/fit_checks.hpp"
#include "model/fit_data.hpp"
#include "model/state.hpp"
#include "model/training_memory.hpp"
#include "training/batches_in_order.hpp"
#include "training/updater.hpp"

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// Loss and metrics over all samples with the weights as they are. `abreast`: see
/// BatchRunnerOptions.
Logs evaluate_all(const Model& model, Model::State& state, const SampleSource& samples,
                  Index batch_size, int threads, const std::string& prefix, bool abreast = true) {
  state.refresh();
  const diagnosis::Explained explained{model, samples};
  const std::vector<Index> steps = explained([&] { return state.check(samples); });
  ThreadPool& pool = state.threads(threads);
  JudgedPlan plan = explained([&] {
    return JudgedPlan(state.graph, *state.weights, state.jobs(), samples,
                      {.batch_size = std::min(batch_size, samples.size()),
                       .mode = Mode::infer,
                       .input_steps = steps,
                       .seed = state.options.seed,
                       .abreast = abreast});
  });
  explained([&] {
    check_targets(state, samples, plan.jobs, plan.batch.plan);
    if (prefix.empty()) check_all_labels(state, samples, plan.jobs);  // fit has looked at its own
  });
  OutputJudge judge(plan, pool.size());
  FileReadAhead ahead;
  BatchRunner runner = explained([&] {
    return BatchRunner(std::move(plan.batch), *state.weights, pool.size(), state.states, &judge,
                       &ahead);
  });
  const double regularization = regularization_loss(*state.weights, state.entries);
  EpochSums sums(state, judge);
  pool.run([&](int worker, Team& team) noexcept { runner.pack(worker, team.size()); });
  BatchesInOrder batches(samples, runner.batch_size());
  while (const std::optional<Batch> batch = batches.next()) {
    pool.run([&](int worker, Team& team) noexcept { runner.run(*batch, worker, team); });
    sums.add_batch(regularization + runner.activity_penalty(), batch->size());
  }
  return sums.logs(prefix);
}

/// What must be the same when a run goes on.
void archive_same(Archive& a, std::string_view what, Index now) {
  Index then = now;
  a(then);
  if (then != now)
    throw ArgumentError(fmt::format(
        "fit: the checkpoint was made with {} = {}, this run has {}. Go on with the same data and "
        "options, or start the run anew.",
        what, then, now));
}

void archive_state(Archive& a, Model::State& state) {
  WeightBlock& weights = *state.weights;
  a.numbers({weights.data(), at(weights.size())});
  archive_same(a, "optimizer slots", static_cast<Index>(state.optimizer_state.size()));
  for (Buffer<float>& slot : state.optimizer_state) a(slot);
  archive_same(a, "stateful layers", static_cast<Index>(state.states.shards.size()));
  for (Buffer<float>& each : state.states.shards) a(each);
  a(state.iterations);
  std::visit(
      [&](auto& optimizer) {
        if (optimizer.learning_rate.schedule() != nullptr) return;
        double rate = optimizer.learning_rate.at(0);
        a(rate);
        if (a.reads()) optimizer.learning_rate = LearningRate(rate);
      },
      state.compiled->optimizer);
}

}  // namespace

History Model::fit(const SampleSource& samples, FitOptions options) {
  State& state = *state_;
  state.refresh();
  const FitData data(samples, options);
  const SampleSource& train = data.train();
  const Index training = train.size();
  const SampleSource* validation = data.validation();

  const diagnosis::Explained explained{*this, samples,
                                       static_cast<Index>(options.class_weight.size())};
  JudgedPlan plan = explained([&] { return fit_plan(state, train, options); });
  ThreadPool& pool = state.threads(options.threads);
  explained([&] {
    check_targets(state, samples, plan.jobs, plan.batch.plan);
    check_class_weight(state, plan.jobs);
    check_all_labels(state, samples, plan.jobs);
  });
  if (data.is_apart()) {
    const diagnosis::Explained judged{*this, *validation};
    judged([&] { check_target_count(plan.jobs, *validation); });
    const bool same_plan =
        judged([&] { return state.check(*validation); }) == plan.batch.options.input_steps;
    if (same_plan) judged([&] { check_targets(state, *validation, plan.jobs, plan.batch.plan); });
    judged([&] { check_all_labels(state, *validation, plan.jobs, "validation sample"); });
  }
  if (options.memory > 0) {
    const diagnosis::Explained judged{*this, validation != nullptr ? *validation : samples};
    judged([&] { return fit_memory(state, data, plan, pool.size(), options.memory); });
  }
  const bool abreast = plan.batch.options.abreast;
  OutputJudge judge(plan, pool.size());
  FileReadAhead ahead;
  BatchRunner runner(std::move(plan.batch), *state.weights, pool.size(), state.states, &judge,
                     &ahead);
  const WeightBlock::Pin pin(*state.weights);
  Updater updater(*state.weights, state.entries, state.compiled->optimizer, state.optimizer_state);

  Training report(*this);
  report.epoch = options.initial_epoch;
  report.epochs = options.epochs;
  report.batches = (training + runner.batch_size() - 1) / runner.batch_size();
  report.samples = training;
  std::vector<Callback> callbacks = options.callbacks;
  if (options.verbose) callbacks.insert(callbacks.begin(), ProgressBar{});
  History history;
  EpochSums sums(state, judge);
  const RandomKey shuffle_key = random_key(state.options.seed, "shuffle");
  std::vector<Index> order(at(training));
  std::iota(order.begin(), order.end(), Index{0});

  const auto archive = [&](Archive& a) {
    archive_same(a, "samples", training);
    archive_same(a, "batch_size", runner.batch_size());
    archive_same(a, "callbacks", static_cast<Index>(callbacks.size()));
    archive_state(a, state);
    a(history.epoch, history.history);
    report.archive(a);
    sums.archive(a);
    for (const Callback& callback : callbacks) callback.archive(a);
  };
  CheckpointClock clock(options.checkpoint);
  if (!options.checkpoint.path.empty())
    report.on_checkpoint([&] {
      Archive a;
      archive(a);
      write_checkpoint(options.checkpoint.path, a.written());
      clock.restart();
    });
  std::optional<std::vector<std::byte>> saved;
  if (options.checkpoint.resume) saved = read_checkpoint(options.checkpoint.path);
  report.resumed = saved.has_value();

  for (const Callback& callback : callbacks) callback.train_begin(report);
  if (saved) {
    Archive a(*saved);
    archive(a);
  } else if (!options.checkpoint.path.empty()) {
    remove_checkpoint(
        options.checkpoint.path);  // after the callbacks, of which one may hold a lock
  }
  while (report.epoch < options.epochs && !report.stop_reason()) {
    if (options.shuffle)
      order = shuffled(training, shuffle_key, static_cast<std::uint64_t>(report.epoch));
    if (report.batch == 0) {
      sums.clear();
      for (const Callback& callback : callbacks) callback.epoch_begin(report);
    } else {
      report.logs = sums.logs("");
    }
    while (report.batch < report.batches && !report.stop_reason()) {
      const Index begin = report.batch * runner.batch_size();
      const Index count = std::min(runner.batch_size(), training - begin);
      const Index next = std::min(runner.batch_size(), training - begin - count);
      const Batch batch{.source = &train,
                        .epoch = report.epoch,
                        .numbers = {order.data() + begin, at(count)},
                        .draw = static_cast<std::uint64_t>(state.iterations),
                        .next = {order.data() + begin + count, at(next)}};
      updater.begin(state.iterations);
      pool.run([&](int worker, Team& team) noexcept {
        // First, not last: callbacks may have set other weights.
        runner.pack(worker, team.size());
        team.barrier();
        runner.run(batch, worker, team);
        updater.update(runner, worker, team);
      });
      ++state.iterations;
      sums.add_batch(updater.regularization() + runner.activity_penalty(), count);
      ++report.batch;
      report.logs = sums.logs("");
      for (const Callback& callback : callbacks) callback.batch_end(report);
      if (clock.is_due() && !report.stop_reason()) report.checkpoint();
    }
    if (validation != nullptr) {
      const Logs judged = evaluate_all(*this, state, *validation, options.batch_size,
                                       options.threads, "val_", abreast);
      report.logs.insert(judged.begin(), judged.end());
    }
    for (const Callback& callback : callbacks) callback.epoch_end(report);
    history.epoch.push_back(report.epoch);
    for (const auto& entry : report.logs) history.history[entry.first].push_back(entry.second);
    ++report.epoch;
    report.batch = 0;
    if (clock.is_due()) report.checkpoint();
  }
  report.checkpoint();
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
  check_batch_size("evaluate", options.batch_size);
  return evaluate_all(*this, *state_, samples, options.batch_size, options.threads, "");
}

Logs Model::evaluate(const Array& x, const Array& y, EvaluateOptions options) {
  check_finite(x, "X");
  ArraySamples::Arrays weights;
  if (options.sample_weight != nullptr) weights.push_back(options.sample_weight);
  return evaluate(ArraySamples({&x}, {&y}, weights), options);
}

}  // namespace sonde
