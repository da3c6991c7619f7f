#include "training/batch_plan.hpp"

#include <algorithm>

#include "kernels/bf16.hpp"
#include "kernels/recurrent.hpp"
#include "training/shards.hpp"

namespace sonde {
namespace {

PlanOptions plan_options(const BatchRunnerOptions& options) {
  PlanOptions plan{
      .mode = options.mode, .steps = options.steps, .input_steps = options.input_steps};
  plan.recompute = options.recompute;
  plan.precision = options.precision;
  plan.count_masks = !options.logits.empty();
  plan.logits = options.logits;
  return plan;
}

/// Rows of the batch that its recurrent layers want at least; `least` where nothing is folded. In a
/// fold each brings many rows, and 256 are a block of the kernels on the way back.
Index rows_wanted(const Plan& plan, Index least) {
  Index wanted = 0;
  for (const Plan::Step& step : plan.steps()) {
    if (!step.timing.recurrent) continue;
    const Index fold = plan.values()[static_cast<std::size_t>(step.inputs[0])].fold;
    wanted = std::max(wanted, std::min(least, (256 + fold - 1) / fold));
  }
  return wanted > 0 ? wanted : least;
}

}  // namespace

Plan plan_shard(const Graph& graph, const WeightBlock& weights, PlanOptions options,
                Index batch_size) {
  const Index least = kernels::least_rows(options.precision);
  options.rows = shard_rows(batch_size, least);
  Plan plan(graph, weights, options);
  const Index wanted = rows_wanted(plan, least);
  if (wanted == least) return plan;
  options.rows = shard_rows(batch_size, wanted, 32);
  return {graph, weights, options};
}

BatchPlan::BatchPlan(const Graph& graph, const WeightBlock& weights, const SampleSource& source,
                     BatchRunnerOptions how)
    : options(std::move(how)),
      plan(plan_shard(graph, weights, plan_options(options), options.batch_size)),
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
