#pragma once
#include <array>
#include <concepts>
#include <optional>
#include <sonde/fields.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What a model is judged by, with Keras' names, arguments and defaults. Keras: keras.metrics.
///
///   model.compile({.optimizer = Adam{}, .loss = BinaryCrossentropy{},
///                  .metrics = {"accuracy", AUC{.curve = Curve::PR}, F1Score{.threshold = 0.5}}});
///
/// Metrics are sums over all samples and steps, so that shards and batches of any size give the
/// same result. Steps that are masked, or weighted 0, never count. Against class numbers, a metric
/// made for one number per unit sees unit k as "is it class k".
namespace sonde {

/// The type that is computed in: Keras' "dtype" of metrics, which must be float32 here.
struct Float32 {
  bool operator==(const Float32&) const = default;
};
Value to_value(Float32);
void from_value(const Value& value, const Where& where, Float32& out);

namespace metrics {

/// How often (output > threshold) is the label, 0 or 1.
struct BinaryAccuracy {
  static constexpr std::string_view type = "BinaryAccuracy";
  std::string name = "binary_accuracy";
  Float32 dtype = {};
  double threshold = 0.5;

  static constexpr auto fields() {
    using S = BinaryAccuracy;
    return fields_of(field("name", &S::name), field("dtype", &S::dtype),
                     field("threshold", &S::threshold));
  }
  bool operator==(const BinaryAccuracy&) const = default;
};

/// How often the largest output stands where the largest target stands (one-hot targets).
struct CategoricalAccuracy {
  static constexpr std::string_view type = "CategoricalAccuracy";
  std::string name = "categorical_accuracy";
  Float32 dtype = {};

  static constexpr auto fields() {
    using S = CategoricalAccuracy;
    return fields_of(field("name", &S::name), field("dtype", &S::dtype));
  }
  bool operator==(const CategoricalAccuracy&) const = default;
};

/// How often the largest output stands at the class number of the target.
struct SparseCategoricalAccuracy {
  static constexpr std::string_view type = "SparseCategoricalAccuracy";
  std::string name = "sparse_categorical_accuracy";
  Float32 dtype = {};

  static constexpr auto fields() {
    using S = SparseCategoricalAccuracy;
    return fields_of(field("name", &S::name), field("dtype", &S::dtype));
  }
  bool operator==(const SparseCategoricalAccuracy&) const = default;
};

/// True positives / all that exceed the threshold, over all units or those of one class.
struct Precision {
  static constexpr std::string_view type = "Precision";
  std::optional<double> thresholds = {};  ///< one; left out: 0.5
  std::optional<Index> top_k = {};        ///< refused
  std::optional<Index> class_id = {};     ///< count this unit only
  std::string name = "precision";
  Float32 dtype = {};

  static constexpr auto fields() {
    using S = Precision;
    return fields_of(field("thresholds", &S::thresholds), field("top_k", &S::top_k),
                     field("class_id", &S::class_id), field("name", &S::name),
                     field("dtype", &S::dtype));
  }
  bool operator==(const Precision&) const = default;
};

/// True positives / all that are labelled, over all units or those of one class.
struct Recall {
  static constexpr std::string_view type = "Recall";
  std::optional<double> thresholds = {};  ///< one; left out: 0.5
  std::optional<Index> top_k = {};        ///< refused
  std::optional<Index> class_id = {};     ///< count this unit only
  std::string name = "recall";
  Float32 dtype = {};

  static constexpr auto fields() {
    using S = Recall;
    return fields_of(field("thresholds", &S::thresholds), field("top_k", &S::top_k),
                     field("class_id", &S::class_id), field("name", &S::name),
                     field("dtype", &S::dtype));
  }
  bool operator==(const Recall&) const = default;
};

/// How the scores of several classes become one.
enum class Average { micro, macro, weighted };
constexpr auto enum_names(Average) {
  return std::array<std::string_view, 3>{"micro", "macro", "weighted"};
}

/// 2 * precision * recall / (precision + recall), for each class, or averaged. A class is predicted
/// where its output exceeds the threshold, or, without one, where it is the largest of its vector.
struct F1Score {
  static constexpr std::string_view type = "F1Score";
  std::optional<Average> average = {};   ///< left out: one score for each class
  std::optional<double> threshold = {};  ///< required for an output of one unit
  std::string name = "f1_score";
  Float32 dtype = {};

  static constexpr auto fields() {
    using S = F1Score;
    return fields_of(field("average", &S::average), field("threshold", &S::threshold),
                     field("name", &S::name), field("dtype", &S::dtype));
  }
  bool operator==(const F1Score&) const = default;
};

enum class Curve { ROC, PR };
constexpr auto enum_names(Curve) { return std::array<std::string_view, 2>{"ROC", "PR"}; }

enum class SummationMethod { interpolation, minoring, majoring };
constexpr auto enum_names(SummationMethod) {
  return std::array<std::string_view, 3>{"interpolation", "minoring", "majoring"};
}

/// The area under the ROC or precision-recall curve, over all units, from `num_thresholds` points.
/// Outputs are probabilities in [0, 1].
struct AUC {
  static constexpr std::string_view type = "AUC";
  Index num_thresholds = 200;
  Curve curve = Curve::ROC;
  SummationMethod summation_method = SummationMethod::interpolation;
  std::string name = "auc";
  Float32 dtype = {};
  std::optional<std::vector<double>> thresholds = {};     ///< refused
  bool multi_label = false;                               ///< refused
  std::optional<Index> num_labels = {};                   ///< refused
  std::optional<std::vector<double>> label_weights = {};  ///< refused
  bool from_logits = false;                               ///< refused

  static constexpr auto fields() {
    using S = AUC;
    return fields_of(field("num_thresholds", &S::num_thresholds), field("curve", &S::curve),
                     field("summation_method", &S::summation_method), field("name", &S::name),
                     field("dtype", &S::dtype), field("thresholds", &S::thresholds),
                     field("multi_label", &S::multi_label), field("num_labels", &S::num_labels),
                     field("label_weights", &S::label_weights),
                     field("from_logits", &S::from_logits));
  }
  bool operator==(const AUC&) const = default;
};

/// The mean of (target - output)².
struct MeanSquaredError {
  static constexpr std::string_view type = "MeanSquaredError";
  std::string name = "mean_squared_error";
  Float32 dtype = {};

  static constexpr auto fields() {
    using S = MeanSquaredError;
    return fields_of(field("name", &S::name), field("dtype", &S::dtype));
  }
  bool operator==(const MeanSquaredError&) const = default;
};

/// The mean of |target - output|.
struct MeanAbsoluteError {
  static constexpr std::string_view type = "MeanAbsoluteError";
  std::string name = "mean_absolute_error";
  Float32 dtype = {};

  static constexpr auto fields() {
    using S = MeanAbsoluteError;
    return fields_of(field("name", &S::name), field("dtype", &S::dtype));
  }
  bool operator==(const MeanAbsoluteError&) const = default;
};

/// The mean recall of the classes that occur: 0.5 for guessing one of two, however rare the other.
/// Not in Keras; scikit-learn: balanced_accuracy_score.
struct BalancedAccuracy {
  static constexpr std::string_view type = "BalancedAccuracy";
  std::string name = "balanced_accuracy";
  double threshold = 0.5;  ///< for an output of one unit

  static constexpr auto fields() {
    return fields_of(field("name", &BalancedAccuracy::name),
                     field("threshold", &BalancedAccuracy::threshold));
  }
  bool operator==(const BalancedAccuracy&) const = default;
};

/// Counts (weights) of each labelled class (rows) by each predicted class (columns). As one number
/// it is the accuracy. Not a class of Keras; scikit-learn: confusion_matrix.
struct ConfusionMatrix {
  static constexpr std::string_view type = "ConfusionMatrix";
  std::string name = "confusion_matrix";
  double threshold = 0.5;  ///< for an output of one unit

  static constexpr auto fields() {
    return fields_of(field("name", &ConfusionMatrix::name),
                     field("threshold", &ConfusionMatrix::threshold));
  }
  bool operator==(const ConfusionMatrix&) const = default;
};

}  // namespace metrics

// Some names are losses or layers as well: write metrics::MeanSquaredError{},
// metrics::MeanAbsoluteError{}, metrics::Average::macro.
using metrics::AUC;
using metrics::BalancedAccuracy;
using metrics::BinaryAccuracy;
using metrics::CategoricalAccuracy;
using metrics::ConfusionMatrix;
using metrics::Curve;
using metrics::F1Score;
using metrics::Precision;
using metrics::Recall;
using metrics::SparseCategoricalAccuracy;
using metrics::SummationMethod;

using Metric = std::variant<BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy,
                            Precision, Recall, F1Score, AUC, metrics::MeanSquaredError,
                            metrics::MeanAbsoluteError, BalancedAccuracy, ConfusionMatrix>;

/// A metric, or the name of one. "accuracy" (or "acc") is the one that fits output and loss.
class MetricChoice {
 public:
  MetricChoice(const char* name) : choice_(std::string(name)) {}
  MetricChoice(std::string name) : choice_(std::move(name)) {}
  MetricChoice(Metric metric) : choice_(std::move(metric)) {}
  template <class M>
  requires std::constructible_from<Metric, M> && Spec<M> MetricChoice(M metric)
      : choice_(Metric(std::move(metric))) {}

  /// Null when this is a metric.
  const std::string* name() const { return std::get_if<std::string>(&choice_); }
  /// Null when this is a name.
  const Metric* metric() const { return std::get_if<Metric>(&choice_); }
  bool operator==(const MetricChoice&) const = default;

 private:
  std::variant<std::string, Metric> choice_;
};

Value to_value(const MetricChoice& choice);

/// "auc", "F1Score", "mse", …; throws ArgumentError for unknown names, and for "accuracy", which is
/// no metric by itself. The metric is called by the name as it was given.
Metric metric_from_name(std::string_view name);

}  // namespace sonde
