#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <map>
#include <set>
#include <sonde/error.hpp>
#include <sonde/layers/activation.hpp>
#include <sonde/layers/functional.hpp>
#include <sonde/layers/input_layer.hpp>
#include <sonde/layers/rescaling.hpp>
#include <sonde/layers/time_distributed.hpp>
#include "formats/keras/classes.hpp"
#include "formats/keras/graph_config.hpp"
#include "formats/keras/layer_config.hpp"
#include "formats/keras/layer_size.hpp"
#include "formats/keras/operations.hpp"
#include "formats/keras/weights_file.hpp"

namespace sonde::formats::keras {
namespace {

/// An output of a call, as a file names it.
struct Reference {
  std::size_t layer = 0;
  std::size_t call = 0;
  std::size_t output = 0;
};

/// A layer of the file, its calls as they are written and as they are made.
struct Entry {
  AnyLayer layer;
  std::string name;
  Where where;
  Value::Dict config;
  std::vector<std::vector<Reference>> calls = {};
  std::vector<std::vector<Tensor>> outputs = {};  ///< of each call made so far
  std::set<std::size_t> masked = {};              ///< calls that are given a mask
  bool is_mask = false;  ///< a node by which Keras computes a mask: masks come by themselves here
  bool is_operation = false;  ///< of Keras' ops: its calls hold what we have in the layer
  bool is_rescaled = false;   ///< hard_sigmoid of Keras 2: what it gets is multiplied first
  Identity identity = {};
  Identity scale_identity = {};
};

void check_keys(const Value::Dict& table, std::initializer_list<std::string_view> known,
                const Where& where) {
  for (const auto& each : table)
    if (std::find(known.begin(), known.end(), each.first) == known.end())
      throw FormatError(fmt::format("{}: \"{}\" is not known here.", where, each.first));
}

std::size_t number(const Value& value, const Where& where) {
  const auto* whole = value.as<std::int64_t>();
  if (!whole || *whole < 0)
    throw FormatError(
        fmt::format("{}: expected a number from 0, got {}.", where, to_string(value)));
  return static_cast<std::size_t>(*whole);
}

class Reader {
 public:
  Reader(std::string where, int keras_major, const GraphLimits& limits, bool is_part)
      : where_(std::move(where)), keras_major_(keras_major), limits_(limits), is_part_(is_part) {}

  ReadGraph functional(const Value& config);
  ReadGraph sequential(const Value& model, const Value& config);

 private:
  Entry& add_layer(const Value& written);
  AnyLayer nested(const Value& written, const std::string& name, const Where& where) const;
  AnyLayer each_step(const Value& written, const std::string& name, const Where& where) const;
  void add_calls(Entry& entry, const Value& written);
  std::vector<Reference> call(Entry& entry, const Value& written) const;
  std::vector<Reference> attention_call(const Entry& entry, const Value& written) const;
  void check_mask(const Value& written, const Where& where) const;
  std::vector<Reference> old_call(const Entry& entry, const Value& written) const;
  Reference reference(const Value& triple, const Where& where) const;
  Reference tensor(const Value& written, const Where& where) const;
  void tensors(const Value& written, const Where& where, std::vector<Reference>& into) const;
  void make(Entry& entry, std::vector<Tensor> inputs);
  void make_all();
  ReadGraph graph(std::vector<Tensor> inputs, std::vector<Tensor> outputs,
                  const Value& config) const;
  const Tensor& made(const Reference& reference, const Where& where) const;
  std::vector<Tensor> ends(const Value& written, const Where& where) const;

  std::string where_;
  int keras_major_;
  GraphLimits limits_;
  bool is_part_;               ///< of another model
  bool is_frozen_ = false;     ///< the model as a whole is not trainable
  std::deque<Entry> entries_;  // whose addresses stay
  std::map<std::string, std::size_t, std::less<>> numbers_;
  std::size_t call_count_ = 0;
};

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
                       ? each_step(written, name, where)
                       : read_layer(class_name, config, is_rescaled ? 3 : keras_major_, where);
  Entry& entry = entries_.emplace_back(Entry{std::move(layer), name, where, std::move(config)});
  entry.is_rescaled = is_rescaled;
  return entry;
}

/// A model that is a layer of this one.
AnyLayer Reader::nested(const Value& written, const std::string& name, const Where& where) const {
  const ReadGraph read = read_graph(written, keras_major_, where, limits_, true);
  Functional model{
      .graph = as_format_error(
          where + ": ", [&] { return std::make_shared<const Graph>(read.inputs, read.outputs); }),
      .sequential = *written.find("class_name") == Value("Sequential"),
      .name = name,
      .trainable = !is_frozen_};
  forget_places(*model.graph);
  if (model.graph->layers().size() != read.layers || model.graph->calls().size() != read.calls)
    throw FormatError(where + ": some of its layers lead to no output.");
  return AnyLayer(std::move(model));
}

/// TimeDistributed over a model.
AnyLayer Reader::each_step(const Value& written, const std::string& name,
                           const Where& where) const {
  const Value& config = *written.find("config");
  const Value& model = entry(config, "layer", where);
  check_keys(*config.as<Value::Dict>(), {"name", "trainable", "dtype", "layer"}, where);
  const std::string& inner = text_entry(entry(model, "config", where), "name", where);
  check_name(inner, where);
  return AnyLayer(TimeDistributed{
      .layer = nested(model, inner, where + ": layer"), .name = name, .trainable = !is_frozen_});
}

/// ["lstm", 0, 1]
Reference Reader::reference(const Value& triple, const Where& where) const {
  const auto* parts = triple.as<Value::List>();
  const auto* name = parts && parts->size() >= 3 ? parts->front().as<std::string>() : nullptr;
  if (!name)
    throw FormatError(fmt::format("{}: expected [layer, call, output], got {}.", where,
                                  to_string(triple).substr(0, 200)));
  const auto found = numbers_.find(*name);
  if (found == numbers_.end())
    throw FormatError(
        fmt::format("{}: refers to a layer \"{}\", which is not there.", where, *name));
  return {found->second, number((*parts)[1], where), number((*parts)[2], where)};
}

Reference Reader::tensor(const Value& written, const Where& where) const {
  const Value* class_name = written.find("class_name");
  if (!class_name || *class_name != Value("__keras_tensor__"))
    throw FormatError(
        fmt::format("{}: expected the output of a layer as input, got {}. Constants "
                    "are not supported.",
                    where, to_string(written).substr(0, 200)));
  return reference(entry(entry(written, "config", where), "keras_history", where), where);
}

/// A tensor, or a list of tensors, or of lists of them, such as the states of stacked cells.
void Reader::tensors(const Value& written, const Where& where, std::vector<Reference>& into) const {
  if (const auto* list = written.as<Value::List>()) {
    for (const Value& each : *list) tensors(each, where, into);
  } else if (!written.is_null()) {
    into.push_back(tensor(written, where));
  }
}

std::vector<Reference> Reader::call(Entry& entry, const Value& written) const {
  const Where& where = entry.where;
  const CallStyle style = call_style(entry.layer);
  if (style == CallStyle::query_value_key) return attention_call(entry, written);
  const Value::List& args = list_entry(written, "args", where);
  std::vector<Reference> inputs;
  if (args.empty()) throw FormatError(where + ": is called without an input.");
  if (entry.is_operation) {
    for (const Value& each : operands(written)) inputs.push_back(tensor(each, where));
    return inputs;
  }
  tensors(args[0], where, inputs);
  const bool is_list = args[0].as<Value::List>() != nullptr;
  if (is_list != (style == CallStyle::list) && inputs.size() != 1)
    throw FormatError(fmt::format("{}: is called with {} tensors where Keras gives it {}.", where,
                                  inputs.size(), is_list ? "one" : "a list"));
  const bool takes_states = style == CallStyle::tensor_and_states;
  for (std::size_t i = 1; i < args.size(); ++i) {
    if (args[i].is_null()) continue;
    if (i != 1 || !takes_states)
      throw FormatError(fmt::format("{}: argument {} of its call is not supported, got {}.", where,
                                    i, to_string(args[i]).substr(0, 200)));
    tensors(args[i], where, inputs);
  }
  for (const auto& [key, value] : dict_entry(written, "kwargs", where)) {
    // What the file says about training was true when the model was built, not when it is used.
    if (key == "training" || value.is_null() || is_call_argument(key)) continue;
    if (key == "mask") {
      check_mask(value, where);
      entry.masked.insert(entry.calls.size());
      continue;
    }
    if (key != "initial_state" || !takes_states)
      throw FormatError(
          fmt::format("{}: the argument {} of its call is not supported.", where, key));
    tensors(value, where, inputs);
  }
  return inputs;
}

/// query, value and key, by place or by name.
std::vector<Reference> Reader::attention_call(const Entry& entry, const Value& written) const {
  constexpr std::array<std::string_view, 3> names = {"query", "value", "key"};
  const Where& where = entry.where;
  std::array<Value, names.size()> given;
  const Value::List& args = list_entry(written, "args", where);
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (i < names.size()) given[i] = args[i];
    else if (!args[i].is_null())
      throw FormatError(fmt::format("{}: argument {} of its call is not supported, got {}.", where,
                                    i, to_string(args[i]).substr(0, 200)));
  }
  for (const auto& [key, value] : dict_entry(written, "kwargs", where)) {
    if (key == "training" || value.is_null() || is_call_argument(key)) continue;
    const auto name = std::find(names.begin(), names.end(), key);
    if (name == names.end())
      throw FormatError(
          fmt::format("{}: the argument {} of its call is not supported.", where, key));
    given[static_cast<std::size_t>(name - names.begin())] = value;
  }
  std::vector<Reference> inputs;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == 2 && given[i].is_null()) break;
    inputs.push_back(tensor(given[i], fmt::format("{}: {}", where, names[i])));
  }
  return inputs;
}

/// A mask must be what Masking or Embedding gives, or layers make of it: then it comes by itself.
void Reader::check_mask(const Value& written, const Where& where) const {
  std::vector<Reference> masks;
  tensors(written, where, masks);
  for (const Reference& mask : masks)
    if (!entries_[mask.layer].is_mask)
      throw FormatError(where + ": is called with a mask that is not of Masking or Embedding.");
}

/// As Keras 2 wrote it: [["layer", 0, 0, {}], …].
std::vector<Reference> Reader::old_call(const Entry& entry, const Value& written) const {
  std::vector<Reference> inputs;
  for (const Value& each : *written.as<Value::List>()) {
    inputs.push_back(reference(each, entry.where));
    const Value::List& parts = *each.as<Value::List>();
    if (parts.size() > 4) throw FormatError(entry.where + ": a reference has more than 4 parts.");
    if (parts.size() < 4) continue;
    const auto* kwargs = parts[3].as<Value::Dict>();
    if (!kwargs) throw FormatError(entry.where + ": the arguments of its call must be a table.");
    for (const auto& [key, value] : *kwargs)
      if (key != "training" && !value.is_null())
        throw FormatError(
            fmt::format("{}: the argument {} of its call is not supported.", entry.where, key));
  }
  return inputs;
}

void Reader::add_calls(Entry& entry, const Value& written) {
  if (entry.is_mask) return;
  for (const Value& each : list_entry(written, "inbound_nodes", entry.where)) {
    if (++call_count_ > limits_.calls)
      throw LimitError(fmt::format("{}: more than {} calls of layers.", where_, limits_.calls));
    entry.calls.push_back(each.as<Value::List>() ? old_call(entry, each) : call(entry, each));
  }
  const bool is_input = call_style(entry.layer) == CallStyle::none;
  if (is_input != entry.calls.empty())
    throw FormatError(
        fmt::format("{}: {}.", entry.where,
                    is_input ? "is called, but inputs come from outside" : "is never called"));
  if (is_input) entry.calls.emplace_back();
}

void Reader::make(Entry& entry, std::vector<Tensor> inputs) {
  check_size(entry.where, entry.config, inputs);
  if (entry.masked.contains(entry.outputs.size()) && !inputs.front().masked())
    throw FormatError(entry.where + ": is called with a mask that is not of Masking or Embedding.");
  if (entry.is_rescaled) {
    const Rescaling rescaling{.scale = old_hard_sigmoid_scale, .name = entry.name + "_scale"};
    inputs = detail::call(AnyLayer(rescaling), entry.scale_identity, std::move(inputs), true);
  }
  entry.outputs.push_back(as_format_error(
      where_ + ": ", [&] { return detail::call(entry.layer, entry.identity, inputs, true); }));
  entry.identity.instance()->place = static_cast<Index>(numbers_.at(entry.name));
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
        const auto missing =
            std::find_if(needs.begin() + static_cast<std::ptrdiff_t>(path.back().next), needs.end(),
                         [&](const Reference& r) {
                           if (entries_[r.layer].is_mask) refuse_operation(entries_[r.layer].where);
                           return r.call >= entries_[r.layer].outputs.size();
                         });
        if (missing != needs.end()) {
          const Entry& other = entries_[missing->layer];
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
  std::vector<Tensor> tensors;
  if (const auto* dict = written.as<Value::Dict>()) {
    for (const auto& each : *dict) tensors.push_back(made(reference(each.second, where), where));
  } else {
    const auto* list = written.as<Value::List>();
    if (list && !list->empty() && list->front().as<Value::List>()) {
      for (const Value& each : *list) tensors.push_back(made(reference(each, where), where));
    } else {
      tensors.push_back(made(reference(written, where), where));
    }
  }
  return tensors;
}

ReadGraph Reader::graph(std::vector<Tensor> inputs, std::vector<Tensor> outputs,
                        const Value& config) const {
  ReadGraph read{std::move(inputs), std::move(outputs), text_entry(config, "name", where_)};
  check_name(read.name, where_);
  for (const Entry& entry : entries_) {
    const std::size_t made_of = entry.is_mask ? 0 : entry.is_rescaled ? 2 : 1;
    read.layers += made_of;
    read.calls += made_of * entry.outputs.size();
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

}  // namespace

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
