#pragma once
#include <sonde/layer.hpp>
#include <string>
#include <string_view>

/// One layer as Keras' config and back. A layer needs nothing here to take part: its fields are its
/// config, and what only Keras says stands in one table.
namespace sonde::formats::keras {

/// The "config" of a layer, as Keras' constructor takes it. `name` is the one it has in the model.
Value::Dict write_layer_config(const AnyLayer& layer, const std::string& name);

/// The layer of that class with that config. Keys that only Keras has are accepted with the value
/// that means nothing, and refused by name otherwise. `keras_major` is the version that wrote the
/// file: hard_sigmoid changed its meaning in 3. FormatError begins with `where`.
AnyLayer read_layer(std::string_view class_name, const Value::Dict& config, int keras_major,
                    const Where& where);

/// A layer's config without the flags of layers that hold others: Keras 3 asks only what they hold
/// whether it is trainable.
Value::Dict without_holders_flags(std::string_view class_name, Value::Dict config,
                                  const Where& where);

/// Arguments of Keras' calls that are fields here, such as use_causal_mask of attention.
bool is_call_argument(std::string_view key);
/// Puts what Keras says in each call of a layer and we once for all into its config.
void take_call_arguments(const Value& written, const Where& where, Value::Dict& config);

/// How a layer's call is written: Conv1D(x), Add([a, b]), LSTM(x, initial_state=[h, c]),
/// MultiHeadAttention(query, value).
enum class CallStyle { none, one_tensor, list, tensor_and_states, query_value_key };
CallStyle call_style(const AnyLayer& layer);

}  // namespace sonde::formats::keras
