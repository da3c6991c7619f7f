#include <fmt/format.h>

#include <algorithm>
#include <sonde/error.hpp>
#include <sonde/layers/activation.hpp>
#include <sonde/layers/functional.hpp>
#include <sonde/layers/input_layer.hpp>
#include <sonde/layers/rescaling.hpp>
#include <sonde/layers/time_distributed.hpp>
#include "formats/keras/graph_reader.hpp"
#include "formats/keras/layer_config.hpp"
#include "formats/keras/layer_size.hpp"
#include "formats/keras/operations.hpp"
#include "formats/keras/weights_file.hpp"

namespace sonde::formats::keras {
namespace {

void check_keys(const Value::Dict& table, std::initializer_list<std::string_view> known,
                const Where& where) {
  for (const auto& each : table)
    if (std::find(known.begin(), known.end(), each.first) == known.end())
      throw FormatError(fmt::format("{}: \"{}\" is not known here.", where, each.first));
}

}  // namespace

Entry& Reader::add_layer(const Value& written) {
  if (entries_.size() == limits_.layers)
    throw LimitError(fmt::format("{}: more than {} layers.", where_, limits_.layers));
  const Where nameless = fmt::format("{}: layer {}", where_, entries_.size());
  const std::string& class_name = text_entry(written, "class_name", nameless);
  Value::Dict config = dict_entry(written, "config", nameless);
  // Sequential models name their layers only in the config.
  const Value& named = written.find("name") ? written : *written.find("config");
  const std::string& name = text_entry(named, "name", nameless);
  check_name(name, nameless);
  const Where where = fmt::format("{}: {} \"{}\"", where_, class_name, name);
  check_keys(*written.as<Value::Dict>(),
             {"module", "class_name", "config", "registered_name", "build_config", "name",
              "inbound_nodes", "shared_object_id", "compile_config"},
             where);
  if (const Value* inner = written.find("config")->find("name"); inner && *inner != Value(name))
    throw FormatError(
        fmt::format("{}: its config has another name, {}.", where, to_string(*inner)));
  if (!numbers_.emplace(name, entries_.size()).second)
    throw FormatError(fmt::format("{}: two layers have this name.", where));
  if (is_operation(written)) {
    if (makes_mask(written)) {
      Entry& entry = entries_.emplace_back(Entry{AnyLayer(), name, where, std::move(config)});
      entry.is_mask = true;
      entry.counts_all = class_name == "OnesLike";
      return entry;
    }
    Entry entry{layer_of_operation(written, name, where), name, where, std::move(config)};
    entry.is_operation = true;
    return entries_.emplace_back(std::move(entry));
  }
  take_call_arguments(written, where, config);
  if (keras_major_ >= 3) config = without_holders_flags(class_name, std::move(config), where);
  if (is_frozen_ && class_name != InputLayer::type) {
    Value frozen(std::move(config));
    frozen.set("trainable", false);
    config = *frozen.as<Value::Dict>();
  }
  const Value* activation = written.find("config")->find("activation");
  const bool is_rescaled = keras_major_ < 3 && class_name == Activation::type && activation &&
                           *activation == Value("hard_sigmoid");
  const Value* inner =
      class_name == TimeDistributed::type ? written.find("config")->find("layer") : nullptr;
  const Value* inner_class = inner ? inner->find("class_name") : nullptr;
  const auto* inner_type = inner_class ? inner_class->as<std::string>() : nullptr;
  AnyLayer layer = is_model(class_name) ? nested(written, name, where)
                   : inner_type && is_model(*inner_type)
                       ? each_step(config, name, where)
                       : read_layer(class_name, config, is_rescaled ? 3 : keras_major_, where);
  Entry& entry = entries_.emplace_back(Entry{std::move(layer), name, where, std::move(config)});
  entry.is_rescaled = is_rescaled;
  return entry;
}

/// A model that is a layer of this one.
AnyLayer Reader::nested(const Value& written, const std::string& name, const Where& where) const {
  const ReadGraph read = read_graph(written, keras_major_, where, limits_, true);
  return AnyLayer(Functional{.graph = std::make_shared<const Graph>(checked_graph(read, where)),
                             .sequential = *written.find("class_name") == Value("Sequential"),
                             .name = name,
                             .trainable = !is_frozen_});
}

/// TimeDistributed over a model.
AnyLayer Reader::each_step(const Value& config, const std::string& name, const Where& where) const {
  const Value& model = entry(config, "layer", where);
  check_keys(*config.as<Value::Dict>(), {"name", "trainable", "dtype", "layer"}, where);
  const std::string& inner = text_entry(entry(model, "config", where), "name", where);
  check_name(inner, where);
  const Value* trainable = config.find("trainable");
  return AnyLayer(TimeDistributed{.layer = nested(model, inner, where + ": layer"),
                                  .name = name,
                                  .trainable = !trainable || *trainable != Value(false)});
}

void Reader::make(Entry& entry, std::vector<Tensor> inputs) {
  check_size(entry.where, entry.config, inputs);
  const bool none_masked = std::none_of(inputs.begin(), inputs.end(),
                                        [](const Tensor& input) { return input.masked(); });
  if (entry.masked.contains(entry.outputs.size()) && none_masked)
    throw FormatError(entry.where + ": is called with a mask that is not of Masking or Embedding.");
  if (entry.is_operation && inputs.size() == 2 &&
      inputs[0].shape().rank() != inputs[1].shape().rank())
    throw FormatError(fmt::format(
        "{}: is a bare operation on {} and {}, which Keras would lay over each other from the last "
        "axis on, batch and all. Use the layer of that name, or a Reshape before it.",
        entry.where, to_string(inputs[0].shape()), to_string(inputs[1].shape())));
  if (entry.is_rescaled) {
    const Rescaling rescaling{.scale = old_hard_sigmoid_scale, .name = entry.name + "_scale"};
    inputs = detail::call(AnyLayer(rescaling), entry.scale_identity, std::move(inputs), true);
  }
  entry.outputs.push_back(as_format_error(
      where_ + ": ", [&] { return detail::call(entry.layer, entry.identity, inputs, true); }));
}

/// Makes all calls, each after those that it needs, and the calls of one layer in their order.
void Reader::make_all() {
  // Depth-first without recursion: a chain may be long. `made` counts on entries_[l].outputs.
  struct Pending {
    std::size_t layer;
    std::size_t next = 0;  ///< of its inputs
  };
  std::vector<std::size_t> begun(entries_.size(), 0);
  std::vector<Pending> path;
  const auto begin = [&](std::size_t l) {
    // A layer has at most one call on the path: the next one needs this one to be complete.
    if (begun[l] != entries_[l].outputs.size())
      throw FormatError(fmt::format("{}: its input depends on its own output.", entries_[l].where));
    ++begun[l];
    path.push_back({l});
  };
  for (std::size_t l = 0; l < entries_.size(); ++l) {
    while (entries_[l].outputs.size() < entries_[l].calls.size()) {
      begin(l);
      while (!path.empty()) {
        const std::size_t at = path.back().layer;
        Entry& entry = entries_[at];
        const auto& needs = entry.calls[entry.outputs.size()];
        const auto missing = std::find_if(
            needs.begin() + static_cast<std::ptrdiff_t>(path.back().next), needs.end(),
            [&](const Reference& r) { return r.call >= entries_[r.layer].outputs.size(); });
        if (missing != needs.end()) {
          const Entry& other = entries_[missing->layer];
          if (other.is_mask) refuse_operation(other.where);
          if (missing->call >= other.calls.size())
            throw FormatError(
                fmt::format("{}: refers to call {} of \"{}\", which is called {} "
                            "times.",
                            entry.where, missing->call, other.name, other.calls.size()));
          path.back().next = static_cast<std::size_t>(missing - needs.begin());
          begin(missing->layer);
          continue;
        }
        std::vector<Tensor> inputs;
        for (const Reference& need : needs) inputs.push_back(made(need, entry.where));
        make(entry, inputs);
        path.pop_back();
      }
    }
  }
}

const Tensor& Reader::made(const Reference& reference, const Where& where) const {
  const Entry& entry = entries_[reference.layer];
  if (entry.is_mask) refuse_operation(entry.where);
  if (reference.call >= entry.outputs.size() ||
      reference.output >= entry.outputs[reference.call].size())
    throw FormatError(
        fmt::format("{}: refers to output {} of call {} of \"{}\", which is not there.", where,
                    reference.output, reference.call, entry.name));
  return entry.outputs[reference.call][reference.output];
}

/// ["x", 0, 0], [["x", 0, 0], …], or a table of triples.
std::vector<Tensor> Reader::ends(const Value& written, const Where& where) const {
  const auto end = [&](const Value& triple) { return made(reference(triple, where, true), where); };
  std::vector<Tensor> tensors;
  if (const auto* dict = written.as<Value::Dict>()) {
    for (const auto& each : *dict) tensors.push_back(end(each.second));
  } else {
    const auto* list = written.as<Value::List>();
    if (list && !list->empty() && list->front().as<Value::List>()) {
      for (const Value& each : *list) tensors.push_back(end(each));
    } else {
      tensors.push_back(end(written));
    }
  }
  return tensors;
}

ReadGraph Reader::graph(std::vector<Tensor> inputs, std::vector<Tensor> outputs,
                        const Value& config) const {
  ReadGraph read{std::move(inputs), std::move(outputs), text_entry(config, "name", where_)};
  check_name(read.name, where_);
  for (const Entry& entry : entries_)
    for (const Identity* made : {&entry.scale_identity, &entry.identity}) {
      if (!made->instance()) continue;
      read.layers.push_back(made->instance().get());
      read.calls += entry.outputs.size();
    }
  return read;
}

ReadGraph Reader::functional(const Value& config) {
  check_keys(*config.as<Value::Dict>(),
             {"name", "trainable", "dtype", "layers", "input_layers", "output_layers"}, where_);
  // As Keras: of a model in a model, and of a Sequential, only the flags of the layers count.
  const Value* trainable = config.find("trainable");
  is_frozen_ = !is_part_ && trainable && *trainable == Value(false);
  const Value::List& layers = list_entry(config, "layers", where_);
  for (const Value& written : layers) add_layer(written);
  // Calls name layers, so all layers come first.
  for (std::size_t l = 0; l < layers.size(); ++l) add_calls(entries_[l], layers[l]);
  make_all();
  return graph(ends(entry(config, "input_layers", where_), where_ + ": input_layers"),
               ends(entry(config, "output_layers", where_), where_ + ": output_layers"), config);
}

ReadGraph Reader::sequential(const Value& model, const Value& config) {
  check_keys(*config.as<Value::Dict>(),
             {"name", "trainable", "dtype", "layers", "build_input_shape"}, where_);
  const Value::List& layers = list_entry(config, "layers", where_);
  if (layers.empty()) throw FormatError(where_ + ": a Sequential model without layers.");
  std::vector<Tensor> at;
  const Value& first = layers.front();
  if (first.find("class_name") && *first.find("class_name") != Value(InputLayer::type)) {
    // Without an InputLayer the shape stands in the first layer, or beside them all.
    const Value* shape =
        first.find("config") ? first.find("config")->find("batch_input_shape") : nullptr;
    if (!shape) shape = config.find("build_input_shape");
    if (!shape && model.find("build_config"))
      shape = model.find("build_config")->find("input_shape");
    if (!shape || !shape->as<Value::List>())
      throw FormatError(where_ +
                        ": the Sequential model has no input shape: it was never built. "
                        "Begin it with keras.Input in Keras.");
    Entry& input = add_layer(
        Value::Dict{{"class_name", "InputLayer"},
                    {"config", Value::Dict{{"batch_shape", *shape}, {"name", "input_layer"}}}});
    make(input, {});
    at = {input.outputs.front()};
  }
  std::vector<Tensor> inputs = at;
  for (const Value& written : layers) {
    Entry& entry = add_layer(written);
    const bool is_input = call_style(entry.layer) == CallStyle::none;
    if (is_input != at.empty())
      throw FormatError(entry.where + ": an InputLayer must be the first layer, and only that.");
    if (at.size() > 1)
      throw FormatError(
          fmt::format("{}: comes after a layer with {} outputs, which Sequential "
                      "cannot pass on.",
                      entry.where, at.size()));
    make(entry, at);
    at = entry.outputs.front();
    if (is_input) inputs = at;
  }
  return graph(inputs, at, config);
}

Graph checked_graph(const ReadGraph& read, const std::string& where) {
  Graph graph =
      as_format_error(where + ": ", [&] { return Graph(read.inputs, read.outputs, read.layers); });
  if (graph.layers().size() != read.layers.size() || graph.calls().size() != read.calls)
    throw FormatError(fmt::format(
        "{}: {} layers are called {} times, but only {} and {} of them lead to an output.", where,
        read.layers.size(), read.calls, graph.layers().size(), graph.calls().size()));
  return graph;
}

ReadGraph read_graph(const Value& model, int keras_major, const std::string& where,
                     const GraphLimits& limits, bool is_part) {
  refuse_foreign_objects(entry(model, "config", where), where);
  const std::string& class_name = text_entry(model, "class_name", where);
  dict_entry(model, "config", where);
  const Value& config = *model.find("config");
  Reader reader(where, keras_major, limits, is_part);
  if (class_name == "Functional" || class_name == "Model") return reader.functional(config);
  if (class_name == "Sequential") return reader.sequential(model, config);
  throw FormatError(
      fmt::format("{}: the model is of class \"{}\", expected Functional or "
                  "Sequential.",
                  where, class_name));
}

}  // namespace sonde::formats::keras
