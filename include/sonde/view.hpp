#pragma once
#include <cstdint>
#include <sonde/planner.hpp>
#include <vector>

namespace sonde {

/// The numbers of a tensor inside a shard, time-major: (steps, rows, width). A tensor without time
/// has one step.
template <class T>
struct Chunk {
  T* data = nullptr;
  Index steps = 1;
  Index rows = 1;
  Index width = 1;

  Index size() const { return steps * rows * width; }
  Index vectors() const { return steps * rows; }
  T* step(Index t) const { return data + t * rows * width; }
  explicit operator bool() const { return data != nullptr; }
};

/// Where a step's things lie, in scalars from the start of their block. Written by the plan.
struct Layout {
  static constexpr Index nowhere = -1;
  struct Place {
    int tensor = -1;           ///< number of the tensor in the plan
    Index value = nowhere;     ///< in the arena
    Index gradient = nowhere;  ///< in the arena; nowhere when nobody needs it
    Index width = 1;
  };
  std::vector<Place> inputs;
  std::vector<Place> outputs;
  std::vector<Place> masks;  ///< of each input; value nowhere when it has none
  Place made_mask = {};
  std::vector<Index> weights;   ///< in the weight block and in the gradient block
  std::vector<Index> packed;    ///< in the packed block
  std::vector<Index> bookings;  ///< in the arena, the state block or the counter block
  Index forward_sums = 0;       ///< in the block of batch sums
  Index backward_sums = 0;
  std::uint64_t name = 0;  ///< hash of the layer's name: its stream of random numbers
};

/// The blocks that one worker runs a plan over.
template <class T>
struct Memory {
  T* arena = nullptr;
  T* weights = nullptr;
  T* gradients = nullptr;  ///< of this shard, added to
  T* packed = nullptr;
  T* states = nullptr;  ///< zeroed by the runner when a signal begins
  Index* counters = nullptr;
  double* sums = nullptr;  ///< of this shard before a barrier, of the batch after it
  /// Of this shard: penalties on activities are added to it. Null where no loss is asked for.
  double* penalty = nullptr;
  Index* steps = nullptr;  ///< steps that each tensor holds now
  Index* folds = nullptr;  ///< rows of each tensor for one row of the shard: 1 outside a fold
  Index rows = 1;          ///< rows of this shard
  Index first_row = 0;     ///< number of its first row in the batch
  Index batch_rows = 1;    ///< rows of the whole batch
  bool first = true;       ///< a signal begins with this chunk
  bool last = true;        ///< a signal ends with this chunk
  bool training = false;   ///< dropout drops, batch statistics are used
  std::uint64_t seed = 0;  ///< of the model
  std::uint64_t draw = 0;  ///< number of the training step, over all epochs
};

/// All that a running op can reach. Nothing here can allocate, lock or throw.
template <class T>
class View {
 public:
  View() = default;  ///< of nothing: only to be assigned to
  View(const Layout& layout, Memory<T>& memory) : layout_(&layout), memory_(&memory) {}

  Chunk<const T> x(Index i = 0) const { return chunk<const T>(input(i), input(i).value); }
  Chunk<T> y(Index i = 0) const { return chunk<T>(output(i), output(i).value); }
  /// Backward may overwrite it: nobody reads it afterwards.
  Chunk<T> dy(Index i = 0) const { return chunk<T>(output(i), output(i).gradient); }
  /// Overwritten by backward; its data is null when nobody needs it.
  Chunk<T> dx(Index i = 0) const { return chunk<T>(input(i), input(i).gradient); }

  /// 1 for each (step, row) of input i that counts, 0 for padding; null data when it has no mask.
  Chunk<const T> mask(Index i = 0) const {
    const auto& place = layout_->masks[static_cast<std::size_t>(i)];
    return place.value == Layout::nowhere ? Chunk<const T>{} : chunk<const T>(place, place.value);
  }
  /// Where the op writes output 0's mask after Planner::make_mask().
  Chunk<T> made_mask() const { return chunk<T>(layout_->made_mask, layout_->made_mask.value); }

  /// Says how many steps of output `i` this call produced (stream mode).
  void produce(Index steps, Index i = 0) const {
    memory_->steps[output(i).tensor] = steps;
    if (i == 0 && layout_->made_mask.tensor >= 0) memory_->steps[layout_->made_mask.tensor] = steps;
  }

  /// A weight, packed weights, state, saved numbers or scratch; null for a slot never booked.
  T* operator[](Slot slot) const {
    switch (slot.kind) {
      case Slot::Kind::none:
        return nullptr;
      case Slot::Kind::weight:
        return memory_->weights + at(layout_->weights, slot);
      case Slot::Kind::packed:
        return memory_->packed + at(layout_->packed, slot);
      case Slot::Kind::state:
        return memory_->states + at(layout_->bookings, slot);
      default:
        return memory_->arena + at(layout_->bookings, slot);
    }
  }
  /// The gradient of a weight: backward adds to it. Null for a slot never booked.
  T* gradient(Slot slot) const {
    return slot ? memory_->gradients + at(layout_->weights, slot) : nullptr;
  }
  Index* counters(Slot slot) const { return memory_->counters + at(layout_->bookings, slot); }
  double* forward_sums() const { return memory_->sums + layout_->forward_sums; }
  double* backward_sums() const { return memory_->sums + layout_->backward_sums; }

  /// Where penalties on what this step gives are added up, not yet divided by batch_rows(); null
  /// when there is no loss, and then they have no gradient either.
  double* penalty() const { return memory_->penalty; }
  /// Sequences of the whole batch.
  Index batch_rows() const { return memory_->batch_rows; }
  /// Rows of input 0: sequences of the shard, times their folded steps.
  Index rows() const { return memory_->rows * fold(); }
  /// The number of row r in the whole batch, whatever the shard.
  Index row_number(Index r) const {
    const Index times = fold();  // rows lie by folded step, then by sequence
    return (memory_->first_row + r % memory_->rows) * times + r / memory_->rows;
  }
  bool first() const { return memory_->first; }
  bool last() const { return memory_->last; }
  bool training() const { return memory_->training; }
  std::uint64_t seed() const { return memory_->seed; }
  std::uint64_t draw() const { return memory_->draw; }
  /// Hash of the layer's name: with seed and draw, the key of its random numbers.
  std::uint64_t name() const { return layout_->name; }

 private:
  const Layout::Place& input(Index i) const { return layout_->inputs[static_cast<std::size_t>(i)]; }
  const Layout::Place& output(Index i) const {
    return layout_->outputs[static_cast<std::size_t>(i)];
  }
  static Index at(const std::vector<Index>& places, Slot slot) {
    return places[static_cast<std::size_t>(slot.index)];
  }
  template <class U>
  Chunk<U> chunk(const Layout::Place& place, Index offset) const {
    return {offset == Layout::nowhere ? nullptr : memory_->arena + offset,
            memory_->steps[place.tensor], memory_->rows * memory_->folds[place.tensor],
            place.width};
  }
  Index fold() const {
    return layout_->inputs.empty() ? 1 : memory_->folds[layout_->inputs.front().tensor];
  }

  const Layout* layout_ = nullptr;
  Memory<T>* memory_ = nullptr;
};

/// The most shards that a worker takes through a plan side by side.
inline constexpr Index most_abreast = 8;

}  // namespace sonde
