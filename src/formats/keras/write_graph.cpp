#include <fmt/format.h>

#include <sonde/error.hpp>
#include <sonde/layers/functional.hpp>
#include <sonde/layers/get_item.hpp>
#include <sonde/layers/rnn.hpp>
#include <sonde/layers/time_distributed.hpp>

#include "formats/keras/classes.hpp"
#include "formats/keras/graph_config.hpp"
#include "formats/keras/layer_config.hpp"
#include "formats/keras/operations.hpp"
#include "formats/keras/write_masks.hpp"

namespace sonde::formats::keras {
namespace {

Value::Dict write_sequential(const Graph& graph, const std::string& name, bool trainable);

/// The states of stacked cells lie in a list for each cell.
Value::List written_states(const AnyLayer& layer, Value::List states) {
  const auto* rnn = layer.as<RNN>();
  if (!rnn || !std::holds_alternative<StackedRNNCells>(*rnn->cell)) return states;
  Value::List cells;
  auto next = states.begin();
  for (const Index count : RNN::states_of(*rnn->cell)) {
    cells.push_back(Value::List(next, next + count));
    next += count;
  }
  return cells;
}

/// Files of Keras cannot take the mask off a tensor for one reader.
void check_masks_kept(const Graph::Call& call) {
  const LayerInstance& instance = *call.node->instance;
  bool has_mask = false;
  std::vector<Tensor> masked = call.node->inputs;
  for (Tensor& input : masked) {
    if (!input.keeps_mask()) input = Tensor(input.node(), input.output());
    has_mask |= input.masked();
  }
  if (masked == call.node->inputs || !has_mask) return;
  if (!instance.layer.is_composite()) {
    Planner planner = planner_for(instance, masked, Mode::infer, 1);
    instance.layer.plan(planner);
    if (planner.drops_mask()) return;  // and so does Keras
  }
  throw ArgumentError(
      fmt::format("{} \"{}\": reads x.without_mask() and would read the mask in Keras, whose files "
                  "cannot say that. Put a layer that drops the mask between them, such as "
                  "ZeroPadding1D{{.padding = 0}}.",
                  instance.layer.type(), instance.name));
}

/// One call of a layer: {"args": […], "kwargs": {…}}.
Value written_call(const Graph& graph, const Graph::Call& call, WrittenMasks& masks) {
  check_masks_kept(call);
  Value::List tensors;
  for (const auto& source : call.inputs) tensors.push_back(written_tensor(graph, source));
  Value::List args;
  Value::Dict kwargs;
  switch (call_style(graph.layer(call).layer)) {
    case CallStyle::list:
      args.push_back(std::move(tensors));
      break;
    case CallStyle::tensor_and_states:
      args.push_back(tensors.front());
      if (tensors.size() > 1)
        kwargs.emplace_back("initial_state",
                            written_states(graph.layer(call).layer,
                                           Value::List(tensors.begin() + 1, tensors.end())));
      break;
    default:
      args = std::move(tensors);
  }
  if (graph.layer(call).layer.type() == GetItem::type)
    args.push_back(written_key(graph.layer(call).layer));
  for (const auto& [key, value] : graph.layer(call).layer.config())
    if (is_call_argument(key) && value != Value(false)) kwargs.emplace_back(key, value);
  if (Value mask = masks.argument(call); !mask.is_null())
    kwargs.emplace_back("mask", std::move(mask));
  return Value::Dict{{"args", std::move(args)}, {"kwargs", std::move(kwargs)}};
}

/// Keras 3 asks each layer alone whether it is trainable: what a layer holds is frozen with it.
Value frozen(const Value& value) {
  if (const auto* list = value.as<Value::List>()) {
    Value::List all;
    for (const Value& each : *list) all.push_back(frozen(each));
    return all;
  }
  const auto* dict = value.as<Value::Dict>();
  if (!dict) return value;
  Value::Dict all;
  for (const auto& [key, each] : *dict)
    all.emplace_back(key, key == "trainable" ? Value(false) : frozen(each));
  return all;
}

Value::Dict written_layer(const LayerInstance& instance) {
  if (instance.layer.type() == GetItem::type) return write_get_item(instance.name);
  return write_layer(instance.layer, instance.name);
}

/// As Keras names it: a model that is a layer begins with a call of its own, which counts here.
Value end(const Graph& graph, const Graph::Source& source) {
  const Graph::Call& call = graph.calls()[static_cast<std::size_t>(source.call)];
  const auto* model = graph.layer(call).layer.as<Functional>();
  const Index own = model && !model->sequential ? 1 : 0;
  return Value::List{graph.layer(call).name, to_value(own + call.number), to_value(source.output)};
}

/// A bare triple for one tensor, a list of triples for several: the structure that predict takes.
Value ends(const Graph& graph, const std::vector<Graph::Source>& sources) {
  if (sources.size() == 1) return end(graph, sources.front());
  Value::List all;
  for (const auto& source : sources) all.push_back(end(graph, source));
  return all;
}

/// Layers one after the other, as Keras' Sequential: without calls.
Value::Dict write_sequential(const Graph& graph, const std::string& name, bool trainable) {
  Value::List layers;
  for (const auto& instance : graph.layers()) layers.push_back(written_layer(*instance));
  return {{"module", "keras"},
          {"class_name", "Sequential"},
          {"config", Value::Dict{{"name", name}, {"trainable", trainable}, {"layers", layers}}},
          {"registered_name", Value()}};
}

Value::Dict written_as_it_is(const AnyLayer& layer, const std::string& name) {
  const auto* steps = layer.as<TimeDistributed>();
  if (const AnyLayer* inner = steps ? &*steps->layer : nullptr; inner && inner->as<Functional>())
    return object("keras.layers", layer.type(),
                  Value::Dict{{"name", name},
                              {"trainable", steps->trainable},
                              {"dtype", "float32"},
                              {"layer", write_layer(*inner, inner->name())}});
  const auto* model = layer.as<Functional>();
  if (!model) return object("keras.layers", layer.type(), write_layer_config(layer, name));
  return model->sequential ? write_sequential(*model->graph, name, model->trainable)
                           : write_graph(*model->graph, name, model->trainable);
}

}  // namespace

Value::Dict write_layer(const AnyLayer& layer, const std::string& name) {
  Value::Dict written = written_as_it_is(layer, name);
  return layer.trainable() ? written : *frozen(written).as<Value::Dict>();
}

Value::Dict write_graph(const Graph& graph, const std::string& name, bool trainable) {
  WrittenMasks masks(graph);
  std::vector<Value::List> calls(graph.layers().size());
  for (const Graph::Call& call : graph.calls())
    if (!call.inputs.empty())
      calls[static_cast<std::size_t>(call.layer)].push_back(written_call(graph, call, masks));

  Value::List layers;
  for (std::size_t l = 0; l < calls.size(); ++l) {
    const LayerInstance& instance = *graph.layers()[l];
    Value::Dict entry = written_layer(instance);
    entry.emplace_back("name", instance.name);
    entry.emplace_back("inbound_nodes", std::move(calls[l]));
    layers.push_back(std::move(entry));
  }
  for (Value& operation : masks.take_operations()) layers.push_back(std::move(operation));
  Value::Dict config = {{"name", name},
                        {"trainable", trainable},
                        {"layers", std::move(layers)},
                        {"input_layers", ends(graph, graph.inputs())},
                        {"output_layers", ends(graph, graph.outputs())}};
  return {{"module", "keras.src.models.functional"},
          {"class_name", "Functional"},
          {"config", std::move(config)},
          {"registered_name", "Functional"},
          {"build_config", Value::Dict{{"input_shape", Value()}}}};
}

}  // namespace sonde::formats::keras
