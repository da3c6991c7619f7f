#include <algorithm>
#include <array>
#include <sonde/error.hpp>
#include "formats/keras/classes.hpp"
#include "formats/keras/legacy_h5.hpp"

// How a model was compiled, as Keras 2 said it, in the words of Keras 3.
namespace sonde::formats::keras {
namespace {

/// Keys of Keras 2's losses and metrics that say nothing more.
constexpr std::array<std::string_view, 2> dropped = {"fn", "dtype"};

/// A loss or a metric: {"class_name", "config"}, or a name.
Value current_object(const Value& written) {
  const Value* class_name = written.find("class_name");
  const Value* config = written.find("config");
  const auto* arguments = config ? config->as<Value::Dict>() : nullptr;
  if (!class_name || !arguments || written.find("module")) return written;
  const Value* function = config->find("fn");
  // A metric that is the mean of a named function is the class of that name here.
  const bool is_wrapper =
      function && function->as<std::string>() && *class_name == Value("MeanMetricWrapper");
  Value::Dict kept;
  for (const auto& each : *arguments) {
    if (std::find(dropped.begin(), dropped.end(), each.first) != dropped.end()) continue;
    const bool is_auto = each.first == "reduction" && each.second == Value("auto");
    kept.emplace_back(each.first, is_auto ? Value("sum_over_batch_size") : each.second);
  }
  return Value::Dict{{"class_name", is_wrapper ? *function : *class_name}, {"config", kept}};
}

/// The same for every one in lists, and in tables by the names of outputs.
Value current_objects(const Value& written) {
  if (const auto* list = written.as<Value::List>()) {
    Value::List all;
    for (const Value& each : *list) all.push_back(current_objects(each));
    // Keras 2 kept a list in a list for a single output.
    if (all.size() == 1 && all.front().as<Value::List>()) return all.front();
    return all;
  }
  const auto* dict = written.as<Value::Dict>();
  if (!dict || written.find("class_name")) return current_object(written);
  Value::Dict all;
  for (const auto& each : *dict) all.emplace_back(each.first, current_objects(each.second));
  return all;
}

Value current_optimizer(const Value& written) {
  const Value* class_name = written.find("class_name");
  const auto* name = class_name ? class_name->as<std::string>() : nullptr;
  const Value* config = written.find("config");
  const auto* arguments = config ? config->as<Value::Dict>() : nullptr;
  if (!name || !arguments) return written;
  constexpr std::string_view own = "Custom>";  // Keras 2.11 to 2.15 registered its own so
  Value::Dict kept;
  for (const auto& [key, value] : *arguments) {
    if (key == "epsilon" && value.is_null()) continue;  // the default
    kept.emplace_back(key == "lr" ? "learning_rate" : key, value);
  }
  return Value::Dict{{"class_name", name->starts_with(own) ? name->substr(own.size()) : *name},
                     {"config", std::move(kept)}};
}

}  // namespace

Value compile_config_of(const Value& training_config, const std::string& where) {
  const auto* dict = training_config.as<Value::Dict>();
  if (!dict) throw FormatError(where + ": expected a table.");
  Value::Dict config;
  for (const auto& [key, value] : *dict) {
    if (key == "optimizer_config") config.emplace_back("optimizer", current_optimizer(value));
    else if (key == "loss" || key == "metrics" || key == "weighted_metrics")
      config.emplace_back(key, current_objects(value));
    else if (key == "sample_weight_mode") {
      // "temporal" only says that weights are given for each step: here they may always be.
    } else {
      config.emplace_back(key, value);
    }
  }
  return config;
}

}  // namespace sonde::formats::keras
