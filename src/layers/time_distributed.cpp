#include <optional>
#include <sonde/graph.hpp>
#include <sonde/layers.hpp>

#include "layers/fold.hpp"

namespace sonde {
namespace {

/// Layers that work on the last axis alone do to a sequence what they do to a step.
bool works_on_vectors(const AnyLayer& layer) {
  return layer.type() == "Dense" || layer.type() == "Activation";
}

/// The layer without a penalty on what it gives; none when it has no such penalty.
std::optional<AnyLayer> without_penalty(const AnyLayer& layer) {
  if (const auto* penalty = layer.as<ActivityRegularization>())
    return penalty->l1 == 0 && penalty->l2 == 0
               ? std::nullopt
               : std::optional<AnyLayer>(ActivityRegularization{.name = layer.name()});
  Value config = layer.config();
  const Value* regularizer = config.find("activity_regularizer");
  if (!regularizer || regularizer->is_null()) return std::nullopt;
  config.set("activity_regularizer", Value());
  return layer_from_config(layer.type(), *config.as<Value::Dict>(), "TimeDistributed");
}

}  // namespace

std::vector<Tensor> TimeDistributed::expand(Expansion& expansion) const {
  const auto& inputs = expansion.inputs();
  if (inputs.size() != 1)
    expansion.refuse("takes one input, got " + std::to_string(inputs.size()) + ".");
  const Tensor& x = inputs.front();
  if (x.shape().rank() < 2)
    expansion.refuse("expects an input of shape (time, …), got " + to_string(x.shape()) + ".");
  AnyLayer inner = *layer;
  // Keras calls the layer in a way that forgets its penalty, and counts those deeper inside.
  if (const auto plain = without_penalty(inner)) {
    if (!expansion.drops_masks())
      expansion.refuse(
          "the penalty of its layer on activities would not count, as in Keras. Put "
          "ActivityRegularization after TimeDistributed.");
    inner = *plain;
  }
  const std::string part = inner.name().empty() ? snake_case(inner.type()) : inner.name();
  if (works_on_vectors(inner)) return expansion.call(part, inner, inputs);
  const auto steps = expansion.call("fold", FoldSteps{}, inputs);
  const auto made = expansion.call(part, inner, steps);
  if (made.size() != 1)
    expansion.refuse("its layer gives " + std::to_string(made.size()) +
                     " outputs, and can only give one. Use return_state = false.");
  return expansion.call("unfold", UnfoldSteps{}, {made.front(), x});
}

Tensor TimeDistributed::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
