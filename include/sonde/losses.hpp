#pragma once
#include <array>
#include <optional>
#include <sonde/fields.hpp>
#include <sonde/one_or_many.hpp>
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

/// 100 |y - p| / |y|, averaged over the units. Labels other than 0.
struct MeanAbsolutePercentageError {
  static constexpr std::string_view type = "MeanAbsolutePercentageError";
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "mean_absolute_percentage_error";

  static constexpr auto fields() {
    using S = MeanAbsolutePercentageError;
    return fields_of(field("reduction", &S::reduction), field("name", &S::name));
  }
  bool operator==(const MeanAbsolutePercentageError&) const = default;
};

/// (log(1 + y) - log(1 + p))², averaged over the units. Labels are at least 0; outputs below count
/// as 0.
struct MeanSquaredLogarithmicError {
  static constexpr std::string_view type = "MeanSquaredLogarithmicError";
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "mean_squared_logarithmic_error";

  static constexpr auto fields() {
    using S = MeanSquaredLogarithmicError;
    return fields_of(field("reduction", &S::reduction), field("name", &S::name));
  }
  bool operator==(const MeanSquaredLogarithmicError&) const = default;
};

/// log cosh(y - p), averaged over the units: half a square near 0, a straight line far from it.
struct LogCosh {
  static constexpr std::string_view type = "LogCosh";
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "log_cosh";

  static constexpr auto fields() {
    using S = LogCosh;
    return fields_of(field("reduction", &S::reduction), field("name", &S::name));
  }
  bool operator==(const LogCosh&) const = default;
};

/// p - y log p, averaged over the units. Labels are counts, at least 0; outputs must be positive:
/// end in an exponential or softplus.
struct Poisson {
  static constexpr std::string_view type = "Poisson";
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "poisson";

  static constexpr auto fields() {
    using S = Poisson;
    return fields_of(field("reduction", &S::reduction), field("name", &S::name));
  }
  bool operator==(const Poisson&) const = default;
};

/// - the cosine of the angle between y and p along the units: -1 where they point alike.
struct CosineSimilarity {
  static constexpr std::string_view type = "CosineSimilarity";
  Index axis = -1;  ///< only the last is supported
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "cosine_similarity";

  static constexpr auto fields() {
    using S = CosineSimilarity;
    return fields_of(field("axis", &S::axis), field("reduction", &S::reduction),
                     field("name", &S::name));
  }
  bool operator==(const CosineSimilarity&) const = default;
};

/// Sum over classes of y log(y / p), with y a distribution over classes.
struct KLDivergence {
  static constexpr std::string_view type = "KLDivergence";
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "kl_divergence";

  static constexpr auto fields() {
    using S = KLDivergence;
    return fields_of(field("reduction", &S::reduction), field("name", &S::name));
  }
  bool operator==(const KLDivergence&) const = default;
};

/// max(1 - y p, 0), averaged over the units. Labels are -1 and 1, or 0 and 1 with 0 meaning -1.
struct Hinge {
  static constexpr std::string_view type = "Hinge";
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "hinge";

  static constexpr auto fields() {
    using S = Hinge;
    return fields_of(field("reduction", &S::reduction), field("name", &S::name));
  }
  bool operator==(const Hinge&) const = default;
};

/// The square of Hinge, unit by unit.
struct SquaredHinge {
  static constexpr std::string_view type = "SquaredHinge";
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "squared_hinge";

  static constexpr auto fields() {
    using S = SquaredHinge;
    return fields_of(field("reduction", &S::reduction), field("name", &S::name));
  }
  bool operator==(const SquaredHinge&) const = default;
};

/// max(1 + the largest p of a wrong class - p of the right one, 0). One-hot labels.
struct CategoricalHinge {
  static constexpr std::string_view type = "CategoricalHinge";
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "categorical_hinge";

  static constexpr auto fields() {
    using S = CategoricalHinge;
    return fields_of(field("reduction", &S::reduction), field("name", &S::name));
  }
  bool operator==(const CategoricalHinge&) const = default;
};

/// Binary cross-entropy times (1 - the probability given to the label)^gamma, averaged over the
/// units: what is already right weighs little. Lin et al.: Focal loss for dense object detection
/// (2017).
struct BinaryFocalCrossentropy {
  static constexpr std::string_view type = "BinaryFocalCrossentropy";
  bool apply_class_balancing = false;  ///< weigh label 1 by alpha and 0 by 1 - alpha
  double alpha = 0.25;                 ///< in [0, 1]
  double gamma = 2.0;                  ///< at least 0; at 0 the plain cross-entropy
  bool from_logits = false;            ///< the model's output comes before a sigmoid
  double label_smoothing = 0.0;        ///< moves labels towards 0.5 by this share
  Index axis = -1;                     ///< only the last is supported
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "binary_focal_crossentropy";

  static constexpr auto fields() {
    using S = BinaryFocalCrossentropy;
    return fields_of(field("apply_class_balancing", &S::apply_class_balancing),
                     field("alpha", &S::alpha), field("gamma", &S::gamma),
                     field("from_logits", &S::from_logits),
                     field("label_smoothing", &S::label_smoothing), field("axis", &S::axis),
                     field("reduction", &S::reduction), field("name", &S::name));
  }
  bool operator==(const BinaryFocalCrossentropy&) const = default;
};

/// - alpha * sum over classes of y (1 - p)^gamma log p, with y a distribution over classes
/// (one-hot).
struct CategoricalFocalCrossentropy {
  static constexpr std::string_view type = "CategoricalFocalCrossentropy";
  double alpha = 0.25;           ///< one factor for all classes, at least 0
  double gamma = 2.0;            ///< at least 0
  bool from_logits = false;      ///< the model's output comes before a softmax
  double label_smoothing = 0.0;  ///< moves labels towards 1 / classes by this share
  Index axis = -1;               ///< only the last is supported
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "categorical_focal_crossentropy";

  static constexpr auto fields() {
    using S = CategoricalFocalCrossentropy;
    return fields_of(field("alpha", &S::alpha), field("gamma", &S::gamma),
                     field("from_logits", &S::from_logits),
                     field("label_smoothing", &S::label_smoothing), field("axis", &S::axis),
                     field("reduction", &S::reduction), field("name", &S::name));
  }
  bool operator==(const CategoricalFocalCrossentropy&) const = default;
};

/// 1 - 2 sum(y p) / (sum y + sum p): how little labels and outputs overlap, whatever the share of
/// either. Labels in [0, 1].
///
/// The sums run over `axis`, counted as in Keras with the batch as axis 0; left out, over the whole
/// batch: one value. For (batch, time, units): {1, 2} gives each sample a value, {0, 1} each unit,
/// so that rare classes weigh as much as others.
/// Step weights weigh within the sums, and a masked step is in none of them; a value then counts by
/// the mean weight of its steps. (Keras puts masked steps into the sums.)
struct Dice {
  static constexpr std::string_view type = "Dice";
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "dice";
  OneOrMany<Index> axis = {};  ///< left out: all

  static constexpr auto fields() {
    using S = Dice;
    return fields_of(field("reduction", &S::reduction), field("name", &S::name),
                     field("axis", &S::axis));
  }
  bool operator==(const Dice&) const = default;
};

/// 1 - sum(y p) / (sum(y p) + alpha sum((1 - p) y) + beta sum(p (1 - y))): alpha is the price of a
/// label that was missed, beta that of one found in the wrong place, as in Keras 3.15. Keras 3.16
/// gave them each other's place. Both 0.5: Dice. Sums and weights as there.
struct Tversky {
  static constexpr std::string_view type = "Tversky";
  double alpha = 0.5;  ///< at least 0
  double beta = 0.5;   ///< at least 0
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "tversky";
  OneOrMany<Index> axis = {};  ///< left out: all

  static constexpr auto fields() {
    using S = Tversky;
    return fields_of(field("alpha", &S::alpha), field("beta", &S::beta),
                     field("reduction", &S::reduction), field("name", &S::name),
                     field("axis", &S::axis));
  }
  bool operator==(const Tversky&) const = default;
};

using Loss =
    std::variant<BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy,
                 MeanSquaredError, MeanAbsoluteError, Huber, MeanAbsolutePercentageError,
                 MeanSquaredLogarithmicError, LogCosh, Poisson, CosineSimilarity, KLDivergence,
                 Hinge, SquaredHinge, CategoricalHinge, BinaryFocalCrossentropy,
                 CategoricalFocalCrossentropy, Dice, Tversky>;

/// What a loss takes for labels.
enum class TargetKind {
  numbers,        ///< any, one for each unit
  probabilities,  ///< one in [0, 1] for each unit: 0 and 1, or in between
  signs,          ///< -1 and 1, or 0 and 1, one for each unit
  distribution,   ///< one in [0, 1] for each class: one-hot, or shares
  class_numbers,  ///< 0 … classes - 1, one for all units together
};
TargetKind target_kind(const Loss& loss);

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
