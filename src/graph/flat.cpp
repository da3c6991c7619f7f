#include <sonde/graph.hpp>

#include "graph/walk.hpp"

namespace sonde {

/// Writes calls into a graph without composites.
struct Graph::Flattening {
  Graph flat = {};
  std::map<const LayerInstance*, Index> numbers = {}, counts = {};

  using Sources = std::vector<Source>;
  using Known = std::map<const Node*, Sources>;  ///< where the outputs of a call come from

  void add(const std::shared_ptr<const Node>& node, const std::string& path, bool is_frozen,
           Known& known) {
    is_frozen |= !node->instance->layer.trainable();
    Sources inputs;
    for (const Tensor& input : node->inputs)
      inputs.push_back(known.at(input.node().get())[static_cast<std::size_t>(input.output())]);
    known[node.get()] = node->expanded ? expand(*node, path, is_frozen, inputs)
                                       : leaf(node, path, is_frozen, inputs);
  }

  Sources leaf(const std::shared_ptr<const Node>& node, const std::string& path, bool is_frozen,
               Sources inputs) {
    const LayerInstance* instance = node->instance.get();
    if (numbers.emplace(instance, static_cast<Index>(flat.layers_.size())).second)
      flat.layers_.push_back(node->instance);
    const Index call = static_cast<Index>(flat.calls_.size());
    flat.calls_.push_back(
        {node, numbers[instance], counts[instance]++, std::move(inputs), path, is_frozen});
    Sources outputs;
    for (std::size_t o = 0; o < node->outputs.size(); ++o)
      outputs.push_back({call, static_cast<Index>(o)});
    return outputs;
  }

  Sources expand(const Node& node, const std::string& path, bool is_frozen, const Sources& inputs) {
    Known known;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      known[node.expanded->inputs[i].node().get()] = {inputs[i]};
    Walk walk;
    for (const Tensor& output : node.expanded->outputs) walk.from(output.node());
    for (const auto& inner : walk.postorder)
      if (!known.count(inner.get()))
        add(inner, path + "/" + inner->instance->name, is_frozen, known);
    Sources outputs;
    for (const Tensor& output : node.expanded->outputs)
      outputs.push_back(known.at(output.node().get())[static_cast<std::size_t>(output.output())]);
    return outputs;
  }
};

Graph Graph::flat() const {
  Flattening flattening;
  Flattening::Known known;
  for (const Call& call : calls_) flattening.add(call.node, call.path, false, known);
  Graph& flat = flattening.flat;
  flat.input_tensors_ = input_tensors_;
  flat.output_tensors_ = output_tensors_;
  for (const Tensor& input : input_tensors_)
    flat.inputs_.push_back(known.at(input.node().get())[0]);
  for (const Tensor& output : output_tensors_)
    flat.outputs_.push_back(
        known.at(output.node().get())[static_cast<std::size_t>(output.output())]);
  return std::move(flat);
}

}  // namespace sonde
