#pragma once
#include <vector>

#include "training/batch_judge.hpp"
#include "training/judged_plan.hpp"

namespace sonde {

/// Judges batches by the losses and metrics of a model's outputs.
class OutputJudge final : public BatchJudge {
 public:
  OutputJudge(const JudgedPlan& plan, int workers);

  const std::vector<OutputJob>& jobs() const { return jobs_; }
  /// The last batch's sums, one entry for each output.
  const std::vector<OutputTotals>& totals() const { return totals_[0]; }
  /// What each output's loss sum was multiplied by: see batch_scale().
  std::vector<float> scales() const;

  void begin(const Batch& batch, int worker, float* changed) noexcept override;
  void gather(const Sample& sample, Index row, const ShardView& shard) noexcept override;
  void judge(const ShardView& shard) noexcept override;
  void judge_batch(const Batch& batch, Index shards) noexcept override;
  void finish_gradient(const ShardView& shard) noexcept override;
  bool is_finite() const noexcept override;

 private:
  std::vector<OutputJob> jobs_;
  bool training_;
  std::vector<std::vector<OutputRoom>> rooms_;     // [place][output]
  std::vector<std::vector<float>> scales_;         // [worker][output], before masks
  std::vector<std::vector<OutputTotals>> totals_;  // [shard][output]
};

}  // namespace sonde
