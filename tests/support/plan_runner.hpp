#pragma once
#include <sonde/graph.hpp>
#include <span>
#include <vector>

#include "plan/plan.hpp"

namespace sonde::testing {

/// Numbers of one tensor for some rows, time-major: (steps, rows, width).
template <class T>
struct Sequence {
  Index steps = 1;
  Index rows = 1;
  Index width = 1;
  std::vector<T> values = {};

  Sequence(Index steps_, Index rows_, Index width_)
      : steps(steps_),
        rows(rows_),
        width(width_),
        values(static_cast<std::size_t>(steps_ * rows_ * width_)) {}

  T* at(Index step, Index row = 0) { return values.data() + (step * rows + row) * width; }
  const T* at(Index step, Index row = 0) const {
    return values.data() + (step * rows + row) * width;
  }
  Sequence rows_from(Index first, Index count) const;
  Sequence steps_from(Index first, Index count) const;
  void append(const Sequence& more);
  void place(Index first_row, const Sequence& some);
  template <class U>
  Sequence<U> as() const {
    Sequence<U> converted(steps, rows, width);
    converted.values.assign(values.begin(), values.end());
    return converted;
  }
};

template <class T>
using Sequences = std::vector<Sequence<T>>;

/// Numbers between -1 and 1, of the shape of a tensor.
Sequence<double> random_sequence(const Shape& shape, Index rows, std::uint32_t seed);

/// Gives every weight of the block a number between -0.5 and 0.5, variances one around 1, so that
/// no weight hides behind a 0 or a 1.
void randomize(WeightBlock& block, std::uint32_t seed);

/// Runs one plan for one shard, in memory full of NaN wherever nothing was promised.
template <class T>
class PlanRunner {
 public:
  PlanRunner(const Graph& graph, const WeightBlock& block, PlanOptions options);

  const Plan& plan() const { return plan_; }
  Memory<T>& memory() { return workspace_.memory; }
  std::span<T> weights() { return weights_.span(); }
  /// Of the weights; backward adds to them.
  std::span<T> gradients() { return gradients_.span(); }
  /// What penalties on activities have added up to since the last load().
  double penalty() { return *penalty_.data(); }
  void reset() { workspace_.reset(); }
  void pack() { sonde::pack(plan_, memory()); }

  /// Writes the inputs, of memory().rows rows, and their numbers of steps.
  void load(const Sequences<T>& inputs);
  void run(const Plan::Segment& segment) { sonde::run(plan_, segment, memory()); }
  /// Writes the gradients of the outputs, after all that backward was not promised became NaN.
  void load_gradients(const Sequences<T>& outputs);

  /// load, then all segments of this one shard.
  Sequences<T> forward(const Sequences<T>& inputs);
  void backward(const Sequences<T>& output_gradients);

  Sequences<T> outputs();
  Sequences<T> input_gradients();
  /// True when nothing was written outside of the booked buffers.
  bool arena_is_intact() const;

 private:
  /// Fills the arena with NaN, but for the buffers that keep() wants.
  template <class Keep>
  void poison(Keep keep);
  Sequence<T> read(Index value, const T* from);

  Plan plan_;
  Workspace<T> workspace_;
  Buffer<T> weights_;
  Buffer<T> gradients_;
  Buffer<T> packed_;
  Buffer<double> penalty_{1};
};

/// Runs segments over several shards of one batch: at each barrier the shards' sums are added.
template <class T>
void run_shards(const std::vector<PlanRunner<T>*>& shards, bool backward);

}  // namespace sonde::testing
