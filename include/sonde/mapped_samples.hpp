#pragma once
#include <sonde/mapped_array.hpp>
#include <sonde/samples.hpp>

namespace sonde {

/// Samples whose signals lie in a mapped file, (samples, time, channels), and need not fit into
/// memory; labels and weights do. While a batch is computed the next one is fetched. The order of
/// samples, and so every result, is that of ArraySamples.
///   const MappedSamples samples(map_npy("X.npy"), y);
///   model.fit(samples, {.epochs = 20});
/// Signals are not looked through for NaN beforehand: a run ends when one spoils the loss.
class MappedSamples : public SampleSource {
 public:
  /// Holds views of y and weights. DataError when they have not as many samples as x.
  MappedSamples(MappedArray x, const Array& y, const Array* weights = nullptr);

  Index size() const override { return x_.shape()[0]; }
  std::vector<Shape> inputs() const override { return {x_.shape().without_front()}; }
  std::vector<Shape> targets() const override { return labels_.targets(); }
  Index weights(Index output) const override { return labels_.weights(output); }
  Sample sample(Index epoch, Index number) const noexcept override;
  void will_need(Index epoch, std::span<const Index> numbers) const noexcept override;

 private:
  MappedArray x_;
  Index row_;            // numbers of one sample
  ArraySamples labels_;  // with y in the place of x
};

}  // namespace sonde
