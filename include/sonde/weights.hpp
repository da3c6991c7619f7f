#pragma once
#include <memory>
#include <sonde/array.hpp>
#include <sonde/planner.hpp>
#include <span>
#include <string>
#include <vector>

namespace sonde {

/// One named weight in a block.
struct WeightEntry {
  std::string layer;  ///< "conv1d"
  std::string name;   ///< "kernel"
  Shape shape;
  Index offset = 0;  ///< from the start of the block
  WeightOptions options;
  bool trainable = true;  ///< the weight's and its layer's

  Index size() const { return shape.elements(); }
  std::string path() const { return layer + "/" + name; }
};

struct LayerInstance;

/// All weights of a model in one piece of memory with a name table, so that the optimizer is one
/// pass and a gradient is a block of the same size. Models that share a layer share one block.
class WeightBlock {
 public:
  explicit WeightBlock(std::vector<WeightEntry> entries);

  const std::vector<WeightEntry>& entries() const { return entries_; }
  std::vector<WeightEntry>& entries() { return entries_; }
  /// Scalars of the block, gaps between weights included.
  Index size() const { return values_.size(); }
  float* data() { return values_.data(); }
  const float* data() const { return values_.data(); }
  std::span<float> values(const WeightEntry& entry) {
    return {data() + entry.offset, static_cast<std::size_t>(entry.size())};
  }

  /// The layers whose weights these are, for a larger block that takes their place.
  std::vector<std::weak_ptr<LayerInstance>>& holders() { return holders_; }
  /// Nothing takes the block's place while one of these lives: it is being trained.
  class Pin {
   public:
    explicit Pin(WeightBlock& block) : block_(block) { ++block_.pins_; }
    ~Pin() { --block_.pins_; }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

   private:
    WeightBlock& block_;
  };
  bool is_pinned() const { return pins_ > 0; }

 private:
  std::vector<WeightEntry> entries_;
  Buffer<float> values_;
  std::vector<std::weak_ptr<LayerInstance>> holders_;
  int pins_ = 0;
};

}  // namespace sonde
