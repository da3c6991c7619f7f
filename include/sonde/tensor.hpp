#pragma once
#include <memory>
#include <sonde/shape.hpp>
#include <string>
#include <vector>

namespace sonde {

struct LayerInstance;
struct Node;

/// What makes two calls of one layer object share their weights. A copy is another layer.
class Identity {
 public:
  Identity() = default;
  Identity(const Identity&) {}
  Identity& operator=(const Identity&) {
    instance_.reset();
    return *this;
  }
  Identity(Identity&&) noexcept = default;
  Identity& operator=(Identity&&) noexcept = default;
  bool operator==(const Identity&) const { return true; }

  std::shared_ptr<LayerInstance>& instance() const { return instance_; }

 private:
  mutable std::shared_ptr<LayerInstance> instance_;
};

/// A symbolic value: one output of one call of a layer. Holds no numbers. Cheap to copy.
class Tensor {
 public:
  Tensor(std::shared_ptr<const Node> node, Index output)
      : node_(std::move(node)), output_(output) {}

  /// Comes with a mask: a number for each step, 1 where it counts and 0 where it is padding.
  bool masked() const;
  /// False after without_mask(), whether there was a mask or not.
  bool keeps_mask() const { return keeps_mask_; }
  /// The same value without its mask: what follows takes every step. Layers that would drop a mask
  /// ask for this, because a padded step then leaks into its neighbours.
  Tensor without_mask() const {
    Tensor bare = *this;
    bare.keeps_mask_ = false;
    return bare;
  }

  /// Without the batch: (400, 16) is 400 time steps of 16 channels.
  const Shape& shape() const;
  const std::shared_ptr<const Node>& node() const { return node_; }
  /// Which of the call's outputs this is.
  Index output() const { return output_; }
  bool operator==(const Tensor&) const = default;

 private:
  std::shared_ptr<const Node> node_;
  Index output_;
  bool keeps_mask_ = true;
};

/// The calls that one call of a composite layer stands for, between placeholders for its inputs.
struct Expanded {
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
};

/// One call of a layer. Tensors keep the calls that made them alive.
struct Node {
  std::shared_ptr<LayerInstance> instance;
  std::vector<Tensor> inputs;
  std::vector<Shape> outputs;
  std::vector<bool> masked = {};                  ///< for each output: comes with a mask
  std::shared_ptr<const Expanded> expanded = {};  ///< of a composite layer; else null
  /// Made as Keras makes calls: a mask ends where a layer has no use for it, and none refuses.
  bool drops_masks = false;
};

inline bool Tensor::masked() const {
  const auto o = static_cast<std::size_t>(output_);
  return keeps_mask_ && o < node_->masked.size() && node_->masked[o];
}
inline const Shape& Tensor::shape() const {
  return node_->outputs[static_cast<std::size_t>(output_)];
}

struct InputOptions {
  std::string name = {};
};

/// An entry of a graph: `Input({400, 16})`, or `Input({dynamic, 2})` for signals of any length.
/// Keras: keras.Input.
Tensor Input(Shape shape, InputOptions options = {});

}  // namespace sonde
