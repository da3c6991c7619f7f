#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// A layer that a model holds, to be called again: all its calls share the weights. Keras: what
/// model.get_layer() returns.
///   const SharedLayer decoder = model.get_layer("decoder");
///   auto y_h_c = decoder({previous, h, c});
class SharedLayer {
 public:
  /// `call`: one of its calls.
  explicit SharedLayer(std::shared_ptr<const Node> call) : call_(std::move(call)) {}

  const std::string& name() const { return call_->instance->name; }
  std::string_view type() const { return call_->instance->layer.type(); }
  /// Its arguments.
  const AnyLayer& spec() const { return call_->instance->layer; }
  /// What it reads where the model calls it first. Keras: layer.input.
  const std::vector<Tensor>& inputs() const { return call_->inputs; }
  /// What it gives there. Keras: layer.output.
  std::vector<Tensor> outputs() const {
    std::vector<Tensor> all;
    for (std::size_t i = 0; i < call_->outputs.size(); ++i)
      all.emplace_back(call_, static_cast<Index>(i));
    return all;
  }
  /// Calls it once more. Throws ArgumentError when it does not fit the inputs.
  std::vector<Tensor> operator()(std::vector<Tensor> inputs) const {
    return detail::call(call_->instance, std::move(inputs));
  }

 private:
  std::shared_ptr<const Node> call_;
};

}  // namespace sonde
