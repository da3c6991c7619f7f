#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <sonde/error.hpp>
#include <sonde/graph.hpp>
#include <sonde/layers.hpp>
#include <sonde/layers/functional.hpp>
#include "formats/keras/classes.hpp"
#include "formats/keras/layer_config.hpp"

namespace sonde::formats::keras {
namespace {

bool is_anything(const Value&) { return true; }
bool is_null(const Value& v) { return v.is_null(); }
bool is_false(const Value& v) { return v.is_null() || v == Value(false); }
bool is_time(const Value& v) { return v.is_null() || v == Value(Value::List{1}); }
bool is_channels_last(const Value& v) { return v.is_null() || v == Value("channels_last"); }

bool is_float32(const Value& v) {
  if (v.is_null() || v == Value("float32")) return true;
  const Value* config = v.find("config");
  const Value* name = config ? config->find("name") : nullptr;
  return name && *name == Value("float32");
}

/// A key that only Keras has, and the values with which it changes no result of ours.
struct Neutral {
  std::string_view key;
  bool (*is_neutral)(const Value&);
  std::string_view expected;
};

constexpr std::array neutrals = {
    Neutral{"dtype", is_float32, "float32"},
    Neutral{"data_format", is_channels_last, "channels_last"},
    Neutral{"activity_regularizer", is_null, "null"},
    Neutral{"quantization_config", is_null, "null"},
    Neutral{"lora_rank", is_null, "null"},
    Neutral{"lora_alpha", is_anything, "any value"},
    Neutral{"autocast", is_anything, "any value"},
    Neutral{"attention_axes", is_time, "null or [1]"},
    // Ways to compute the same numbers.
    Neutral{"implementation", is_anything, "any value"},
    Neutral{"use_cudnn", is_anything, "any value"},
    Neutral{"flash_attention", is_anything, "any value"},
    Neutral{"fused", is_anything, "any value"},
    Neutral{"synchronized", is_anything, "any value"},
    Neutral{"zero_output_for_mask", is_false, "false"},
    Neutral{"time_major", is_false, "false"},
    Neutral{"rms_scaling", is_false, "false"},
    Neutral{"renorm", is_false, "false"},
    Neutral{"renorm_clipping", is_null, "null"},
    Neutral{"renorm_momentum", is_anything, "any value"},
    Neutral{"virtual_batch_size", is_null, "null"},
    Neutral{"adjustment", is_null, "null"},
    Neutral{"sparse", is_false, "false"},
    Neutral{"ragged", is_false, "false"},
    Neutral{"optional", is_false, "false"},
    // Keras 2 wrote it into the first layer of a Sequential; the reader of models looks at it.
    Neutral{"batch_input_shape", is_anything, "any value"},
    // Keras 2 knew it of an Embedding; it says nothing that the shapes do not say.
    Neutral{"input_length", is_anything, "any value"},
};

/// Older names of activations.
std::string current_name(const std::string& activation) {
  if (activation == "swish") return "silu";
  if (activation == "hard_swish") return "hard_silu";
  return activation;
}

Value read_activation(const Value& value) {
  if (value.is_null()) return "linear";
  const std::string* name = activation_name(value);
  if (!name) return value;
  return current_name(*name);
}

/// The hard_sigmoid of Keras 2 is another function: what feeds it is multiplied by a constant once
/// the weights are read (rescale_old_hard_sigmoid), where weights feed it.
void check_old_hard_sigmoid(std::string_view type, const Value::Dict& config, int keras_major,
                            const Where& where) {
  if (keras_major >= 3 || !(type.starts_with("LSTM") || type == Activation::type)) return;
  for (const auto& each : config)
    if (each.first == "activation" && each.second == Value("hard_sigmoid"))
      throw FormatError(fmt::format(
          "{}: hard_sigmoid means clip(0.2 x + 0.5, 0, 1) in a file of Keras {}, and another "
          "function since Keras 3. Only the new one exists here, and no weights can make up for "
          "it.",
          where, keras_major));
}

/// An initializer with a seed generator in place of the seed it was made from.
Value with_plain_seed(Value initializer) {
  const Value* config = initializer.find("config");
  const Value* seed = config ? config->find("seed") : nullptr;
  const Value* inner = seed ? seed->find("config") : nullptr;
  if (!inner || !inner->find("seed")) return initializer;
  Value plain = *config;
  plain.set("seed", Value(*inner->find("seed")));
  initializer.set("config", std::move(plain));
  return initializer;
}

/// An initializer as Keras 2 and the first Keras 3 wrote it. With weights in the file it has no
/// effect any more.
Value current_initializer(Value initializer) {
  const Value* config = initializer.find("config");
  if (!config || !config->as<Value::Dict>() || !initializer.find("class_name")) return initializer;
  for (const std::string_view name : {"Orthogonal", "Identity"})
    if (*initializer.find("class_name") == Value(std::string(name) + "Initializer"))
      initializer.set("class_name", name);
  config = initializer.find("config");
  Value::Dict kept;
  for (const auto& each : *config->as<Value::Dict>()) {
    if (each.first == "dtype") continue;
    const bool is_old = each.first == "distribution" && each.second == Value("normal");
    kept.emplace_back(each.first, is_old ? Value("truncated_normal") : each.second);
  }
  initializer.set("config", std::move(kept));
  return initializer;
}

/// The numbers of an array that was given for an argument.
Value with_plain_numbers(const Value& value) {
  const Value* name = value.find("class_name");
  const Value* config = name && *name == Value("__numpy__") ? value.find("config") : nullptr;
  const Value* numbers = config ? config->find("value") : nullptr;
  return numbers ? *numbers : value;
}
/// Arguments that are layers themselves.
bool is_layer(std::string_view key) { return key == "layer" || key == "backward_layer"; }

bool ends_with(std::string_view text, std::string_view end) { return text.ends_with(end); }

/// Younger than most of Keras 3, so said only when there is something to say.
bool is_young_and_unused(std::string_view key, const Value& value) {
  return (value.is_null() && (ends_with(key, "_axes") || key == "sliding_window")) ||
         (key == "use_gate" && value == Value(false));
}

/// InputLayer's shape counts the batch in Keras.
Value::Dict read_input_config(Value::Dict config, const Where& where) {
  Value::Dict read;
  bool has_shape = false;
  for (auto& [key, value] : config) {
    if (key == "batch_shape" || key == "batch_input_shape") {
      const auto* sizes = value.as<Value::List>();
      if (!sizes || sizes->empty())
        throw FormatError(fmt::format("{}: {} must be a list that begins with the batch, got {}.",
                                      where, key, to_string(value)));
      read.emplace_back("shape", Value::List(sizes->begin() + 1, sizes->end()));
      has_shape = true;
    } else if (key != "batch_size") {
      read.push_back({key, value});
    }
  }
  if (!has_shape) throw FormatError(where + ": batch_shape is missing.");
  return read;
}

template <class L>
constexpr CallStyle style_of() {
  if constexpr (std::invocable<const L&, std::vector<Tensor>>) return CallStyle::list;
  else if constexpr (std::invocable<const L&, Tensor, std::vector<Tensor>>)
    return CallStyle::tensor_and_states;
  else if constexpr (std::invocable<const L&, Tensor, Tensor>) return CallStyle::query_value_key;
  else if constexpr (std::invocable<const L&, Tensor>) return CallStyle::one_tensor;
  else return CallStyle::none;
}

template <class Types>
std::vector<std::string_view> field_names(Types types, std::string_view type) {
  std::vector<std::string_view> names;
  for_each_type(types, [&]<class L>() {
    if (L::type != type) return;
    std::apply([&](const auto&... each) { (names.push_back(each.name), ...); }, L::fields());
  });
  return names;
}

/// A cell of an RNN, or a stack of cells, as to_value makes it.
Value write_cell(const Value& cell);

void write_arguments(const Value::Dict& arguments, const std::string& name, Value::Dict& config) {
  for (const auto& [key, value] : arguments) {
    if (key == "name" || is_call_argument(key) || is_young_and_unused(key, value)) continue;
    if (ends_with(key, "_initializer")) {
      Value wrapped = object("keras.initializers", value);
      Value::Dict inner;
      for (const auto& each : *wrapped.find("config")->as<Value::Dict>())
        if (!is_young_and_unused(each.first, each.second)) inner.push_back(each);
      wrapped.set("config", std::move(inner));
      config.emplace_back(key, std::move(wrapped));
    } else if (ends_with(key, "_regularizer")) {
      config.emplace_back(key, object("keras.regularizers", value));
    } else if (ends_with(key, "_constraint")) {
      config.emplace_back(key, object("keras.constraints", value));
    } else if (is_layer(key) && !value.is_null()) {
      AnyLayer inner;
      from_value(value, name, inner);
      const std::string inner_name = inner.name().empty() ? snake_case(inner.type()) : inner.name();
      config.emplace_back(
          key, object("keras.layers", inner.type(), write_layer_config(inner, inner_name)));
    } else if (key == "cell") {
      config.emplace_back(key, write_cell(value));
    } else if (key == "cells") {
      Value::List cells;
      for (const Value& each : *value.as<Value::List>()) cells.push_back(write_cell(each));
      config.emplace_back(key, std::move(cells));
    } else {
      config.emplace_back(key, value);
    }
  }
}

Value write_cell(const Value& cell) {
  const std::string& type = *cell.find("class_name")->as<std::string>();
  const Value& arguments = *cell.find("config");
  const std::string& given = *arguments.find("name")->as<std::string>();
  const std::string name = given.empty() ? snake_case(type) : given;
  Value::Dict config = {{"name", name}, {"dtype", "float32"}};
  write_arguments(*arguments.as<Value::Dict>(), name, config);
  return object("keras.layers", type, std::move(config));
}

/// A cell of an RNN, or a stack of cells, as from_value takes it.
Value read_cell(const Value& written, int keras_major, const Where& where);

Value::Dict read_arguments(const Value::Dict& given, const std::vector<std::string_view>& fields,
                           int keras_major, const Where& where) {
  Value::Dict config;
  for (const auto& [key, value] : given) {
    const bool is_field = std::find(fields.begin(), fields.end(), key) != fields.end();
    const auto neutral =
        std::find_if(neutrals.begin(), neutrals.end(),
                     [&, k = std::string_view(key)](const Neutral& n) { return n.key == k; });
    if (!is_field && neutral != neutrals.end()) {
      if (!neutral->is_neutral(value))
        throw FormatError(fmt::format("{}: {} must be {}, got {}. Other values are not supported.",
                                      where, neutral->key, neutral->expected, to_string(value)));
    } else if (is_layer(key) && !value.is_null()) {
      const Where inside = fmt::format("{}: {}", where, key);
      config.emplace_back(
          key, to_value(read_layer(text_entry(value, "class_name", inside),
                                   dict_entry(value, "config", inside), keras_major, inside)));
    } else if (key == "cell") {
      config.emplace_back(key, read_cell(value, keras_major, fmt::format("{}: cell", where)));
    } else if (key == "cells" && value.as<Value::List>()) {
      Value::List cells;
      for (const Value& each : *value.as<Value::List>())
        cells.push_back(
            read_cell(each, keras_major, fmt::format("{}: cell {}", where, cells.size())));
      config.emplace_back(key, std::move(cells));
    } else if (ends_with(key, "activation")) {
      config.emplace_back(key, read_activation(value));
    } else {
      config.emplace_back(key, ends_with(key, "_initializer")
                                   ? with_plain_seed(current_initializer(value))
                                   : with_plain_numbers(value));
    }
  }
  return config;
}

Value read_cell(const Value& written, int keras_major, const Where& where) {
  using Cells = TypeList<LSTMCell, GRUCell, SimpleRNNCell, StackedRNNCells>;
  const std::string& type = text_entry(written, "class_name", where);
  const Value::Dict& config = dict_entry(written, "config", where);
  check_old_hard_sigmoid(type, config, keras_major, where);
  return Value::Dict{
      {"class_name", type},
      {"config", read_arguments(config, field_names(Cells{}, type), keras_major, where)}};
}

}  // namespace

Value::Dict without_holders_flags(std::string_view class_name, Value::Dict config,
                                  const Where& where) {
  constexpr std::array<std::string_view, 3> holders = {"Bidirectional", "TimeDistributed", "RNN"};
  const bool is_holder = std::find(holders.begin(), holders.end(), class_name) != holders.end();
  for (auto& [key, value] : config) {
    if (is_holder && key == "trainable") {
      if (!value.as<bool>())
        throw FormatError(fmt::format("{}: trainable must be true or false, got {}.", where,
                                      to_string(value).substr(0, 200)));
      value = true;
    }
    const Value* inner = value.find("config");
    const Value* type = value.find("class_name");
    const auto* name = type ? type->as<std::string>() : nullptr;
    if ((key != "layer" && key != "backward_layer") || !name || !inner || !inner->as<Value::Dict>())
      continue;
    value.set("config", without_holders_flags(*name, *inner->as<Value::Dict>(), where));
  }
  return config;
}

bool is_call_argument(std::string_view key) {
  return key == "use_causal_mask" || key == "return_attention_scores";
}

void take_call_arguments(const Value& written, const Where& where, Value::Dict& config) {
  const Value* nodes = written.find("inbound_nodes");
  const auto* calls = nodes ? nodes->as<Value::List>() : nullptr;
  if (!calls) return;
  std::vector<Value> said;  // by each call
  for (const Value& call : *calls) {
    Value arguments = Value::Dict{};
    const Value* kwargs = call.find("kwargs");
    if (const auto* all = kwargs ? kwargs->as<Value::Dict>() : nullptr)
      for (const auto& [key, value] : *all)
        if (is_call_argument(key) && !value.is_null() && value != Value(false))
          arguments.set(key, value);
    said.push_back(std::move(arguments));
  }
  for (const Value& each : said)
    if (!(each == said.front()))
      throw FormatError(fmt::format("{}: its calls differ in their arguments, {} and {}.", where,
                                    to_string(said.front()), to_string(each)));
  if (said.empty()) return;
  for (const auto& each : *said.front().as<Value::Dict>()) config.push_back(each);
}

CallStyle call_style(const AnyLayer& layer) {
  if (const auto* model = layer.as<Functional>())
    return model->graph->inputs().size() > 1 ? CallStyle::list : CallStyle::one_tensor;
  CallStyle style = CallStyle::none;
  const std::string_view type = layer.type();
  for_each_type(BuiltinLayers{}, [&]<class L>() {
    if (L::type == type) style = style_of<L>();
  });
  return style;
}

Value::Dict write_layer_config(const AnyLayer& layer, const std::string& name) {
  Value::Dict config = {{"name", name}, {"dtype", "float32"}};
  if (const auto* input = layer.as<InputLayer>()) {
    Value::List sizes = {Value()};
    for (const Index size : *input->shape) sizes.push_back(size == dynamic ? Value() : size);
    config.insert(config.begin(), {"batch_shape", std::move(sizes)});
    config.emplace_back("sparse", false);
    return config;
  }
  write_arguments(layer.config(), name, config);
  return config;
}

AnyLayer read_layer(std::string_view class_name, const Value::Dict& given, int keras_major,
                    const Where& where) {
  check_old_hard_sigmoid(class_name, given, keras_major, where);
  const auto fields = field_names(BuiltinLayers{}, class_name);
  const Value::Dict config =
      class_name == InputLayer::type
          ? read_arguments(read_input_config(given, where), fields, keras_major, where)
          : read_arguments(given, fields, keras_major, where);
  return as_format_error("", [&] { return layer_from_config(class_name, config, where); });
}

}  // namespace sonde::formats::keras
