#include <sonde/layers.hpp>

namespace sonde {

AnyLayer layer_from_config(std::string_view type, const Value::Dict& config, const Where& where) {
  return layer_from_config(BuiltinLayers{}, type, config, where);
}

Value to_value(const AnyLayer& layer) {
  if (!layer) return {};
  return Value::Dict{{"class_name", std::string(layer.type())}, {"config", layer.config()}};
}

void from_value(const Value& value, const Where& where, AnyLayer& out) {
  const Value* type = value.find("class_name");
  const Value* config = value.find("config");
  if (!type || !type->as<std::string>() || !config || !config->as<Value::Dict>())
    refuse_value(where, "a layer as {class_name, config}", value);
  out = layer_from_config(*type->as<std::string>(), *config->as<Value::Dict>(), where);
}

}  // namespace sonde
