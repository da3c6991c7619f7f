#pragma once
#include <sonde/losses.hpp>
#include <sonde/metrics.hpp>
#include <sonde/samples.hpp>
#include <vector>

#include "plan/plan.hpp"
#include "training/loss.hpp"
#include "training/metric.hpp"
#include "training/overlap_loss.hpp"

namespace sonde {

/// What is asked of one output of a model: its loss, its metrics, and how its targets lie.
struct OutputJob {
  Loss loss;
  float loss_weight = 1;
  std::vector<Metric> metrics = {};           ///< weight 0 is a mask, other weights do not count
  std::vector<Metric> weighted_metrics = {};  ///< weights count
  std::vector<float> class_weight = {};       ///< by class number; empty: none

  Head head = Head::values;  ///< of head_of(): what the loss wants to see
  KeptAxes kept = {};        ///< of kept_axes()

  // Filled in by bind().
  Index value = 0;     ///< number of the plan's value
  Index width = 1;     ///< of one vector of the output
  Index vectors = 1;   ///< vectors for each row: time steps, or 1
  Index per_step = 1;  ///< vectors of one time step: more than 1 for outputs of 3 axes
  Index target_width = 1;
  Index weights = 0;     ///< weights of each sample: 0, 1, or `vectors`
  Index mask = -1;       ///< number of the plan's value that masks the output; -1: none
  Index mask_count = 0;  ///< where the plan sums up the steps which that leaves

  /// A Dice or Tversky loss that sums over the batch: its value needs all shards.
  bool is_of_batch() const { return is_overlap(loss) && !kept.batch; }
  /// The groups of `rows` rows that such a loss sums over; 0 for other losses.
  Index groups(Index rows) const {
    return is_overlap(loss) ? overlap_groups(kept, rows, vectors, width) : 0;
  }
  void bind(const Plan& plan, Index output, const SampleSource& source);
  Index state_size() const;
  /// Floats of an OutputRoom for so many rows.
  Index room_size(Index rows) const { return vectors * rows * (target_width + width + 2); }
  /// What a mask that leaves `valid` of `total` steps makes of a loss's scale. Keras: apply_mask.
  double mask_factor(double total, double valid) const;
  /// True when steps of some class are left out, as masked ones are.
  bool ignores() const;
  /// True when the loss is divided by what must be counted batch by batch.
  bool counts() const;
};

/// A worker's room for one shard's targets of one output, time-major as the activations are.
struct OutputRoom {
  Buffer<float> target;       ///< (steps, rows, per_step, target_width), as the plan lays outputs
  Buffer<float> weights;      ///< (vectors, rows): sample and class weights
  Buffer<float> mask;         ///< (vectors, rows): 0 where the sample weight is 0, else 1
  Buffer<float> probability;  ///< (vectors, rows, width)
  std::vector<OverlapSums> sums;  ///< of a loss that sums over the steps of each row
  float scale = 1;                ///< of the batch: batch_scale(), for the steps that a mask leaves

  OutputRoom(const OutputJob& job, Index rows);
};

/// What a shard adds to a batch: summed over shards in the fixed tree.
struct OutputTotals {
  double loss = 0;  ///< sum of weight · value
  std::vector<double> states;
  std::vector<OverlapSums> overlaps = {};  ///< of a loss that sums over the batch

  void add(const OutputTotals& other);
};

/// 1 / (what the loss of a batch of samples is divided by), without the output's loss weight.
/// `room`: for source.training_sample(), or null to see samples as they are.
float batch_scale(const OutputJob& job, Index output, const SampleSource& source, Index epoch,
                  const Index* numbers, Index rows, float* room) noexcept;

/// Writes targets and weights of sample `row` of a shard's `rows` into `room`.
void gather_targets(const OutputJob& job, Index output, const Sample& sample, Index rows, Index row,
                    OutputRoom& room) noexcept;

/// Computes loss, metrics and, with `dy`, the gradient of the targets that lie in `room`. y:
/// (vectors, rows, width), logits where job.head says so. `mask`: (steps, rows), 0 for steps that
/// count nowhere, or null. The loss is scaled by room.scale: see loss_value_and_gradient.
void judge_shard(const OutputJob& job, Index rows, const float* y, const float* mask, float* dy,
                 OutputRoom& room, OutputTotals& totals) noexcept;

/// The rest for a loss of the whole batch, for which judge_shard only adds up sums. From those of
/// all `rows` of a batch, makes the loss of `totals` and the slopes that each shard needs.
void judge_batch(const OutputJob& job, Index rows, OutputTotals& totals) noexcept;
/// Writes the gradient of a shard, whose targets still lie in `room`.
void write_overlap_gradient(const OutputJob& job, Index rows, const float* y, bool masked,
                            const OutputTotals& batch, const OutputRoom& room, float* dy) noexcept;

}  // namespace sonde
