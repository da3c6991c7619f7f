#include "cli/value_json.hpp"

namespace sonde::cli {

Json to_json(const Value& value) {
  if (const auto* dict = value.as<Value::Dict>()) {
    Json json = Json::object();
    for (const auto& [key, each] : *dict) json[key] = to_json(each);
    return json;
  }
  if (const auto* list = value.as<Value::List>()) {
    Json json = Json::array();
    for (const Value& each : *list) json.push_back(to_json(each));
    return json;
  }
  if (const auto* flag = value.as<bool>()) return *flag;
  if (const auto* whole = value.as<std::int64_t>()) return *whole;
  if (const auto* real = value.as<double>()) return *real;
  if (const auto* words = value.as<std::string>()) return *words;
  return nullptr;
}

}  // namespace sonde::cli
