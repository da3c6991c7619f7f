#pragma once
#include <array>
#include <optional>
#include <sonde/fields.hpp>
#include <string>
#include <string_view>
#include <variant>

/// What training makes small, with Keras' names, arguments and defaults. Keras: keras.losses.
///
///   model.compile({.optimizer = Adam{}, .loss = BinaryCrossentropy{.label_smoothing = 0.1}});
///   Loss loss = loss_from_name("mse");
///
/// Each sample, or each step of a sample, has one value: the mean, or for cross-entropies over
/// classes the sum, along the last axis. Steps that are masked, or weighted 0, have none.
/// A cross-entropy of a model that ends in its sigmoid or softmax is computed from the numbers
/// before it, so that it neither saturates nor clips (TensorFlow's meaning).
/// A target whose shape does not fit the output is refused before training, for every loss.
namespace sonde {

/// How the values of a batch become one number.
enum class Reduction {
  sum_over_batch_size,      ///< weighted sum / number of values, whatever their weights
  mean,                     ///< another name of it
  sum,                      ///< weighted sum
  mean_with_sample_weight,  ///< weighted sum / sum of weights
  none,                     ///< no number: refused when compiling
};
constexpr auto enum_names(Reduction) {
  return std::array<std::string_view, 5>{"sum_over_batch_size", "mean", "sum",
                                         "mean_with_sample_weight", "none"};
}

/// -y log p - (1 - y) log(1 - p), averaged over the units. Labels in [0, 1].
struct BinaryCrossentropy {
  static constexpr std::string_view type = "BinaryCrossentropy";
  bool from_logits = false;      ///< the model's output comes before a sigmoid
  double label_smoothing = 0.0;  ///< moves labels towards 0.5 by this share
  Index axis = -1;               ///< only the last is supported
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "binary_crossentropy";

  static constexpr auto fields() {
    using S = BinaryCrossentropy;
    return fields_of(field("from_logits", &S::from_logits),
                     field("label_smoothing", &S::label_smoothing), field("axis", &S::axis),
                     field("reduction", &S::reduction), field("name", &S::name));
  }
  bool operator==(const BinaryCrossentropy&) const = default;
};

/// - sum over classes of y log p, with y a distribution over classes (one-hot).
struct CategoricalCrossentropy {
  static constexpr std::string_view type = "CategoricalCrossentropy";
  bool from_logits = false;      ///< the model's output comes before a softmax
  double label_smoothing = 0.0;  ///< moves labels towards 1 / classes by this share
  Index axis = -1;               ///< only the last is supported
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "categorical_crossentropy";

  static constexpr auto fields() {
    using S = CategoricalCrossentropy;
    return fields_of(field("from_logits", &S::from_logits),
                     field("label_smoothing", &S::label_smoothing), field("axis", &S::axis),
                     field("reduction", &S::reduction), field("name", &S::name));
  }
  bool operator==(const CategoricalCrossentropy&) const = default;
};

/// - log p of the class whose number, 0 … classes - 1, is the label.
struct SparseCategoricalCrossentropy {
  static constexpr std::string_view type = "SparseCategoricalCrossentropy";
  bool from_logits = false;                ///< the model's output comes before a softmax
  std::optional<Index> ignore_class = {};  ///< steps with this label count as masked
  Index axis = -1;                         ///< only the last is supported
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "sparse_categorical_crossentropy";

  static constexpr auto fields() {
    using S = SparseCategoricalCrossentropy;
    return fields_of(field("from_logits", &S::from_logits), field("ignore_class", &S::ignore_class),
                     field("axis", &S::axis), field("reduction", &S::reduction),
                     field("name", &S::name));
  }
  bool operator==(const SparseCategoricalCrossentropy&) const = default;
};

/// (y - p)², averaged over the units.
struct MeanSquaredError {
  static constexpr std::string_view type = "MeanSquaredError";
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "mean_squared_error";

  static constexpr auto fields() {
    return fields_of(field("reduction", &MeanSquaredError::reduction),
                     field("name", &MeanSquaredError::name));
  }
  bool operator==(const MeanSquaredError&) const = default;
};

/// |y - p|, averaged over the units.
struct MeanAbsoluteError {
  static constexpr std::string_view type = "MeanAbsoluteError";
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "mean_absolute_error";

  static constexpr auto fields() {
    return fields_of(field("reduction", &MeanAbsoluteError::reduction),
                     field("name", &MeanAbsoluteError::name));
  }
  bool operator==(const MeanAbsoluteError&) const = default;
};

/// (y - p)² / 2 up to an error of `delta`, and a straight line beyond; averaged over the units.
struct Huber {
  static constexpr std::string_view type = "Huber";
  double delta = 1.0;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "huber_loss";

  static constexpr auto fields() {
    return fields_of(field("delta", &Huber::delta), field("reduction", &Huber::reduction),
                     field("name", &Huber::name));
  }
  bool operator==(const Huber&) const = default;
};

using Loss =
    std::variant<BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy,
                 MeanSquaredError, MeanAbsoluteError, Huber>;

/// "binary_crossentropy", "BinaryCrossentropy" or "bce"; throws ArgumentError for unknown names.
Loss loss_from_name(std::string_view name);
/// The same, and "crossentropy" or "ce", which the shapes of the output and its target (without the
/// batch) make binary, categorical or sparse.
Loss loss_from_name(std::string_view name, const Shape& output, const Shape& target);
/// Also reads Keras' short names.
void from_value(const Value& value, const Where& where, Loss& out);

/// The name under which it is written: "binary_crossentropy".
const std::string& name_of(const Loss& loss);

}  // namespace sonde
