#include "model/diagnosis/draft.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <sonde/error.hpp>
#include <sonde/layers.hpp>
#include <sonde/layers/functional.hpp>

namespace sonde::diagnosis {
namespace {

using Instances = std::map<const LayerInstance*, std::shared_ptr<LayerInstance>>;

/// A model that is a layer, made anew: planning must not touch the weights of the one in use.
AnyLayer copy_of(const AnyLayer& layer) {
  const auto* nested = layer.as<Functional>();
  if (!nested) return layer;
  std::vector<Shape> shapes;
  for (const Tensor& input : nested->graph->input_tensors()) shapes.push_back(input.shape());
  Planned planned = plan(Draft::of(*nested->graph), shapes);
  Functional copy = *nested;
  copy.graph = std::make_shared<const Graph>(*planned.graph);
  return copy;
}

}  // namespace

Draft Draft::of(const Graph& graph) {
  Draft draft;
  for (const auto& layer : graph.layers()) draft.parts.push_back({layer->layer, layer->name});
  for (const Graph::Call& call : graph.calls()) {
    Call copy{call.layer, call.inputs};
    for (const Tensor& input : call.node->inputs) {
      const auto o = at(input.output());
      const bool comes_masked = o < input.node()->masked.size() && input.node()->masked[o];
      copy.unmasked.push_back(comes_masked && !input.masked());
    }
    draft.calls.push_back(std::move(copy));
  }
  draft.inputs = graph.inputs();
  draft.outputs = graph.outputs();
  for (const Tensor& input : graph.input_tensors()) draft.input_shapes.push_back(input.shape());
  return draft;
}

Draft Draft::of(const Shape& input, const std::vector<AnyLayer>& layers) {
  Draft draft;
  draft.input_shapes = {input};
  draft.parts.push_back({InputLayer{.shape = input}, "input_layer"});
  draft.calls.push_back({0, {}});
  std::map<std::string, int> counts;
  for (const AnyLayer& layer : layers) {
    const auto before = static_cast<Index>(draft.calls.size()) - 1;
    const std::string stem = snake_case(layer.type());
    const int n = layer.name().empty() ? counts[stem]++ : 0;
    draft.parts.push_back({layer, !layer.name().empty() ? layer.name()
                                  : n == 0              ? stem
                                                        : stem + "_" + std::to_string(n)});
    draft.calls.push_back(
        {static_cast<Index>(draft.parts.size()) - 1, {{before, 0}}, {false}, false});
  }
  draft.inputs = {{0, 0}};
  draft.outputs = {{static_cast<Index>(draft.calls.size()) - 1, 0}};
  return draft;
}

Graph::Source Draft::resolve(Graph::Source source) const {
  while (calls[at(source.call)].removed) source = calls[at(source.call)].inputs[0];
  return source;
}

Index Draft::insert_after(Graph::Source source, AnyLayer layer) {
  const Index place = source.call + 1;
  const auto moved = [&](Graph::Source& each) {
    if (each == source) each = {place, 0};
    else if (each.call >= place) ++each.call;
  };
  for (Call& call : calls)
    for (Graph::Source& each : call.inputs) moved(each);
  for (Graph::Source& each : outputs) moved(each);
  for (Graph::Source& each : inputs)
    if (each.call >= place) ++each.call;
  parts.push_back({std::move(layer), ""});
  calls.insert(calls.begin() + place,
               Call{static_cast<Index>(parts.size()) - 1, {source}, {false}, false});
  return place;
}

std::vector<Index> Draft::path(std::size_t o) const {
  std::vector<bool> needed(calls.size(), false);
  needed[at(resolve(outputs[o]).call)] = true;
  for (std::size_t c = calls.size(); c-- > 0;)
    if (needed[c])
      for (const Graph::Source& input : calls[c].inputs) needed[at(resolve(input).call)] = true;
  std::vector<Index> found;
  for (std::size_t c = 0; c < calls.size(); ++c)
    if (needed[c] && !calls[c].inputs.empty()) found.push_back(static_cast<Index>(c));
  return found;
}

Planned plan(const Draft& draft, const std::vector<Shape>& inputs) {
  Planned planned;
  planned.made.resize(draft.calls.size());
  std::vector<std::shared_ptr<LayerInstance>> instances(draft.parts.size());
  for (std::size_t i = 0; i < draft.inputs.size(); ++i) {
    const Draft::Call& call = draft.calls[at(draft.inputs[i].call)];
    planned.inputs.push_back(Input(inputs[i], {.name = draft.part(call).name}));
    planned.made[at(draft.inputs[i].call)] = {planned.inputs.back()};
  }
  for (std::size_t c = 0; c < draft.calls.size(); ++c) {
    const Draft::Call& call = draft.calls[c];
    if (call.inputs.empty() || call.removed) continue;
    auto& instance = instances[at(call.part)];
    if (!instance)
      instance = std::make_shared<LayerInstance>(
          LayerInstance{copy_of(draft.part(call).layer), draft.part(call).name});
    try {
      std::vector<Tensor> given;
      for (std::size_t i = 0; i < call.inputs.size(); ++i) {
        const Graph::Source from = draft.resolve(call.inputs[i]);
        const Tensor& tensor = planned.made[at(from.call)].at(at(from.output));
        given.push_back(call.unmasked[i] ? tensor.without_mask() : tensor);
      }
      planned.made[c] = detail::call(instance, std::move(given));
    } catch (const Error& error) {
      planned.failed = static_cast<Index>(c);
      planned.message = error.what();
      return planned;
    }
  }
  std::vector<Tensor> outputs;
  for (const Graph::Source& output : draft.outputs) {
    const Graph::Source from = draft.resolve(output);
    outputs.push_back(planned.made[at(from.call)].at(at(from.output)));
  }
  planned.graph.emplace(planned.inputs, std::move(outputs));
  return planned;
}

std::string short_name(const Draft::Part& part) {
  std::string stem = snake_case(part.layer.type());
  const std::string_view rest =
      part.name.starts_with(stem) ? std::string_view(part.name).substr(stem.size()) : "?";
  const bool counted =
      rest.size() > 1 && rest[0] == '_' && std::all_of(rest.begin() + 1, rest.end(), [](char c) {
        return std::isdigit(static_cast<unsigned char>(c));
      });
  if (part.name.empty() || rest.empty()) return stem;
  return counted ? part.name : stem + " \"" + part.name + "\"";
}

namespace {

/// The keys under which a layer holds another one.
constexpr std::string_view wrapped[] = {"layer", "backward_layer"};

/// Sets `key` in a config, or in those of the layers it wraps; true when it was there.
bool set_in(Value::Dict& config, std::string_view key, const Value& value) {
  for (auto& [name, held] : config)
    if (name == key) {
      held = value;
      return true;
    }
  bool found = false;
  for (auto& [name, held] : config) {
    if (std::find(std::begin(wrapped), std::end(wrapped), name) == std::end(wrapped)) continue;
    const Value* inner = held.find("config");
    if (!inner || !inner->as<Value::Dict>()) continue;
    Value::Dict changed = *inner->as<Value::Dict>();
    if (!set_in(changed, key, value)) continue;
    held.set("config", std::move(changed));
    found = true;
  }
  return found;
}

const Value* find_in(const Value::Dict& config, std::string_view key) {
  for (const auto& [name, held] : config)
    if (name == key) return &held;
  for (const auto& [name, held] : config) {
    if (name != "layer") continue;
    const Value* inner = held.find("config");
    if (inner && inner->as<Value::Dict>()) return find_in(*inner->as<Value::Dict>(), key);
  }
  return nullptr;
}

}  // namespace

Value argument(const AnyLayer& layer, std::string_view key) {
  const Value::Dict config = layer.config();
  const Value* found = find_in(config, key);
  return found ? *found : Value();
}

bool has_argument(const AnyLayer& layer, std::string_view key) {
  return find_in(layer.config(), key) != nullptr;
}

std::optional<AnyLayer> with_argument(const AnyLayer& layer, std::string_view key,
                                      const Value& value) {
  Value::Dict config = layer.config();
  if (!set_in(config, key, value)) return std::nullopt;
  try {
    AnyLayer changed;
    from_value(
        Value::Dict{{"class_name", std::string(layer.type())}, {"config", std::move(config)}},
        std::string(layer.type()), changed);
    return changed;
  } catch (const Error&) {  // a layer of the user's own, which only he can make
    return std::nullopt;
  }
}

}  // namespace sonde::diagnosis
