#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sonde/error.hpp>
#include "formats/keras/classes.hpp"
#include "formats/keras/compile_config.hpp"

namespace sonde::formats::keras {
namespace {

/// Keys of Keras 2 that change nothing.
constexpr std::array<std::string_view, 3> old_optimizer_keys = {"jit_compile",
                                                                "is_legacy_optimizer", "decay"};

Value write_optimizer(const Model& model) {
  return std::visit(
      [&](const auto& spec) -> Value {
        Value::Dict config;
        for (auto& [key, value] : to_config(spec)) {
          if (key != "learning_rate") config.emplace_back(key, value);
          else if (spec.learning_rate.schedule())
            config.emplace_back(key, object("keras.optimizers.schedules", value));
          else config.emplace_back(key, to_value(static_cast<float>(model.learning_rate())));
        }
        return object("keras.optimizers", spec.type, std::move(config));
      },
      model.compiled()->optimizer);
}

/// Keras resolves "auto" when it compiles and writes what that gave where it ran; who reads "auto"
/// resolves it there.
Value write_jit_compile(std::optional<bool> jit_compile) {
  return jit_compile ? Value(*jit_compile) : Value("auto");
}

std::optional<bool> read_jit_compile(const Value* written, const Where& where) {
  if (!written || written->is_null() || *written == Value("auto")) return {};
  if (const bool* given = written->as<bool>()) return *given;
  refuse_value(where + ": jit_compile", "\"auto\", true or false", *written);
}

Value write_losses(const Losses& losses) {
  if (losses.size() == 1) return object("keras.losses", to_value(losses.front()));
  Value::List all;
  for (const Loss& loss : losses) all.push_back(object("keras.losses", to_value(loss)));
  return all;
}

bool is_own(const MetricChoice& choice) {
  const auto is_own_name = [](std::string_view name) {
    return detail::names_class(name, BalancedAccuracy::type) ||
           detail::names_class(name, ConfusionMatrix::type);
  };
  if (const std::string* name = choice.name()) return is_own_name(*name);
  return std::visit([&](const auto& m) { return is_own_name(m.type); }, *choice.metric());
}

/// As Keras takes them: a list, or with several outputs a list for each.
Value metrics_for_keras(const std::vector<MetricChoice>& metrics, std::size_t outputs) {
  std::vector<MetricChoice> known;
  std::remove_copy_if(metrics.begin(), metrics.end(), std::back_inserter(known), is_own);
  if (known.empty()) return {};
  const Value written = write_metrics(known);
  return outputs == 1 ? written : Value(Value::List(outputs, written));
}

Optimizer read_optimizer(const Value& written, const Where& where) {
  Value kept = written;
  if (const Value* config = written.find("config"); config && config->as<Value::Dict>()) {
    Value::Dict arguments;
    for (const auto& each : *config->as<Value::Dict>()) {
      const bool is_old = std::find(old_optimizer_keys.begin(), old_optimizer_keys.end(),
                                    each.first) != old_optimizer_keys.end();
      if (!is_old) arguments.push_back(each);
      else if (each.first == "decay" && !each.second.is_null() && each.second != Value(0.0))
        throw FormatError(fmt::format("{}: decay is {}, which only Keras 2 knows. Use a schedule.",
                                      where, to_string(each.second)));
    }
    kept.set("config", std::move(arguments));
  }
  Optimizer optimizer = Adam{};
  from_value(kept, where, optimizer);
  return optimizer;
}

/// One entry for each output: from a list, from a table by output name, or from the one there is.
std::vector<Value> by_output(const Value& written, const std::vector<std::string>& outputs,
                             const Where& where) {
  std::vector<Value> each;
  if (const auto* list = written.as<Value::List>()) {
    each = *list;
  } else if (const auto* dict = written.as<Value::Dict>(); dict && !written.find("class_name")) {
    for (const std::string& output : outputs)
      if (const Value* found = written.find(output)) each.push_back(*found);
    if (each.size() != dict->size())
      throw FormatError(where + ": names an output that the model does not have.");
  } else {
    each.assign(outputs.size(), written);
  }
  if (each.size() != outputs.size())
    throw FormatError(
        fmt::format("{}: {} entries for {} outputs.", where, each.size(), outputs.size()));
  return each;
}

std::vector<MetricChoice> metrics_of(const Value& written, const std::vector<std::string>& outputs,
                                     const Where& where) {
  if (written.is_null()) return {};
  const auto* list = written.as<Value::List>();
  const bool is_flat = list && std::none_of(list->begin(), list->end(), [](const Value& each) {
                         return each.as<Value::List>() || each.is_null();
                       });
  if (is_flat && (outputs.size() == 1 || list->empty())) return read_metrics(written, where);
  std::vector<Value> each = by_output(written, outputs, where);
  for (const Value& other : each)
    if (!(other == each.front()))
      throw FormatError(where + ": outputs with different metrics are not supported.");
  if (each.front().is_null()) return {};
  return read_metrics(
      each.front().as<Value::List>() ? each.front() : Value(Value::List{each.front()}), where);
}

}  // namespace

bool has_own_metrics(const CompileOptions& options) {
  const auto any = [](const auto& metrics) {
    return std::any_of(metrics.begin(), metrics.end(), is_own);
  };
  return any(options.metrics) || any(options.weighted_metrics);
}

Value write_metrics(const std::vector<MetricChoice>& metrics) {
  Value::List all;
  for (const MetricChoice& choice : metrics)
    all.push_back(choice.name() ? Value(*choice.name())
                                : object("keras.metrics", to_value(*choice.metric())));
  return all;
}

std::vector<MetricChoice> read_metrics(const Value& written, const Where& where) {
  std::vector<MetricChoice> metrics;
  const auto* list = written.as<Value::List>();
  if (!list) refuse_value(where, "a list", written);
  for (const Value& each : *list) {
    if (const auto* name = each.as<std::string>()) {
      metrics.emplace_back(*name);
    } else {
      Metric metric = BinaryAccuracy{};
      from_value(each, where, metric);
      metrics.emplace_back(std::move(metric));
    }
  }
  return metrics;
}

Value write_compile_config(const Model& model) {
  const CompileOptions* options = model.compiled();
  if (!options) return Value::Dict{};
  const std::size_t outputs = model.graph().outputs().size();
  Value::List weights;
  for (const float weight : options->loss_weights) weights.push_back(to_value(weight));
  return Value::Dict{{"optimizer", write_optimizer(model)},
                     {"loss", write_losses(options->loss)},
                     {"loss_weights", weights.empty() ? Value() : Value(std::move(weights))},
                     {"metrics", metrics_for_keras(options->metrics, outputs)},
                     {"weighted_metrics", metrics_for_keras(options->weighted_metrics, outputs)},
                     {"run_eagerly", false},
                     {"steps_per_execution", 1},
                     {"jit_compile", write_jit_compile(options->jit_compile)}};
}

CompileOptions read_compile_config(const Value& config, const std::vector<std::string>& outputs,
                                   const Where& where) {
  constexpr std::array<std::string_view, 9> known = {
      "optimizer",        "loss",        "loss_weights",        "metrics",
      "weighted_metrics", "run_eagerly", "steps_per_execution", "jit_compile",
      "auto_scale_loss"};
  refuse_foreign_objects(config, where);
  for (const auto& each : *config.as<Value::Dict>())
    if (std::find(known.begin(), known.end(), each.first) == known.end())
      throw FormatError(fmt::format("{}: \"{}\" is not known here.", where, each.first));

  CompileOptions options;
  options.optimizer = read_optimizer(entry(config, "optimizer", where), where + ": optimizer");
  for (const Value& each : by_output(entry(config, "loss", where), outputs, where + ": loss")) {
    Loss loss = MeanSquaredError{};
    from_value(each, where + ": loss", loss);
    options.loss.push_back(std::move(loss));
  }
  if (const Value* weights = config.find("loss_weights"); weights && !weights->is_null())
    for (const Value& each : by_output(*weights, outputs, where + ": loss_weights"))
      from_value(each, where + ": loss_weights", options.loss_weights.emplace_back());
  options.jit_compile = read_jit_compile(config.find("jit_compile"), where);
  if (const Value* metrics = config.find("metrics"))
    options.metrics = metrics_of(*metrics, outputs, where + ": metrics");
  if (const Value* metrics = config.find("weighted_metrics"))
    options.weighted_metrics = metrics_of(*metrics, outputs, where + ": weighted_metrics");
  return options;
}

}  // namespace sonde::formats::keras
