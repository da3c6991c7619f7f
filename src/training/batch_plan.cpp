#include "training/batch_plan.hpp"

#include <algorithm>

#include "kernels/bf16.hpp"
#include "kernels/recurrent.hpp"
#include "training/shards.hpp"

namespace sonde {
namespace {

PlanOptions plan_options(const BatchRunnerOptions& options) {
  PlanOptions plan{.mode = options.mode,
                   .rows = shard_rows(options.batch_size, kernels::least_rows(options.precision)),
                   .steps = options.steps,
                   .input_steps = options.input_steps};
  plan.recompute = options.recompute;
  plan.precision = options.precision;
  plan.count_masks = !options.logits.empty();
  plan.logits = options.logits;
  return plan;
}

}  // namespace

BatchPlan::BatchPlan(const Graph& graph, const WeightBlock& weights, const SampleSource& source,
                     BatchRunnerOptions how)
    : options(std::move(how)),
      plan(graph, weights, plan_options(options)),
      room(training() ? source.room() : 0) {}

Index BatchPlan::shards() const { return shard_count(options.batch_size, rows()); }

Index BatchPlan::abreast(int workers) const {
  if (!options.abreast || !plan.shares_weights()) return 1;
  // Every worker should have some.
  const Index most = std::clamp<Index>(kernels::most_rows_abreast / rows(), 1, most_abreast);
  return group_size(shards(), workers, most);
}

bool BatchPlan::shares_units(int workers) const {
  if (workers == 1 || plan.unit_pieces() == 0) return false;
  // The worker with most to do: of the units, or of the shards.
  const auto most = [&](Index things) {
    const auto share = static_cast<double>((things + workers - 1) / workers);
    return share / static_cast<double>(things);
  };
  if (most(plan.unit_pieces()) > 1.15 * most(shards())) return false;
  // At each step workers wait for the slowest and read what the others wrote: h on the way forward,
  // dz, four times as much, on the way back. That pays where weights would serve few rows
  // (docs/performance.md).
  return !training() || rows() * abreast(workers) < 8;
}

Index BatchPlan::spaces(int workers) const {
  return has_barriers() ? shards() : std::min(shards(), workers * abreast(workers));
}

Index BatchPlan::bytes(int workers) const {
  const Index space = plan.arena_size() + 2 * plan.sums_size() + judging;  // sums are doubles
  Index shard = plan.state_size();
  if (training()) shard += plan.weights_size();  // its gradients
  const Index floats =
      plan.packed_size() + spaces(workers) * space + shards() * shard + workers * room;
  return floats * static_cast<Index>(sizeof(float));
}

}  // namespace sonde
