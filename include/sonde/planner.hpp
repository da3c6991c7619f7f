#pragma once
#include <sonde/constraints.hpp>
#include <sonde/initializers.hpp>
#include <sonde/matmul_precision.hpp>
#include <sonde/regularizers.hpp>
#include <sonde/shape.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sonde {

/// What a plan is for. One planning serves all three.
enum class Mode {
  train,   ///< whole sequences, forward and backward
  infer,   ///< whole sequences, forward only
  stream,  ///< chunks of any length with state carried from one to the next, forward only
};

/// A piece of booked memory, granted by View::operator[] when the op runs.
struct Slot {
  enum class Kind : unsigned char { none, weight, packed, state, counter, saved, scratch };
  Kind kind = Kind::none;
  int index = -1;
  explicit operator bool() const { return kind != Kind::none; }
};

struct WeightOptions {
  Initializer initializer = Zeros{};
  Regularizer regularizer = {};
  Constraint constraint = {};
  bool trainable = true;
  /// Entries that start as ones whatever the initializer: the forget gates of an LSTM's bias.
  Index ones_begin = 0;
  Index ones_end = 0;
};

/// How an output's steps lie over the input's: output step t reads the input steps
/// t * stride / upsample - left … t * stride / upsample - left + window - 1.
struct Timing {
  Index window = 1;
  Index left = 0;
  Index stride = 1;
  Index upsample = 1;
  bool recurrent = false;  ///< reads all earlier steps through its state
  Index held_back = 0;     ///< steps after those that a stream awaits: they may be the last ones

  /// Input steps after the current one that must have come before an output can leave.
  Index lookahead() const { return (window - 1 - left > 0 ? window - 1 - left : 0) + held_back; }
};

/// What a layer writes its needs into when it is planned: it reads the shapes of its inputs, checks
/// its arguments, books memory and states its outputs. Shapes leave the batch out; in stream mode
/// the first size is the most steps that one call brings or takes.
class Planner {
 public:
  struct Weight {
    std::string name;
    Shape shape;
    WeightOptions options;
  };
  struct Booking {
    Slot::Kind kind;
    Index per_row;  ///< scalars for each row
    Index fixed;    ///< scalars whatever the number of rows
  };

  /// What a layer does to the batch: Fold makes rows of time steps, Unfold takes that back.
  enum class Folding : unsigned char { none, fold, unfold };

  Planner(std::string where, std::vector<Shape> inputs, Mode mode, Index rows,
          std::vector<bool> masked = {})
      : where_(std::move(where)),
        inputs_(std::move(inputs)),
        mode_(mode),
        rows_(rows),
        masked_(std::move(masked)) {}

  Index inputs() const { return static_cast<Index>(inputs_.size()); }
  const Shape& input(Index i = 0) const { return inputs_[static_cast<std::size_t>(i)]; }
  Mode mode() const { return mode_; }
  bool training() const { return mode_ == Mode::train; }
  /// The layer is not trainable, or it is part of one that is not: batch statistics stay unused.
  bool frozen() const { return frozen_; }
  void freeze() { frozen_ = true; }
  /// Memory is short: a layer that can compute something again on the way back does not keep it.
  bool recomputing() const { return recomputing_; }
  void recompute() { recomputing_ = true; }
  /// What products may be made of; a layer that knows only floats takes no notice.
  MatmulPrecision precision() const { return precision_; }
  void compute_in(MatmulPrecision precision) { precision_ = precision; }
  /// The op reads so many weights at each step of time that no cache keeps them until the next one:
  /// the more shards go through it abreast, the less often they come from memory.
  void share_weights() { shares_weights_ = true; }
  /// All workers may go through the op together, each with its share of `pieces` of the units: see
  /// Share.
  void share_units(Index pieces) { unit_pieces_ = pieces; }
  bool streaming() const { return mode_ == Mode::stream; }
  /// The most rows (sequences) that one call brings.
  Index rows() const { return rows_; }

  /// A named weight. Weights are asked for in Keras' order: kernel, recurrent kernel, bias.
  Slot weight(std::string name, Shape shape, WeightOptions options = {});
  /// Memory filled by the op's `pack` after each change of the weights, shared by all workers.
  Slot packed(Index scalars);
  /// Survives from one chunk to the next; zero when a signal begins. Outside stream mode (Keras'
  /// `stateful`) it survives from batch to batch, until the model's states are reset.
  Slot state(Index per_row) { return book(Slot::Kind::state, per_row, 0); }
  /// Whole numbers that survive from one chunk to the next; zero when a signal begins.
  Slot counters(Index count) { return book(Slot::Kind::counter, 0, count); }
  /// Written by forward, read by backward; booked only when training.
  Slot saved(Index per_row) { return training() ? book(Slot::Kind::saved, per_row, 0) : Slot{}; }
  /// Garbage before and after each call.
  Slot scratch(Index per_row, Index fixed = 0) { return book(Slot::Kind::scratch, per_row, fixed); }
  /// Backward reads x(i) again.
  void keep_input(Index i = 0);
  /// Of x(i) only the number of steps is read: no gradient goes there.
  void count_steps_only(Index i) { counted_inputs_.push_back(i); }
  /// Backward reads y(i) again.
  void keep_output(Index i = 0);
  /// Every output has a penalty in the loss: backward reads it again, and is given its gradient,
  /// zeros where nothing else reads the output. After all output().
  void penalize_outputs();
  /// The shape of the next output.
  void output(Shape shape) { outputs_.push_back(std::move(shape)); }
  void timing(Timing timing) { timing_ = timing; }
  /// True when input i comes with a mask. A layer then says what becomes of it, by one of the next
  /// three; a layer that says nothing refuses.
  bool masked(Index i = 0) const {
    return static_cast<std::size_t>(i) < masked_.size() && masked_[static_cast<std::size_t>(i)];
  }
  bool any_masked() const;
  /// Output 0 has the mask of input i, if there is one.
  void pass_mask(Index i = 0) { mask_ = MaskRule::pass, mask_input_ = i; }
  /// The op writes a mask of its own for output 0: View::made_mask().
  void make_mask() { mask_ = MaskRule::make; }
  /// The mask is used up here: what comes out has none.
  void end_mask() { mask_ = MaskRule::end; }
  void folding(Folding folding) { folding_ = folding; }
  /// Sums over all rows of a batch that must be complete before forward or backward runs; see
  /// Op. A step that books sums is a barrier: all shards meet there.
  void batch_sums(Index forward, Index backward);
  /// Throws ArgumentError in stream mode: `Flatten "flat" cannot stream: ` + reason.
  void cannot_stream(std::string_view reason) const;
  /// Throws ArgumentError: `Conv1D "conv_2": ` + message.
  [[noreturn]] void refuse(std::string_view message) const;
  /// Throws unless `value` >= `least`: "kernel_size must be at least 1, got 0. " + mend.
  void at_least(std::string_view name, Index value, Index least, std::string_view mend = {}) const;
  /// Throws unless there is one input of the given rank; `layout` names its sizes in the message.
  void expect_rank(Index rank, std::string_view layout) const;
  const std::string& where() const { return where_; }

  // What was booked, for the plan.
  const std::vector<Weight>& weights() const { return weights_; }
  const std::vector<Index>& packed_sizes() const { return packed_; }
  const std::vector<Booking>& bookings() const { return bookings_; }
  const std::vector<Shape>& outputs() const { return outputs_; }
  const Timing& timing() const { return timing_; }
  bool shares_weights() const { return shares_weights_; }
  Index unit_pieces() const { return unit_pieces_; }  ///< 0: of none
  bool keeps_input(Index i) const;
  bool keeps_output(Index i) const;
  bool counts_steps_only(Index i) const;
  bool penalizes_outputs() const { return penalizes_; }
  Index forward_sums() const { return forward_sums_; }
  Index backward_sums() const { return backward_sums_; }
  Folding folding() const { return folding_; }
  /// True when output 0 comes with a mask, and the input that it is of; -1: the op makes it.
  bool gives_mask() const;
  Index mask_input() const { return mask_ == MaskRule::pass ? mask_input_ : -1; }
  bool drops_mask() const { return any_masked() && mask_ == MaskRule::none; }
  /// Throws when an input's mask would be dropped in silence.
  void check_masks() const;
  /// Throws LimitError where an output or a weight is larger than any memory.
  void check_sizes() const;

 private:
  enum class MaskRule : unsigned char { none, pass, make, end };

  Slot book(Slot::Kind kind, Index per_row, Index fixed);

  std::string where_;
  std::vector<Shape> inputs_;
  Mode mode_;
  Index rows_;
  std::vector<Weight> weights_;
  std::vector<Index> packed_;
  std::vector<Booking> bookings_;
  std::vector<Shape> outputs_;
  std::vector<Index> kept_inputs_;
  std::vector<Index> kept_outputs_;
  std::vector<Index> counted_inputs_;
  Timing timing_;
  bool frozen_ = false;
  bool recomputing_ = false;
  MatmulPrecision precision_ = MatmulPrecision::f32;
  bool shares_weights_ = false;
  Index unit_pieces_ = 0;
  bool penalizes_ = false;
  Index forward_sums_ = 0;
  Index backward_sums_ = 0;
  std::vector<bool> masked_ = {};
  MaskRule mask_ = MaskRule::none;
  Index mask_input_ = 0;
  Folding folding_ = Folding::none;
};

}  // namespace sonde
