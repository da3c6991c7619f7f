#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sonde/error.hpp>
#include "formats/keras/classes.hpp"

namespace sonde::formats::keras {
namespace {

struct Danger {
  std::string_view class_name;
  std::string_view why;
};

/// Classes that Keras itself exports and that a model from a stranger must not name.
constexpr std::array dangers = {
    Danger{"Lambda", "runs Python code when it is loaded"},
    Danger{"__lambda__", "runs Python code when it is loaded"},
    Danger{"function", "names a Python function"},
    Danger{"__typespec__", "names a Python type"},
    Danger{"__bytes__", "holds raw bytes"},
    Danger{"__tensor__", "holds numbers in place of a layer's output"},
    Danger{"__numpy__", "holds numbers in place of a layer's output"},
    Danger{"TFSMLayer", "loads another model from a folder"},
    Danger{"TorchModuleWrapper", "unpickles Python objects when it is loaded"},
    Danger{"JaxLayer", "names a Python function"},
    Danger{"FlaxLayer", "names Python code"},
    Danger{"StringLookup", "may read a vocabulary from another file"},
    Danger{"IntegerLookup", "may read a vocabulary from another file"},
    Danger{"TextVectorization", "may read a vocabulary from another file"},
};

/// "keras", "keras.layers", "keras.src.layers…", and the same of Keras 2.
bool is_of_keras(std::string_view module) {
  constexpr std::array<std::string_view, 3> roots = {"keras", "tf_keras", "tensorflow.keras"};
  return std::any_of(roots.begin(), roots.end(), [&](std::string_view root) {
    return module.starts_with(root) && (module.size() == root.size() || module[root.size()] == '.');
  });
}

/// No control characters, which could upset a terminal or a log.
bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
}

void check_object(const Value& value, const Where& where) {
  const Value* found = value.find("class_name");
  if (!found) return;
  const auto* class_name = found->as<std::string>();
  if (!class_name)
    throw FormatError(
        fmt::format("{}: class_name must be a text, got {}.", where, kind_of(*found)));
  if (activation_name(value)) return;
  for (const Danger& danger : dangers)
    if (*class_name == danger.class_name)
      throw FormatError(
          fmt::format("{}: \"{}\" {}, so it is refused. Rebuild the model in Keras "
                      "without it.",
                      where, *class_name, danger.why));
  if (const Value* module = value.find("module"); module && !module->is_null()) {
    const auto* text = module->as<std::string>();
    if (!text || !is_of_keras(*text))
      throw FormatError(fmt::format("{}: \"{}\" comes from module {}, expected one of Keras' own.",
                                    where, *class_name, to_string(*module)));
  }
  // Keras writes null here for exported classes, and for its models their own name.
  if (const Value* name = value.find("registered_name"); name && !name->is_null()) {
    const auto* text = name->as<std::string>();
    if (!text || *text != *class_name)
      throw FormatError(
          fmt::format("{}: \"{}\" is registered as {}: a class of somebody's own. "
                      "Only Keras' own classes can be read.",
                      where, *class_name, to_string(*name)));
  }
}

template <class T>
const T& typed_entry(const Value& table, std::string_view key, const Where& where,
                     std::string_view expected) {
  const Value& found = entry(table, key, where);
  if (const T* value = found.as<T>()) return *value;
  throw FormatError(
      fmt::format("{}: {} must be {}, got {}.", where, key, expected, kind_of(found)));
}

}  // namespace

Value::Dict object(std::string_view module, std::string_view class_name, Value config) {
  return {{"module", Value(module)},
          {"class_name", Value(class_name)},
          {"config", std::move(config)},
          {"registered_name", Value()}};
}

Value object(std::string_view module, const Value& choice) {
  const Value* class_name = choice.find("class_name");
  if (!class_name) return choice;
  return object(module, *class_name->as<std::string>(), *choice.find("config"));
}

const std::string* activation_name(const Value& value) {
  if (const auto* name = value.as<std::string>()) return name;
  const Value* class_name = value.find("class_name");
  const Value* config = value.find("config");
  if (!class_name || !config || *class_name != Value("function")) return nullptr;
  const auto* name = config->as<std::string>();
  constexpr auto known = enum_names(ActivationFunction{});
  return name && std::find(known.begin(), known.end(), *name) != known.end() ? name : nullptr;
}

void refuse_foreign_objects(const Value& value, const Where& where) {
  const auto check_text = [&](const std::string& text) {
    if (!is_plain(text))
      throw FormatError(fmt::format("{}: a text holds control characters.", where));
  };
  if (const auto* text = value.as<std::string>()) {
    check_text(*text);
  } else if (const auto* list = value.as<Value::List>()) {
    for (const Value& each : *list) refuse_foreign_objects(each, where);
  } else if (const auto* dict = value.as<Value::Dict>()) {
    for (const auto& each : *dict) check_text(each.first);
    // From here on a layer's own name says where.
    const Value* name = value.find("name");
    const auto* text = name && value.find("class_name") ? name->as<std::string>() : nullptr;
    const Where inner =
        text && is_plain(*text)
            ? fmt::format("{}: layer \"{}\"", where.substr(0, where.find(": layer \"")), *text)
            : where;
    check_object(value, inner);
    for (const auto& each : *dict) refuse_foreign_objects(each.second, inner);
  }
}

const Value& entry(const Value& table, std::string_view key, const Where& where) {
  if (const Value* found = table.find(key)) return *found;
  if (!table.as<Value::Dict>())
    throw FormatError(fmt::format("{}: expected a table, got {}.", where, kind_of(table)));
  throw FormatError(fmt::format("{}: \"{}\" is missing.", where, key));
}
const std::string& text_entry(const Value& table, std::string_view key, const Where& where) {
  return typed_entry<std::string>(table, key, where, "a text");
}
const Value::List& list_entry(const Value& table, std::string_view key, const Where& where) {
  return typed_entry<Value::List>(table, key, where, "a list");
}
const Value::Dict& dict_entry(const Value& table, std::string_view key, const Where& where) {
  return typed_entry<Value::Dict>(table, key, where, "a table");
}

void check_name(const std::string& name, const Where& where) {
  constexpr std::size_t longest = 1000;
  if (name.empty() || name.size() > longest)
    throw FormatError(
        fmt::format("{}: expected a name of 1 to {} bytes, got {}.", where, longest, name.size()));
}

}  // namespace sonde::formats::keras
