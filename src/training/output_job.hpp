#pragma once
#include <sonde/losses.hpp>
#include <sonde/metrics.hpp>
#include <sonde/samples.hpp>
#include <vector>

#include "plan/plan.hpp"
#include "training/loss.hpp"
#include "training/metric.hpp"

namespace sonde {

/// What is asked of one output of a model: its loss, its metrics, and how its targets lie.
struct OutputJob {
  Loss loss;
  float loss_weight = 1;
  std::vector<Metric> metrics = {};           ///< weight 0 is a mask, other weights do not count
  std::vector<Metric> weighted_metrics = {};  ///< weights count
  std::vector<float> class_weight = {};       ///< by class number; empty: none

  Head head = Head::values;  ///< of head_of(): what the loss wants to see

  // Filled in by bind().
  Index value = 0;     ///< number of the plan's value
  Index width = 1;     ///< of one vector of the output
  Index vectors = 1;   ///< vectors for each row: time steps, or 1
  Index per_step = 1;  ///< vectors of one time step: more than 1 for outputs of 3 axes
  Index target_width = 1;
  Index weights = 0;  ///< weights of each sample: 0, 1, or `vectors`

  void bind(const Plan& plan, Index output, const SampleSource& source);
  Index state_size() const;
  /// What a mask that leaves `valid` of `total` steps makes of a loss's scale. Keras: apply_mask.
  double mask_factor(double total, double valid) const;
  /// True when the loss is divided by what must be counted batch by batch.
  bool counts() const;
};

/// A worker's room for one shard's targets of one output, time-major as the activations are.
struct OutputRoom {
  Buffer<float> target;       ///< (steps, rows, per_step, target_width), as the plan lays outputs
  Buffer<float> weights;      ///< (vectors, rows): sample and class weights
  Buffer<float> mask;         ///< (vectors, rows): 0 where the sample weight is 0, else 1
  Buffer<float> probability;  ///< (vectors, rows, width)
  float unmasked_scale = 1;   ///< of the batch: see batch_scale()
  float scale = 1;            ///< the same for the steps that a mask leaves

  OutputRoom(const OutputJob& job, Index rows);
};

/// What a shard adds to a batch: summed over shards in the fixed tree.
struct OutputTotals {
  double loss = 0;  ///< sum of weight · value
  std::vector<double> states;

  void add(const OutputTotals& other);
};

/// 1 / (what the loss of a batch of samples is divided by), without the output's loss weight.
float batch_scale(const OutputJob& job, Index output, const SampleSource& source, Index epoch,
                  const Index* numbers, Index rows) noexcept;

/// Gathers the targets of samples `numbers` and computes loss, metrics and, with `dy`, the
/// gradient. y: (vectors, rows, width), logits where job.head says so. `mask`: (steps, rows), 0 for
/// steps that count nowhere, or null. The loss is scaled by room.scale: see
/// loss_value_and_gradient.
void judge_shard(const OutputJob& job, Index output, const SampleSource& source, Index epoch,
                 const Index* numbers, Index rows, const float* y, const float* mask, float* dy,
                 OutputRoom& room, OutputTotals& totals) noexcept;

}  // namespace sonde
