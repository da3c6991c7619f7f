#include <sonde/graph.hpp>
#include <sonde/layer.hpp>

namespace sonde {

Planner planner_for(const LayerInstance& instance, std::vector<Shape> inputs, Mode mode,
                    Index rows) {
  const std::string& name = instance.name;
  std::string where(instance.layer.type());
  if (!name.empty()) where += " \"" + name + "\"";
  return Planner(std::move(where), std::move(inputs), mode, rows);
}

namespace detail {

std::vector<Tensor> call(const AnyLayer& layer, const Identity& identity,
                         std::vector<Tensor> inputs) {
  auto& instance = identity.instance();
  if (!instance) instance = std::make_shared<LayerInstance>(LayerInstance{layer, layer.name()});
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  Planner planner = planner_for(*instance, std::move(shapes), Mode::infer, 1);
  if (!(layer.config() == instance->layer.config()))
    planner.refuse(
        "its arguments were changed between two calls that share weights. Copy the layer to make "
        "another one.");
  layer.plan(planner);
  auto node = std::make_shared<const Node>(Node{instance, std::move(inputs), planner.outputs()});
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < node->outputs.size(); ++i)
    outputs.emplace_back(node, static_cast<Index>(i));
  return outputs;
}

}  // namespace detail

}  // namespace sonde
