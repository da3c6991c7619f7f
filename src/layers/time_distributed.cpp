#include <sonde/layers/time_distributed.hpp>

#include <sonde/graph.hpp>

#include "layers/fold.hpp"

namespace sonde {
namespace {

/// Layers that work on the last axis alone do to a sequence what they do to a step.
bool works_on_vectors(const AnyLayer& layer) {
  return layer.type() == "Dense" || layer.type() == "Activation";
}

}  // namespace

std::vector<Tensor> TimeDistributed::expand(Expansion& expansion) const {
  const auto& inputs = expansion.inputs();
  if (inputs.size() != 1)
    expansion.refuse("takes one input, got " + std::to_string(inputs.size()) + ".");
  const Tensor& x = inputs.front();
  if (x.shape().rank() < 2)
    expansion.refuse("expects an input of shape (time, …), got " + to_string(x.shape()) + ".");
  const AnyLayer& inner = *layer;
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
