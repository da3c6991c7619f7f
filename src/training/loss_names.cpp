#include <fmt/format.h>

#include <cmath>
#include <sonde/losses.hpp>

#include "training/loss.hpp"

namespace sonde {
namespace {

/// Keras' short names and the class each stands for.
constexpr std::pair<std::string_view, std::string_view> short_names[] = {
    {"bce", "BinaryCrossentropy"},
    {"BCE", "BinaryCrossentropy"},
    {"mse", "MeanSquaredError"},
    {"MSE", "MeanSquaredError"},
    {"mae", "MeanAbsoluteError"},
    {"MAE", "MeanAbsoluteError"},
    {"huber_loss", "Huber"},  // what Huber calls itself in logs
    {"mape", "MeanAbsolutePercentageError"},
    {"MAPE", "MeanAbsolutePercentageError"},
    {"msle", "MeanSquaredLogarithmicError"},
    {"MSLE", "MeanSquaredLogarithmicError"},
    {"kld", "KLDivergence"},
    {"KLD", "KLDivergence"},
};

template <class... T>
void read_choice(const Value& value, const Where& where, std::variant<T...>& out) {
  from_value<T...>(value, where, out);
}

template <class S, class... T>
constexpr bool one_of = (std::is_same_v<S, T> || ...);

bool is_crossentropy(std::string_view name) { return name == "crossentropy" || name == "ce"; }

[[noreturn]] void refuse(std::string_view where, const std::string& message) {
  throw ArgumentError(fmt::format("{}: {}", where, message));
}

template <class S>
void check_arguments(const S& spec, std::string_view where) {
  if constexpr (requires { spec.axis + 0; }) {
    if (spec.axis != -1)
      refuse(where, fmt::format("{} works on the last axis only (-1), got axis = {}. Permute the "
                                "output so that its units come last.",
                                spec.name, spec.axis));
  }
  if constexpr (requires { spec.label_smoothing; }) {
    if (!(spec.label_smoothing >= 0 && spec.label_smoothing <= 1))
      refuse(where,
             fmt::format("label_smoothing must be in [0, 1], got {}.", spec.label_smoothing));
  }
  if constexpr (requires { spec.delta; }) {
    if (!(spec.delta > 0) || std::isinf(spec.delta))
      refuse(where, fmt::format("delta must be positive, got {}.", spec.delta));
  }
  const auto check_positive = [&](std::string_view name, double value) {
    if (!(value >= 0) || std::isinf(value))
      refuse(where, fmt::format("{} must be finite and at least 0, got {}.", name, value));
  };
  if constexpr (requires { spec.gamma; }) check_positive("gamma", spec.gamma);
  if constexpr (requires { spec.alpha; }) check_positive("alpha", spec.alpha);
  if constexpr (requires { spec.beta; }) {
    check_positive("beta", spec.beta);
    if (spec.alpha == 0 && spec.beta == 0)
      refuse(where, "alpha and beta are both 0, and nothing is left to make small.");
  }
  if constexpr (requires { spec.apply_class_balancing; }) {
    if (spec.apply_class_balancing && spec.alpha > 1)
      refuse(where, fmt::format("alpha must be in [0, 1], got {}.", spec.alpha));
  }
  if (spec.reduction == Reduction::none)
    refuse(where, fmt::format("{} with reduction = none gives no number to make small. Use "
                              "sum_over_batch_size.",
                              spec.name));
}

}  // namespace

void from_value(const Value& value, const Where& where, Loss& out) {
  if (const auto* name = value.as<std::string>()) {
    for (const auto& [nickname, type] : short_names)
      if (nickname == *name) return read_choice(Value(type), where, out);
    if (is_crossentropy(*name))
      throw ArgumentError(fmt::format(
          "{}: \"{}\" depends on the output. Use binary_crossentropy, categorical_crossentropy or "
          "sparse_categorical_crossentropy.",
          where, *name));
  }
  read_choice(value, where, out);
}

Loss loss_from_name(std::string_view name) {
  Loss loss;
  from_value(Value(name), "loss", loss);
  return loss;
}

// Keras: trainers/compile_utils.py, get_loss.
Loss loss_from_name(std::string_view name, const Shape& output, const Shape& target) {
  if (!is_crossentropy(name)) return loss_from_name(name);
  if (output.last() == 1) return BinaryCrossentropy{};
  if (target.rank() < output.rank() || target.last() == 1) return SparseCategoricalCrossentropy{};
  return CategoricalCrossentropy{};
}

TargetKind target_kind(const Loss& loss) {
  return std::visit(
      [](const auto& spec) {
        using S = std::decay_t<decltype(spec)>;
        if constexpr (one_of<S, SparseCategoricalCrossentropy>) return TargetKind::class_numbers;
        else if constexpr (one_of<S, CategoricalCrossentropy, CategoricalFocalCrossentropy,
                                  KLDivergence, CategoricalHinge>)
          return TargetKind::distribution;
        else if constexpr (one_of<S, BinaryCrossentropy, BinaryFocalCrossentropy, Dice, Tversky>)
          return TargetKind::probabilities;
        else if constexpr (one_of<S, Hinge, SquaredHinge>) return TargetKind::signs;
        else return TargetKind::numbers;
      },
      loss);
}

const std::string& name_of(const Loss& loss) {
  return std::visit([](const auto& spec) -> const std::string& { return spec.name; }, loss);
}

Head head_of(const Loss& loss, ActivationFunction last, Index width, std::string_view where) {
  std::visit([&](const auto& spec) { check_arguments(spec, where); }, loss);
  const bool softmax = last == ActivationFunction::softmax;
  if (width == 1 && (softmax || last == ActivationFunction::log_softmax))
    refuse(where,
           "a softmax over one unit always gives 1, and nothing can be learned. Use a sigmoid for "
           "two classes, or as many units as there are classes.");
  return std::visit(
      [&](const auto& spec) {
        using S = std::decay_t<decltype(spec)>;
        if constexpr (requires { spec.from_logits; }) {
          if (spec.from_logits && (softmax || last == ActivationFunction::sigmoid))
            refuse(where, fmt::format("{} with from_logits = true wants the numbers before the {}, "
                                      "and the model already ends in it. Use from_logits = false.",
                                      spec.name, softmax ? "softmax" : "sigmoid"));
          constexpr bool binary = one_of<S, BinaryCrossentropy, BinaryFocalCrossentropy>;
          if (binary && last == ActivationFunction::sigmoid) return Head::sigmoid;
          if (!binary && softmax) return Head::softmax;
        }
        return Head::values;
      },
      loss);
}

}  // namespace sonde
