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

  /// Without the batch: (400, 16) is 400 time steps of 16 channels.
  const Shape& shape() const;
  const std::shared_ptr<const Node>& node() const { return node_; }
  /// Which of the call's outputs this is.
  Index output() const { return output_; }
  bool operator==(const Tensor&) const = default;

 private:
  std::shared_ptr<const Node> node_;
  Index output_;
};

/// One call of a layer. Tensors keep the calls that made them alive.
struct Node {
  std::shared_ptr<LayerInstance> instance;
  std::vector<Tensor> inputs;
  std::vector<Shape> outputs;
};

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
