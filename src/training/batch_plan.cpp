#include "training/batch_plan.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "kernels/bf16.hpp"
#include "kernels/recurrent.hpp"
#include "training/shards.hpp"

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

PlanOptions plan_options(const BatchRunnerOptions& options) {
  PlanOptions plan{
      .mode = options.mode, .steps = options.steps, .input_steps = options.input_steps};
  plan.recompute = options.recompute;
  plan.precision = options.precision;
  plan.count_masks = !options.logits.empty();
  plan.logits = options.logits;
  return plan;
}

/// The fewest rows of the batch that fill the kernels of its recurrent layers: a power of two,
/// `least` at most; 0 where there are none. Inside a fold each brings a row for every time step,
/// and as many as a block has pairs fill the kernels.
Index rows_wanted(const Plan& plan, Index least) {
  Index wanted = 0;
  for (const Plan::Step& step : plan.steps()) {
    if (!step.timing.recurrent) continue;
    const Index fold = std::max<Index>(1, plan.values()[at(step.inputs[0])].fold);
    const auto rows = static_cast<std::uint64_t>((kernels::block_pairs + fold - 1) / fold);
    wanted = std::max(wanted, std::min(least, static_cast<Index>(std::bit_ceil(rows))));
  }
  return wanted;
}

/// Whether smaller shards cost little: no states that outlive the plan, whose places hang on the
/// rows, and few weights, since each shard clears, fills and adds gradients of its own.
bool may_have_small_shards(const Plan& plan) {
  const bool keeps_states = plan.options().mode != Mode::stream && plan.state_size() > 0;
  return !keeps_states && plan.weights_size() * 16 <= plan.arena_size();
}

}  // namespace

Plan plan_shard(const Graph& graph, const WeightBlock& weights, PlanOptions options,
                Index batch_size) {
  const Index least = kernels::least_rows(options.precision);
  options.rows = shard_rows(batch_size, least);
  Plan plan(graph, weights, options);
  const Index wanted = rows_wanted(plan, least);
  const Index most_shards = 32;  // a batch of 32 then has one for each sample
  if (wanted == 0)               // only recurrent layers know products of bfloat16
    options.rows = shard_rows(batch_size, kernels::least_rows(MatmulPrecision::f32));
  else if (wanted < least && may_have_small_shards(plan))
    options.rows = shard_rows(batch_size, wanted, most_shards);
  if (options.rows == plan.options().rows) return plan;
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
