#pragma once
#include <array>
#include <sonde/array.hpp>
#include <sonde/error.hpp>
#include <span>
#include <vector>

namespace sonde {

/// One sample as pointers into memory that outlives the batch that it is asked for: nothing is
/// copied until a worker gathers its shard. Unused places are null.
struct Sample {
  static constexpr std::size_t most = 8;  ///< inputs, and outputs, of one model
  std::array<const float*, most> x = {};
  std::array<const float*, most> y = {};
  std::array<const float*, most> weights = {};  ///< null: all 1
};

/// Where training takes its samples from: arrays, windows of recordings, or a user's own.
/// sample() is called by many threads at once and must not allocate.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  /// Samples in one epoch.
  virtual Index size() const = 0;
  /// Shapes without the batch, one for each input.
  virtual std::vector<Shape> inputs() const = 0;
  /// Shapes without the batch, one for each output; empty when there are no targets.
  virtual std::vector<Shape> targets() const = 0;
  /// Weights of each sample for output `i`: 1, one for each time step, or 0 for none at all.
  virtual Index weights(Index output) const = 0;
  virtual Sample sample(Index epoch, Index number) const noexcept = 0;

  /// The numbers of the room that training_sample() is given: 0 for sources that change nothing.
  virtual Index room() const { return 0; }
  /// The sample as training sees it, which may be changed: then it lies in `room`, which each
  /// worker has for itself, until the next call. Judging and predicting use sample().
  virtual Sample training_sample(Index epoch, Index number, float*) const noexcept {
    return sample(epoch, number);
  }
  /// These are asked for next: what lies on a disk may be fetched. By many threads at once; quick.
  virtual void will_need(Index, std::span<const Index>) const noexcept {}
};

/// Samples that lie in arrays, batch first. Holds views: the arrays must outlive it.
class ArraySamples : public SampleSource {
 public:
  using Arrays = std::vector<const Array*>;

  /// Throws DataError when the arrays do not have equally many samples.
  ArraySamples(Arrays x, Arrays y, Arrays weights = {});

  Index size() const override { return size_; }
  std::vector<Shape> inputs() const override;
  std::vector<Shape> targets() const override;
  Index weights(Index output) const override;
  Sample sample(Index epoch, Index number) const noexcept override;
  void will_need(Index epoch, std::span<const Index> numbers) const noexcept override;

 private:
  Arrays x_, y_, weights_;
  Index size_ = 0;
};

/// Samples [begin, end) of another source, which must outlive it.
class SamplePart : public SampleSource {
 public:
  SamplePart(const SampleSource& whole, Index begin, Index end)
      : whole_(whole), begin_(begin), end_(end) {}

  Index size() const override { return end_ - begin_; }
  std::vector<Shape> inputs() const override { return whole_.inputs(); }
  std::vector<Shape> targets() const override { return whole_.targets(); }
  Index weights(Index output) const override { return whole_.weights(output); }
  Sample sample(Index epoch, Index number) const noexcept override {
    return whole_.sample(epoch, begin_ + number);
  }
  Index room() const override { return whole_.room(); }
  Sample training_sample(Index epoch, Index number, float* room) const noexcept override {
    return whole_.training_sample(epoch, begin_ + number, room);
  }
  void will_need(Index epoch, std::span<const Index> numbers) const noexcept override;

 private:
  const SampleSource& whole_;
  Index begin_, end_;
};

}  // namespace sonde
