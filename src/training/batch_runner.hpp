#pragma once
#include <functional>
#include <sonde/samples.hpp>
#include <vector>

#include "base/read_ahead.hpp"
#include "base/thread_pool.hpp"
#include "training/batch_judge.hpp"
#include "training/batch_plan.hpp"

namespace sonde {

/// The states of `stateful` layers, one block for each shard of a batch; they outlive plans.
struct StateBank {
  Index batch_size = 0;  ///< of the batches whose states these are
  std::vector<Buffer<float>> shards = {};
};

/// Runs batches of samples through a plan, shard by shard, on all workers of a pool.
/// Invariants: results depend on the batch alone, not on the workers; run() allocates nothing,
/// except for samples that are read ahead from files.
class BatchRunner {
 public:
  /// Called with each shard's results: workspace, number of the first row in the batch, rows.
  using Take = std::function<void(Workspace<float>&, Index first, Index rows)>;

  /// `weights`: those that `plan` was made for; `judge`: of a JudgedPlan, or null to predict only;
  /// `ahead`: for samples that lie in files, or null. All must outlive it. Throws ArgumentError
  /// where `states` are those of batches of another size.
  BatchRunner(BatchPlan plan, WeightBlock& weights, int workers, StateBank& states,
              BatchJudge* judge, ReadAhead* ahead = nullptr);

  const Plan& plan() const { return planned_.plan; }
  Index batch_size() const { return planned_.options.batch_size; }
  /// The penalties on activities of the last batch, divided by its samples. Keras: part of the
  /// loss.
  double activity_penalty() const { return activity_penalty_; }
  /// Whether the loss of the last batch is a number. Where it is not, nothing is learned from it:
  /// neither weights nor an optimizer's or a layer's statistics change.
  bool is_finite() const noexcept;
  /// Gradient blocks of the shards of the last batch; the tree's total goes into block 0.
  float* gradients(Index shard) { return gradients_[static_cast<std::size_t>(shard)].data(); }
  Index shards() const { return shards_; }

  /// Packs the weights anew; call it after they changed.
  void pack(int worker, int workers) noexcept;
  /// Forward, judgement and (in train mode) backward of all shards, as one worker of a team. Ends
  /// with a barrier, after which the judge's sums are complete, and gradients() shard by shard.
  void run(const Batch& batch, int worker, Team& team) noexcept;
  void take(Take take) { take_ = std::move(take); }

 private:
  /// Shards that all workers take at a time, and which of them a worker takes side by side: none
  /// where there are not enough for all.
  struct Round {
    Index first, end;
    Index own, own_end;
  };

  float* changed(int worker);
  ShardView view(Index shard, const Round& round, int worker);
  /// Calls use(round) until all shards are done; as often for every worker.
  template <class Use>
  void for_rounds(Index shards, int worker, int workers, Use use);
  /// The worker's shards, or its share of all.
  void run_round(const Plan::Segment& segment, const Round& round, int worker, Team& team) noexcept;
  /// Some shards of a round.
  void run_abreast(const Plan::Segment& segment, const Round& round, Index first, Index end,
                   int worker, const Share& share) noexcept;
  void begin(const Batch& batch, const ShardView& shard) noexcept;
  void end(const ShardView& shard) noexcept;
  void judge_batch(const Batch& batch) noexcept;
  void combine_sums(const Plan::Segment& segment, int worker, Team& team) noexcept;
  Index rows_of(const Batch& batch, Index shard) const;

  BatchPlan planned_;
  Index rows_;  // of a full shard
  Index abreast_;
  bool shares_units_;
  Index shards_;  // of the last batch
  Buffer<float> packed_;
  std::vector<Workspace<float>> workspaces_;  // of a round, or one for each shard
  std::vector<Buffer<float>> changed_;        // [worker]: one sample that training changes
  std::vector<double> penalties_;             // [shard], on activities
  double activity_penalty_ = 0;               // of the last batch
  std::vector<Buffer<float>> gradients_;      // [shard]
  StateBank& states_;
  BatchJudge* judge_;
  ReadAhead* ahead_;
  bool was_asked_for_ = false;  // the batch that comes, as the one after the last
  Take take_;
};

}  // namespace sonde
