#pragma once
#include <sonde/samples.hpp>
#include <vector>

#include "plan/plan.hpp"

namespace sonde {

struct BatchRunnerOptions {
  Index batch_size = 32;
  Mode mode = Mode::infer;
  Index steps = 0;                      ///< of a dynamic input
  std::vector<Index> input_steps = {};  ///< of each input, where they differ
  std::uint64_t seed = 0;               ///< of the model
  bool recompute = false;               ///< see PlanOptions
  bool abreast = true;                  ///< where it is faster; else less memory is taken
  MatmulPrecision precision = MatmulPrecision::f32;
  /// Where outputs are judged, one for each: whether before its final activation. Empty: none is.
  std::vector<bool> logits = {};
};

/// The plan of one shard of such batches: `options`, but for its rows. Where all that walks along a
/// sequence does so inside a fold, with a row for each of many time steps, few rows of the batch
/// fill the kernels: shards are smaller then, and stay in a cache, if the weights are few.
Plan plan_shard(const Graph& graph, const WeightBlock& weights, PlanOptions options,
                Index batch_size);

/// What a BatchRunner will run, and how much memory that takes: nothing is allocated yet.
struct BatchPlan {
  BatchPlan(const Graph& graph, const WeightBlock& weights, const SampleSource& source,
            BatchRunnerOptions options);

  BatchRunnerOptions options;
  Plan plan;
  Index room;             ///< numbers of a sample that training changes; 0: it changes none
  bool of_batch = false;  ///< a loss needs the sums of all shards before any gradient
  Index judging = 0;      ///< floats that judging takes beside each workspace

  Index rows() const { return plan.options().rows; }  ///< of a full shard
  Index shards() const;                               ///< of a full batch
  bool training() const { return options.mode == Mode::train; }
  /// All shards meet somewhere in the middle of a pass.
  bool has_barriers() const { return plan.has_sums() || of_batch; }
  /// How many shards each worker takes through the plan side by side. Results do not depend on it.
  Index abreast(int workers) const;
  /// Whether so many workers do together what they may. Results do not depend on it.
  bool shares_units(int workers) const;
  /// Shards that are in memory at a time.
  Index spaces(int workers) const;
  /// What a BatchRunner and its judge allocate on so many workers, but for a few numbers of each
  /// shard.
  Index bytes(int workers) const;
};

}  // namespace sonde
