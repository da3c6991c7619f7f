#include <fmt/format.h>

#include <sonde/value.hpp>

namespace sonde {

const Value* Value::find(std::string_view key) const {
  if (const auto* dict = as<Dict>())
    for (const auto& [name, value] : *dict)
      if (name == key) return &value;
  return nullptr;
}

void Value::set(std::string_view key, Value value) {
  if (is_null()) storage_ = Dict{};
  auto& dict = std::get<Dict>(storage_);
  for (auto& [name, old] : dict)
    if (name == key) return void(old = std::move(value));
  dict.emplace_back(std::string(key), std::move(value));
}

std::string_view kind_of(const Value& value) {
  static constexpr std::string_view kinds[] = {
      "nothing", "true or false", "a whole number", "a number", "a text", "a list", "a table"};
  return kinds[value.storage().index()];
}

std::string to_string(const Value& value) {
  if (const auto* b = value.as<bool>()) return *b ? "true" : "false";
  if (const auto* i = value.as<std::int64_t>()) return std::to_string(*i);
  if (const auto* d = value.as<double>()) return fmt::format("{}", *d);
  if (const auto* s = value.as<std::string>()) return fmt::format("\"{}\"", *s);
  if (const auto* l = value.as<Value::List>()) {
    std::string text = "[";
    for (const Value& each : *l) text += (text.size() > 1 ? ", " : "") + to_string(each);
    return text + "]";
  }
  if (const auto* d = value.as<Value::Dict>()) {
    std::string text = "{";
    for (const auto& [key, each] : *d)
      text += (text.size() > 1 ? ", " : "") + key + ": " + to_string(each);
    return text + "}";
  }
  return "null";
}

}  // namespace sonde
