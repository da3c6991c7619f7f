#include "formats/keras/write_masks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sonde/layers/concatenate.hpp>
#include <sonde/layers/functional.hpp>
#include <sonde/layers/masking.hpp>

#include "formats/keras/classes.hpp"
#include "graph/keras_masks.hpp"

namespace sonde::formats::keras {
namespace {

Value tensor(const Shape& shape, std::string_view dtype, Value::List history) {
  Value::List sizes = {Value()};
  for (const Index size : shape) sizes.push_back(size == dynamic ? Value() : size);
  return Value::Dict{{"class_name", "__keras_tensor__"},
                     {"config", Value::Dict{{"shape", std::move(sizes)},
                                            {"dtype", std::string(dtype)},
                                            {"keras_history", std::move(history)}}}};
}

const Shape& shape_of(const Graph& graph, const Graph::Source& source) {
  const Graph::Call& call = graph.calls()[static_cast<std::size_t>(source.call)];
  return call.node->outputs[static_cast<std::size_t>(source.output)];
}

Shape with_last(const Shape& shape, Index size) {
  std::vector<Index> sizes(shape.begin(), shape.end());
  sizes.push_back(size);
  return Shape(std::move(sizes));
}

}  // namespace

Value::Dict written_tensor(const Graph& graph, const Graph::Source& source) {
  const Graph::Call& call = graph.calls()[static_cast<std::size_t>(source.call)];
  return *tensor(shape_of(graph, source), "float32",
                 {graph.layer(call).name, to_value(call.number), to_value(source.output)})
              .as<Value::Dict>();
}

WrittenMasks::WrittenMasks(const Graph& graph) : graph_(graph) {
  for (const auto& instance : graph.layers()) taken_.insert(instance->name);
}

Value WrittenMasks::argument(const Graph::Call& call) {
  if (!takes_masks(*call.node)) return {};
  if (call.inputs.size() == 1) return of(call.inputs.front());
  Value::List all;
  for (const Graph::Source& input : call.inputs) all.push_back(of(input));
  const bool is_masked =
      std::any_of(all.begin(), all.end(), [](const Value& mask) { return !mask.is_null(); });
  return is_masked ? Value(std::move(all)) : Value();
}

/// The mask of a tensor; null where Keras has none.
Value WrittenMasks::of(const Graph::Source& source) {
  if (source.output != 0) return {};
  if (const auto known = masks_.find(source.call); known != masks_.end()) return known->second;
  Value mask = made_by(graph_.calls()[static_cast<std::size_t>(source.call)]);
  masks_.emplace(source.call, mask);
  return mask;
}

Value WrittenMasks::made_by(const Graph::Call& call) {
  const Value x = call.inputs.empty() ? Value() : Value(written_tensor(graph_, call.inputs[0]));
  switch (mask_rule(*call.node)) {
    case MaskRule::none:
      return {};
    case MaskRule::same:
      return of(call.inputs.front());
    case MaskRule::of_steps: {
      const float value = graph_.layer(call).layer.as<Masking>()->mask_value;
      const Shape& shape = shape_of(graph_, call.inputs.front());
      return any(operation("NotEqual", {x, to_value(value)}, shape), shape);
    }
    case MaskRule::of_ids:
      return operation("NotEqual", {x, 0}, shape_of(graph_, call.inputs.front()));
    case MaskRule::of_query: {
      const Value query = of(call.inputs.front());
      const Shape steps = shape_of(graph_, call.inputs.front()).without_last();
      return query.is_null() ? Value() : operation("ConvertToTensor", {query}, steps);
    }
    case MaskRule::any_input: {
      Value either;
      for (const Graph::Source& input : call.inputs) {
        const Value mask = of(input);
        if (mask.is_null()) return {};
        either = either.is_null() ? mask
                                  : operation("LogicalOr", {either, mask},
                                              call.node->outputs.front().without_last());
      }
      return either;
    }
    case MaskRule::side_by_side:
      return side_by_side(call);
  }
  return {};
}

Value WrittenMasks::side_by_side(const Graph::Call& call) {
  Value::List masks, parts;
  for (const Graph::Source& input : call.inputs) masks.push_back(of(input));
  if (std::all_of(masks.begin(), masks.end(), [](const Value& m) { return m.is_null(); }))
    return {};
  for (std::size_t i = 0; i < masks.size(); ++i) {
    const Shape& shape = shape_of(graph_, call.inputs[i]);
    const Value x = written_tensor(graph_, call.inputs[i]);
    const Value::Dict boolean = {{"dtype", "bool"}};
    if (masks[i].is_null()) {
      parts.push_back(operation("OnesLike", {x}, shape, boolean));
      continue;
    }
    const Value column = operation("ExpandDims", {masks[i]}, with_last(shape.without_last(), 1),
                                   {{"axis", std::int64_t{-1}}});
    parts.push_back(
        operation("LogicalOr", {column, operation("ZerosLike", {x}, shape, boolean)}, shape));
  }
  const Shape& shape = call.node->outputs.front();
  const Index axis = graph_.layer(call).layer.as<Concatenate>()->axis;
  return any(operation("Concatenate", {std::move(parts)}, shape, {{"axis", to_value(axis)}}),
             shape);
}

Value WrittenMasks::any(Value x, const Shape& shape) {
  return operation("Any", {std::move(x)}, shape.without_last(),
                   {{"axis", std::int64_t{-1}}, {"keepdims", false}});
}

Value WrittenMasks::operation(std::string_view type, Value::List args, const Shape& shape,
                              Value::Dict config) {
  const std::string stem = snake_case(type);
  std::string name = stem;
  for (int n = 1; !taken_.insert(name).second; ++n) name = fmt::format("{}_{}", stem, n);
  config.insert(config.begin(), {"name", name});
  const std::string_view module =
      type == "ConvertToTensor" ? "keras.src.ops.core" : "keras.src.ops.numpy";
  operations_.push_back(Value::Dict{
      {"module", std::string(module)},
      {"class_name", std::string(type)},
      {"config", std::move(config)},
      {"registered_name", std::string(type)},
      {"name", name},
      {"inbound_nodes",
       Value::List{Value::Dict{{"args", std::move(args)}, {"kwargs", Value::Dict{}}}}}});
  return tensor(shape, "bool", {name, 0, 0});
}

}  // namespace sonde::formats::keras
