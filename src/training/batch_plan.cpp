#include "training/batch_plan.hpp"

#include <algorithm>

#include "kernels/bf16.hpp"
#include "training/shards.hpp"

namespace sonde {
namespace {

PlanOptions plan_options(const BatchRunnerOptions& options, const std::vector<OutputJob>& jobs) {
  PlanOptions plan{.mode = options.mode,
                   .rows = shard_rows(options.batch_size, kernels::least_rows(options.precision)),
                   .steps = options.steps,
                   .input_steps = options.input_steps};
  plan.recompute = options.recompute;
  plan.precision = options.precision;
  plan.count_masks = !jobs.empty();
  for (const OutputJob& job : jobs) plan.logits.push_back(job.head != Head::values);
  return plan;
}

}  // namespace

BatchPlan::BatchPlan(const Graph& graph, const WeightBlock& weights, std::vector<OutputJob> given,
                     const SampleSource& source, BatchRunnerOptions how)
    : options(std::move(how)),
      plan(graph, weights, plan_options(options, given)),
      jobs(std::move(given)),
      room(training() ? source.room() : 0),
      of_batch(std::any_of(jobs.begin(), jobs.end(),
                           [](const OutputJob& job) { return job.is_of_batch(); })) {
  for (std::size_t o = 0; o < jobs.size(); ++o) jobs[o].bind(plan, static_cast<Index>(o), source);
}

Index BatchPlan::shards() const { return shard_count(options.batch_size, rows()); }

bool BatchPlan::has_barriers() const {
  return plan.forward().size() > 1 || plan.backward().size() > 1 || of_batch;
}

Index BatchPlan::spaces(int workers) const {
  return has_barriers() ? shards() : std::min<Index>(shards(), workers);
}

Index BatchPlan::bytes(int workers) const {
  Index space = plan.arena_size() + 2 * plan.sums_size();  // sums are doubles
  for (const OutputJob& job : jobs) space += job.room_size(rows());
  Index shard = plan.state_size();
  if (training()) shard += plan.weights_size();  // its gradients
  const Index floats =
      plan.packed_size() + spaces(workers) * space + shards() * shard + workers * room;
  return floats * static_cast<Index>(sizeof(float));
}

}  // namespace sonde
