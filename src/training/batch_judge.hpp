#pragma once
#include <sonde/samples.hpp>
#include <span>

#include "plan/plan.hpp"

namespace sonde {

/// A batch of samples; `draw` numbers the training steps, for dropout.
struct Batch {
  const SampleSource* source;
  Index epoch = 0;
  std::span<const Index> numbers = {};
  std::uint64_t draw = 0;
  std::span<const Index> next = {};  ///< samples of the batch after it, which may be fetched

  Index size() const { return static_cast<Index>(numbers.size()); }
};

/// One shard of a batch as a worker holds it. `place` numbers its workspace: one of the worker's,
/// or that of the shard where all of them are in memory.
struct ShardView {
  Index number;
  Index place;
  int worker;
  Workspace<float>& space;
};

/// What a BatchRunner asks about outputs that are judged and not only wanted. It is an interface so
/// that a program which only predicts links neither losses nor metrics.
class BatchJudge {
 public:
  virtual ~BatchJudge() = default;

  /// Each worker, before its first shard. `changed`: room for a sample that training changes, or
  /// null.
  virtual void begin(const Batch& batch, int worker, float* changed) noexcept = 0;
  /// Takes the targets of one sample, row `row` of the shard.
  virtual void gather(const Sample& sample, Index row, const ShardView& shard) noexcept = 0;
  /// After the shard's forward pass: its sums, and the gradient of its outputs when training.
  virtual void judge(const ShardView& shard) noexcept = 0;
  /// Worker 0, when all shards were judged: the sums of the batch.
  virtual void judge_batch(const Batch& batch, Index shards) noexcept = 0;
  /// For losses that need the sums of the batch, before the shard's backward pass.
  virtual void finish_gradient(const ShardView& shard) noexcept = 0;
  /// Whether the loss of the last batch is a number.
  virtual bool is_finite() const noexcept = 0;
};

}  // namespace sonde
