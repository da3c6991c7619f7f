#include <fmt/format.h>

#include <sonde/error.hpp>
#include <sonde/graph.hpp>
#include <sonde/layer.hpp>

namespace sonde {
namespace {

std::string where_of(const LayerInstance& instance) {
  const std::string_view type = instance.layer.type();
  return instance.name.empty() ? std::string(type) : fmt::format("{} \"{}\"", type, instance.name);
}

/// What most layers do needs to know how many numbers a vector has.
void check_dynamic_vectors(const LayerInstance& instance, const std::vector<Tensor>& inputs) {
  for (const Tensor& input : inputs)
    if (input.shape() == Shape{dynamic} && !instance.layer.takes_dynamic_vectors())
      throw ArgumentError(
          fmt::format("{}: expects an input of known size, got {}, which only Embedding takes. Use "
                      "Input({{dynamic, 1}}) for one channel of any length.",
                      where_of(instance), to_string(input.shape())));
}

std::shared_ptr<const Node> plan_call(const std::shared_ptr<LayerInstance>& instance,
                                      std::vector<Tensor> inputs, bool drop_masks) {
  check_dynamic_vectors(*instance, inputs);
  Planner planner = planner_for(*instance, inputs, Mode::infer, 1);
  instance->layer.plan(planner);
  if (drop_masks && planner.drops_mask()) {
    for (Tensor& input : inputs) input = input.without_mask();
    return plan_call(instance, std::move(inputs), drop_masks);
  }
  planner.check_masks();
  planner.check_sizes();
  std::vector<bool> masked(planner.outputs().size(), false);
  masked.front() = planner.gives_mask();
  return std::make_shared<const Node>(
      Node{instance, std::move(inputs), planner.outputs(), std::move(masked), {}, drop_masks});
}

/// Expands a composite over placeholders that look like its inputs.
std::shared_ptr<const Node> expand_call(const std::shared_ptr<LayerInstance>& instance,
                                        std::vector<Tensor> inputs, bool drop_masks) {
  Expanded expanded;
  for (const Tensor& input : inputs) {
    const auto& real = *input.node();
    // A node without inputs, of the same layer: what it says about shape and mask is what counts.
    auto placeholder =
        std::make_shared<const Node>(Node{real.instance, {}, {input.shape()}, {input.masked()}});
    expanded.inputs.emplace_back(std::move(placeholder), 0);
  }
  Expansion expansion(*instance, expanded.inputs, drop_masks);
  expanded.outputs = instance->layer.expand(expansion);
  std::vector<Shape> shapes;
  std::vector<bool> masked;
  for (const Tensor& output : expanded.outputs) {
    shapes.push_back(output.shape());
    masked.push_back(output.masked());
  }
  return std::make_shared<const Node>(
      Node{instance, std::move(inputs), std::move(shapes), std::move(masked),
           std::make_shared<const Expanded>(std::move(expanded)), drop_masks});
}

}  // namespace

Planner planner_for(const LayerInstance& instance, const std::vector<Tensor>& inputs, Mode mode,
                    Index rows) {
  std::vector<Shape> shapes;
  std::vector<bool> masked;
  for (const Tensor& input : inputs) {
    shapes.push_back(input.shape());
    masked.push_back(input.masked());
  }
  return Planner(where_of(instance), std::move(shapes), mode, rows, std::move(masked));
}

std::vector<Tensor> Expansion::call(const std::string& name, const AnyLayer& layer,
                                    std::vector<Tensor> inputs) {
  for (const auto& part : instance_.parts)
    if (part->name == name) return detail::call(part, std::move(inputs), drops_masks_);
  instance_.parts.push_back(std::make_shared<LayerInstance>(LayerInstance{layer, name}));
  return detail::call(instance_.parts.back(), std::move(inputs), drops_masks_);
}

void Expansion::refuse(std::string_view message) const {
  throw ArgumentError(fmt::format("{}: {}", where_of(instance_), message));
}

namespace detail {

std::vector<Tensor> call(const AnyLayer& layer, const Identity& identity,
                         std::vector<Tensor> inputs, bool drop_masks) {
  auto& instance = identity.instance();
  if (!instance) instance = std::make_shared<LayerInstance>(LayerInstance{layer, layer.name()});
  if (!(layer.config() == instance->layer.config()))
    throw ArgumentError(
        where_of(*instance) +
        ": its arguments were changed between two calls that share weights. Copy the layer to make "
        "another one.");
  return call(instance, std::move(inputs), drop_masks);
}

std::vector<Tensor> call(const std::shared_ptr<LayerInstance>& instance, std::vector<Tensor> inputs,
                         bool drop_masks) {
  const auto node = instance->layer.is_composite()
                        ? expand_call(instance, std::move(inputs), drop_masks)
                        : plan_call(instance, std::move(inputs), drop_masks);
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < node->outputs.size(); ++i)
    outputs.emplace_back(node, static_cast<Index>(i));
  return outputs;
}

}  // namespace detail

}  // namespace sonde
