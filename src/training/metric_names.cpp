#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "training/metric.hpp"
#include "training/target.hpp"

namespace sonde {
namespace {

constexpr std::pair<std::string_view, std::string_view> short_names[] = {
    {"mse", "MeanSquaredError"},
    {"MSE", "MeanSquaredError"},
    {"mae", "MeanAbsoluteError"},
    {"MAE", "MeanAbsoluteError"}};

bool is_accuracy(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower == "accuracy" || lower == "acc";
}

Metric accuracy_for(const Loss& loss, const Shape& output, std::string name) {
  if (output.last() == 1 || std::holds_alternative<BinaryCrossentropy>(loss) ||
      std::holds_alternative<BinaryFocalCrossentropy>(loss))
    return BinaryAccuracy{.name = std::move(name)};
  if (target_width(loss, output.last()) == 1)
    return SparseCategoricalAccuracy{.name = std::move(name)};
  return CategoricalAccuracy{.name = std::move(name)};
}

/// Why this metric cannot be computed over `width` units against `units` target numbers each.
struct Problem {
  Index width;
  Index units;

  bool sparse() const { return units != width; }

  std::string operator()(const CategoricalAccuracy&) const {
    if (width == 1)
      return "compares the largest of several outputs, and there is one. Use BinaryAccuracy.";
    if (sparse())
      return "needs one-hot targets, and the loss takes class numbers. Use "
             "SparseCategoricalAccuracy.";
    return "";
  }
  std::string operator()(const SparseCategoricalAccuracy&) const {
    if (width == 1)
      return "compares the largest of several outputs, and there is one. Use BinaryAccuracy.";
    if (!sparse())
      return "needs class numbers, and the loss takes a number for each class. Use "
             "CategoricalAccuracy.";
    return "";
  }
  std::string operator()(const F1Score& m) const {
    if (!m.threshold && width == 1)
      return "without a threshold takes the largest output, and with one unit that is always the "
             "same. Use threshold = 0.5.";
    if (m.threshold && !(*m.threshold > 0 && *m.threshold <= 1))
      return fmt::format("needs a threshold above 0 and up to 1, got {}.", *m.threshold);
    return "";
  }
  std::string operator()(const AUC& m) const {
    if (m.thresholds || m.multi_label || m.num_labels || m.label_weights || m.from_logits)
      return "supports num_thresholds, curve and summation_method only. Leave thresholds, "
             "multi_label, num_labels, label_weights and from_logits at their defaults.";
    if (m.num_thresholds < 2 || m.num_thresholds > 1'000'000)
      return fmt::format("needs num_thresholds from 2 to 1000000, got {}.", m.num_thresholds);
    return "";
  }
  std::string operator()(const metrics::MeanSquaredError&) const { return of_numbers(); }
  std::string operator()(const metrics::MeanAbsoluteError&) const { return of_numbers(); }
  template <class S>
  requires requires(const S& m) { m.class_id; }
  std::string operator()(const S& m) const {
    if (m.top_k) return "does not support top_k. Use thresholds.";
    if (m.thresholds && !std::isfinite(*m.thresholds)) return "needs a finite threshold.";
    if (m.class_id && (*m.class_id < 0 || *m.class_id >= width))
      return fmt::format("needs a class_id from 0 to {}, got {}.", width - 1, *m.class_id);
    return "";
  }
  template <class S>
  requires requires(const S& m) { 1 / m.threshold; }
  std::string operator()(const S& m) const {
    return std::isfinite(m.threshold) ? "" : "needs a finite threshold.";
  }

 private:
  std::string of_numbers() const {
    if (sparse()) return "needs a target number for each output, and the loss takes class numbers.";
    return "";
  }
};

}  // namespace

Value to_value(Float32) { return Value("float32"); }

void from_value(const Value& value, const Where& where, Float32&) {
  // A word, or Keras' {"class_name": "DTypePolicy", "config": {"name": "float32"}}.
  const Value* config = value.find("config");
  const Value* name = config == nullptr ? &value : config->find("name");
  if (value.is_null() || (name != nullptr && *name == Value("float32"))) return;
  refuse_value(where, "float32, which everything is computed in", value);
}

Value to_value(const MetricChoice& choice) {
  return choice.name() != nullptr ? Value(*choice.name()) : to_value(*choice.metric());
}

Metric metric_from_name(std::string_view name) {
  if (is_accuracy(name))
    throw ArgumentError(fmt::format(
        "metric \"{}\" depends on the output. Use binary_accuracy, categorical_accuracy or "
        "sparse_categorical_accuracy.",
        name));
  std::string_view type = name;
  for (const auto& [nickname, full] : short_names)
    if (nickname == name) type = full;
  Metric metric;
  from_value(Value(type), "metric", metric);
  std::visit([&](auto& spec) { spec.name = name; }, metric);
  return metric;
}

Metric resolve_metric(const MetricChoice& choice, const Loss& loss, const Shape& output) {
  const auto resolve = [&] {
    if (choice.metric() != nullptr) return *choice.metric();
    if (is_accuracy(*choice.name())) return accuracy_for(loss, output, *choice.name());
    return metric_from_name(*choice.name());
  };
  Metric metric = resolve();
  const Index width = output.last();
  const std::string problem = std::visit(Problem{width, target_width(loss, width)}, metric);
  if (!problem.empty()) {
    const auto type = std::visit([](const auto& spec) { return spec.type; }, metric);
    throw ArgumentError(fmt::format("{} \"{}\" {}", type, metric_name(metric), problem));
  }
  return metric;
}

}  // namespace sonde
