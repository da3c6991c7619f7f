#include "model/training_memory.hpp"

#include <fmt/format.h>

#include <sonde/error.hpp>

#include "model/diagnosis/explained.hpp"
#include "model/fit_checks.hpp"

namespace sonde {

std::string bytes_text(Index bytes) {
  constexpr const char* units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
  auto number = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (number >= 1024 && unit + 1 < std::size(units)) {
    number /= 1024;
    ++unit;
  }
  return fmt::format("{:.2f} {}", number, units[unit]);
}

std::string TrainingMemory::text() const {
  return bytes_text(bytes) + " beside the data" +
         (recomputes ? ", recurrent layers compute their gates again" : "");
}

JudgedPlan fit_plan(const Model::State& state, const SampleSource& train,
                    const FitOptions& options) {
  std::vector<OutputJob> jobs = state.jobs();
  for (OutputJob& job : jobs) job.class_weight = options.class_weight;
  std::vector<Index> steps = state.check(train);
  return {state.graph,
          *state.weights,
          std::move(jobs),
          train,
          {.batch_size = std::min(options.batch_size, train.size()),
           .mode = Mode::train,
           .input_steps = std::move(steps),
           .seed = state.options.seed,
           .precision = options.matmul_precision}};
}

TrainingMemory fit_memory(const Model::State& state, const FitData& data, JudgedPlan& plan,
                          int workers, Index memory) {
  const WeightBlock& weights = *state.weights;
  // The plan, weights, moments, and what judges each epoch while the memory of training waits.
  const auto blocks = static_cast<Index>(1 + state.optimizer_state.size());
  const auto all_bytes = [&](const BatchPlan& training) {
    Index bytes =
        training.bytes(workers) + weights.size() * blocks * static_cast<Index>(sizeof(float));
    if (const SampleSource* judging = data.validation()) {
      BatchRunnerOptions options = training.options;
      options.mode = Mode::infer;
      options.precision = MatmulPrecision::f32;
      options.batch_size = std::min(options.batch_size, judging->size());
      options.input_steps = state.check(*judging);
      bytes +=
          JudgedPlan(state.graph, weights, state.jobs(), *judging, options).batch.bytes(workers);
    }
    return bytes;
  };
  TrainingMemory taken{.bytes = all_bytes(plan.batch)};
  // Memory for time: shards one after the other first, then gates computed again.
  for (const bool recompute : {false, true}) {
    if (memory == 0 || taken.bytes <= memory) return taken;
    BatchRunnerOptions options = plan.batch.options;
    options.abreast = false;
    options.recompute = recompute;
    JudgedPlan other(state.graph, weights, plan.jobs, data.train(), options);
    if (const Index bytes = all_bytes(other.batch); bytes < taken.bytes) {
      taken = {.bytes = bytes, .recomputes = recompute};
      plan = std::move(other);
    }
  }
  if (taken.bytes > memory)
    throw LimitError(fmt::format(
        "fit: memory must be at least {} for batches of {} samples on {} thread{}{}, got {}. Use "
        "fewer threads, a smaller batch_size, or shorter windows of the signals.",
        bytes_text(taken.bytes), plan.batch.options.batch_size, workers, workers == 1 ? "" : "s",
        taken.recomputes ? ", though recurrent layers compute their gates again" : "",
        bytes_text(memory)));
  return taken;
}

TrainingMemory Model::training_memory(const SampleSource& samples, const FitOptions& options) {
  State& state = *state_;
  state.refresh();
  const FitData data(samples, options);
  const diagnosis::Explained explained{*this, samples,
                                       static_cast<Index>(options.class_weight.size())};
  JudgedPlan plan = explained([&] { return fit_plan(state, data.train(), options); });
  explained([&] { check_targets(state, samples, plan.jobs, plan.batch.plan); });
  const int workers = state.threads(options.threads).size();
  const diagnosis::Explained judged{*this, data.validation() ? *data.validation() : samples};
  return judged([&] { return fit_memory(state, data, plan, workers, options.memory); });
}

}  // namespace sonde
