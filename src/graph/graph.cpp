#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <sonde/error.hpp>
#include <sonde/graph.hpp>

#include "graph/keras_masks.hpp"
#include "graph/walk.hpp"

namespace sonde {
std::string snake_case(std::string_view type) {
  // Keras' rule (keras.src.utils.naming): "_" before a capital that starts a lower-case run, then
  // between a lower-case letter or digit and a capital.
  const auto upper = [&](std::size_t i) {
    return std::isupper(static_cast<unsigned char>(type[i]));
  };
  const auto lower = [&](std::size_t i) {
    return std::islower(static_cast<unsigned char>(type[i]));
  };
  std::string name;
  for (std::size_t i = 0; i < type.size(); ++i) {
    const bool run = upper(i) && i + 1 < type.size() && lower(i + 1);
    const bool edge = upper(i) && i > 0 && lower(i - 1);
    if (i > 0 && (run || edge)) name += '_';
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(type[i])));
  }
  return name;
}

Graph::Graph(std::vector<Tensor> inputs, std::vector<Tensor> outputs,
             const std::vector<const LayerInstance*>& order)
    : input_tensors_(std::move(inputs)), output_tensors_(std::move(outputs)) {
  if (input_tensors_.empty()) throw ArgumentError("Model: needs at least one input, got none.");
  if (output_tensors_.empty()) throw ArgumentError("Model: needs at least one output, got none.");

  Walk walk;
  for (const Tensor& output : output_tensors_) walk.from(output.node());

  // A call of a layer that was already met deeper counts as that deep, and so do the calls it
  // reads: the order of layers, by which files number their weights, depends on it.
  // Calls of one depth run in the order in which this walk meets them: a BatchNormalization that is
  // called twice moves its statistics twice.
  std::map<const Node*, Index> depths, met;
  std::map<const LayerInstance*, Index> layer_depths, layer_visits;
  MaskDepths masks(walk.postorder);
  const auto meet = [&](const Node* node) {
    met.emplace(node, static_cast<Index>(met.size()));
    return &depths[node];
  };
  for (auto node = walk.postorder.rbegin(); node != walk.postorder.rend(); ++node) {
    Index& layer_depth = layer_depths[(*node)->instance.get()];
    Index& depth = *meet(node->get());
    layer_depth = depth = std::max(depth, layer_depth);
    const Index own = depth;
    const auto need = [&](const Tensor& input, Index least) {
      Index& input_depth = *meet(input.node().get());
      input_depth = std::max(input_depth, least);
    };
    for (const Tensor& input : (*node)->inputs) need(input, own + 1);
    masks.visit(**node, own, need);
  }
  // Inputs that nothing reads still belong to the model, and stand first among the last.
  for (const Tensor& input : input_tensors_) {
    if (walk.visited.count(input.node().get())) continue;
    walk.from(input.node());
    walk.visited[input.node().get()] = -1;
    meet(input.node().get());
  }
  for (const auto& node : walk.postorder) {
    layer_depths[node->instance.get()];
    const Index visit = walk.visited.at(node.get());
    const auto known = layer_visits.emplace(node->instance.get(), visit);
    known.first->second = std::min(known.first->second, visit);
  }

  std::stable_sort(walk.postorder.begin(), walk.postorder.end(), [&](const auto& a, const auto& b) {
    if (depths[a.get()] != depths[b.get()]) return depths[a.get()] > depths[b.get()];
    return met.at(a.get()) < met.at(b.get());
  });
  std::map<const LayerInstance*, Index> layer_numbers, call_counts;
  for (const auto& node : walk.postorder)
    if (layer_numbers.emplace(node->instance.get(), 0).second) layers_.push_back(node->instance);
  std::map<const LayerInstance*, std::size_t> places;
  for (const LayerInstance* layer : order) places.emplace(layer, places.size());
  std::stable_sort(layers_.begin(), layers_.end(), [&](const auto& a, const auto& b) {
    if (!places.empty()) return places.at(a.get()) < places.at(b.get());
    if (layer_depths[a.get()] != layer_depths[b.get()])
      return layer_depths[a.get()] > layer_depths[b.get()];
    return layer_visits[a.get()] < layer_visits[b.get()];
  });
  for (std::size_t i = 0; i < layers_.size(); ++i)
    layer_numbers[layers_[i].get()] = static_cast<Index>(i);

  std::map<const Node*, Index> positions;
  for (const auto& node : walk.postorder) {
    Call call{node, layer_numbers[node->instance.get()], call_counts[node->instance.get()]++, {}};
    for (const Tensor& input : node->inputs)
      call.inputs.push_back({positions.at(input.node().get()), input.output()});
    positions[node.get()] = static_cast<Index>(calls_.size());
    calls_.push_back(std::move(call));
  }
  const auto source = [&](const Tensor& t) {
    return Source{positions.at(t.node().get()), t.output()};
  };
  for (const Tensor& input : input_tensors_) {
    if (!input.node()->inputs.empty())
      throw ArgumentError("Model: inputs must come from Input(), got the output of " +
                          std::string(input.node()->instance->layer.type()) + ".");
    inputs_.push_back(source(input));
  }
  for (const Tensor& output : output_tensors_) outputs_.push_back(source(output));
  for (std::size_t c = 0; c < calls_.size(); ++c)
    if (calls_[c].inputs.empty() && std::find(inputs_.begin(), inputs_.end(),
                                              Source{static_cast<Index>(c), 0}) == inputs_.end())
      throw ArgumentError(
          fmt::format("Model: an output depends on the Input {} \"{}\", which is not among the "
                      "model's inputs. Add it to them.",
                      to_string(calls_[c].node->outputs[0]), layer(calls_[c]).layer.name()));

  // Names: the user's, or Keras' automatic ones counted within this model.
  std::set<std::string> taken;
  const auto is_default = [](const LayerInstance& instance) {
    return instance.layer.is_composite() &&
           (instance.name == "functional" || instance.name == "sequential");
  };
  std::vector<LayerInstance*> again;
  for (const auto& instance : layers_) {
    if (instance->name.empty() || taken.insert(instance->name).second) continue;
    if (is_default(*instance)) again.push_back(instance.get());
    else
      throw ArgumentError(fmt::format(
          "Model: two layers are named \"{}\". Give one of them another name.", instance->name));
  }
  for (LayerInstance* instance : again) {
    const std::string stem = instance->name;
    for (int n = 1; !taken.insert(instance->name).second; ++n)
      instance->name = fmt::format("{}_{}", stem, n);
  }
  std::map<std::string, int> counts;
  for (const auto& instance : layers_) {
    if (!instance->name.empty()) continue;
    const std::string stem = snake_case(instance->layer.type());
    do {
      const int n = counts[stem]++;
      instance->name = n == 0 ? stem : fmt::format("{}_{}", stem, n);
    } while (!taken.insert(instance->name).second);
  }
  for (Call& call : calls_) call.path = layer(call).name;
}

}  // namespace sonde
