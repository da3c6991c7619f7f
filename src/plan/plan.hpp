#pragma once
#include <memory>
#include <sonde/graph.hpp>
#include <span>
#include <string>
#include <vector>

namespace sonde {

struct PlanOptions {
  Mode mode = Mode::infer;
  /// The most rows (sequences) of one call: the shard.
  Index rows = 1;
  /// The steps of a dynamic input; in stream mode the most steps of one call.
  Index steps = 0;
  /// The steps of each dynamic input, where they differ. Empty: `steps` for all.
  std::vector<Index> input_steps = {};
  /// For each output: take its final sigmoid or softmax off, see Plan::head(). Empty: for none.
  std::vector<bool> logits = {};
  /// Also compute the gradients of the inputs.
  bool input_gradients = false;
  /// Count what the masks of the outputs leave: a barrier, see Plan::mask_count().
  bool count_masks = false;
  /// Training: recurrent layers keep no gates and compute them again on the way back.
  bool recompute = false;
  MatmulPrecision precision = MatmulPrecision::f32;
};

/// A graph turned into a list of steps over one arena; the reversed list is the backward pass.
/// Immutable after construction: any number of threads may run it, each over its own Memory.
class Plan {
 public:
  /// One buffer of the arena, with the moments at which it is in use. Moments: forward of step s is
  /// s, the loss is S = number of steps, backward of step s is 2 S - s.
  struct Buffer {
    std::string name;
    Index size = 0;
    Index offset = -1;
    struct Span {
      Index from, to;
    };
    std::vector<Span> live;
  };
  struct Value {
    Shape shape;  ///< in stream mode the first size is a capacity
    Index width = 1;
    Index buffer = -1;    ///< of its numbers
    Index gradient = -1;  ///< buffer of its gradient
    Index delay = 0;      ///< stream: the most steps it can lag behind the signal
    bool timed = false;   ///< has a time axis
    Index fold = 1;       ///< rows for each row of the shard
    bool folded = false;  ///< lies between Fold and Unfold: its first axis is not the signal's time
    Index mask = -1;      ///< the value that says which of its steps count
    bool needs_gradient = false;
  };
  struct Step {
    std::string where;  ///< `Conv1D "conv_2"`
    AnyOp op;
    Layout layout;
    Timing timing;
    std::vector<Index> inputs;  ///< numbers of values
    std::vector<Index> outputs;
    std::vector<Index> masks;  ///< of each input: number of a value, or -1
    Index made_mask = -1;      ///< the value that this step writes for output 0
    Planner::Folding folding = Planner::Folding::none;
    Index forward_sums = 0;  ///< a barrier when above 0
    Index backward_sums = 0;
    bool backward = false;  ///< takes part in the backward pass
    Index unit_pieces = 0;  ///< which all workers may share out: its actions stand alone
  };
  /// What a worker does next. A segment ends with forward_sums or backward_sums, a barrier, or
  /// before and behind what workers may do together.
  struct Action {
    enum Kind : unsigned char { forward, forward_sums, backward, backward_sums, add, clear } kind;
    Index step = -1;
    Index from = -1, to = -1;  ///< add, clear: gradient offsets
    Index per_row = 0;         ///< add, clear: scalars for each row
  };
  using Segment = std::vector<Action>;

  /// `weights` must be the block that holds the weights of the graph's layers.
  /// Throws ArgumentError when a layer refuses, e.g. to stream.
  Plan(const Graph& graph, const WeightBlock& weights, PlanOptions options);

  const PlanOptions& options() const { return options_; }
  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<Value>& values() const { return values_; }
  const std::vector<Buffer>& buffers() const { return buffers_; }
  const std::vector<Segment>& forward() const { return forward_; }
  const std::vector<Segment>& backward() const { return backward_; }
  /// Numbers of the values that hold the graph's inputs and outputs.
  const std::vector<Index>& inputs() const { return inputs_; }
  const std::vector<Index>& outputs() const { return outputs_; }
  /// The activation taken off output `i` with `logits`: linear when none was.
  ActivationFunction head(Index i) const { return heads_[static_cast<std::size_t>(i)]; }
  /// The value that masks output `i`; -1 when all its steps count.
  Index output_mask(Index i) const;
  /// Where in Memory::sums the steps that count in the whole batch stand after the last forward
  /// segment; -1 without a mask or count_masks.
  Index mask_count(Index i) const;
  bool has_folds() const { return has_folds_; }
  /// Whether all shards must meet somewhere in the middle of a pass.
  bool has_sums() const { return has_sums_; }
  /// Whether the segment ends with such sums.
  bool ends_in_sums(const Segment& segment) const;
  /// Whether some step runs faster where shards go through it abreast.
  bool shares_weights() const { return shares_weights_; }
  /// Whether the segment is one that all workers may do together.
  bool shares_units(const Segment& segment) const;
  /// The fewest pieces of units that such a step has; 0 where there is none.
  Index unit_pieces() const { return unit_pieces_; }
  Index offset(Index value) const;           ///< of a value's numbers in the arena
  Index gradient_offset(Index value) const;  ///< of its gradient; -1 when there is none

  Index arena_size() const { return arena_size_; }
  Index state_size() const { return state_size_; }
  Index counter_size() const { return counter_size_; }
  Index packed_size() const { return packed_size_; }
  Index sums_size() const { return sums_size_; }
  Index weights_size() const { return weights_size_; }

 private:
  friend struct PlanBuilder;

  PlanOptions options_;
  std::vector<Step> steps_;
  std::vector<Value> values_;
  std::vector<Buffer> buffers_;
  std::vector<Segment> forward_{1};
  std::vector<Segment> backward_{1};
  std::vector<Index> inputs_;
  std::vector<Index> outputs_;
  std::vector<ActivationFunction> heads_;
  std::vector<Index> output_masks_;
  std::vector<Index> mask_counts_;
  bool has_folds_ = false;
  bool has_sums_ = false;
  bool shares_weights_ = false;
  Index unit_pieces_ = 0;
  Index arena_size_ = 0;
  Index state_size_ = 0;
  Index counter_size_ = 0;
  Index packed_size_ = 0;
  Index sums_size_ = 0;
  Index weights_size_ = 0;
};

/// Gives every buffer its offset, biggest first, each at the lowest place where nothing that lives
/// at the same time lies. Returns the size of the arena.
Index place(std::vector<Plan::Buffer>& buffers);

/// Throws std::logic_error when two buffers that live at the same time overlap, or when an action
/// reads what no earlier action has written: a bug in the planner, never in a user's graph.
void verify(const Plan& plan);

/// The plan as text: steps, shapes, offsets, barriers. For people and for tests.
std::string describe(const Plan& plan);

/// The memory that runs a plan: allocated once, then running allocates nothing.
template <class T>
class Workspace {
 public:
  explicit Workspace(const Plan& plan);

  Memory<T> memory;
  T* value(Index i) { return memory.arena + plan_->offset(i); }
  /// Null when nothing that is trained lies before the value.
  T* gradient(Index i) {
    const Index offset = plan_->gradient_offset(i);
    return offset < 0 ? nullptr : memory.arena + offset;
  }
  Index& steps(Index value) { return steps_[static_cast<std::size_t>(value)]; }
  /// Forgets all states: a signal begins.
  void reset();

 private:
  const Plan* plan_;
  sonde::Buffer<T> arena_;
  sonde::Buffer<T> states_;
  sonde::Buffer<double> sums_;
  std::vector<Index> counters_;
  std::vector<Index> steps_;
  std::vector<Index> folds_;
};

/// Fills `memory.packed` from `memory.weights`. Call after each change of the weights.
template <class T>
void pack(const Plan& plan, Memory<T>& memory) noexcept;

/// Packs one step's weights: steps are independent, so workers may share them out.
template <class T>
void pack_step(const Plan& plan, Index step, Memory<T>& memory) noexcept;

/// Runs one segment of plan.forward() or plan.backward().
template <class T>
void run(const Plan& plan, const Plan::Segment& segment, Memory<T>& memory) noexcept;

/// The same for up to most_abreast shards at a time, step by step side by side; each worker of a
/// share calls it.
template <class T>
void run(const Plan& plan, const Plan::Segment& segment, std::span<Memory<T>* const> shards,
         const Share& share = {}) noexcept;

/// Calls every op's after_batch.
template <class T>
void after_batch(const Plan& plan, Memory<T>& memory) noexcept;

}  // namespace sonde
