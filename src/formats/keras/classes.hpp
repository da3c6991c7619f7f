#pragma once
#include <sonde/activations.hpp>
#include <sonde/fields.hpp>
#include <string>
#include <string_view>

/// What every part of Keras' JSON shares: objects as {"module", "class_name", "config",
/// "registered_name"}. Classes are looked up in closed tables; nothing is ever imported or called.
namespace sonde::formats::keras {

/// An object of a class that Keras exports, as Keras writes it.
Value::Dict object(std::string_view module, std::string_view class_name, Value config);
/// `choice` ({"class_name", "config"}, as to_value makes of a variant) with what Keras adds. Null
/// stays null.
Value object(std::string_view module, const Value& choice);

inline bool is_model(std::string_view class_name) {
  return class_name == "Functional" || class_name == "Model" || class_name == "Sequential";
}

/// The name of an activation, given as text or as older Keras wrote it, a "function" of that name;
/// null for anything else.
const std::string* activation_name(const Value& value);

/// Throws FormatError when an object anywhere in `value` is not Keras' own: a class registered by a
/// program, a function, bytes, a class that runs code or reads files when it is loaded. Nor may
/// texts hold control characters: they will stand in messages.
void refuse_foreign_objects(const Value& value, const Where& where);

/// The entry `key` of a table; FormatError when it is missing or of another kind.
const Value& entry(const Value& table, std::string_view key, const Where& where);
const std::string& text_entry(const Value& table, std::string_view key, const Where& where);
const Value::List& list_entry(const Value& table, std::string_view key, const Where& where);
const Value::Dict& dict_entry(const Value& table, std::string_view key, const Where& where);

/// Refuses a name that is empty or very long.
void check_name(const std::string& name, const Where& where);

/// Runs f; what it refuses as a wrong argument becomes a FormatError that begins with `prefix`.
template <class F>
auto as_format_error(const std::string& prefix, F&& f) {
  try {
    return f();
  } catch (const ArgumentError& error) {
    throw FormatError(prefix + error.what());
  }
}

}  // namespace sonde::formats::keras
