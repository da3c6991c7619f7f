#pragma once
#include <optional>
#include <sonde/activations.hpp>
#include <sonde/array.hpp>
#include <sonde/losses.hpp>
#include <sonde/model.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::cli {

/// What labels are, by looking at them.
enum class Labels {
  binary,   ///< 0 and 1
  classes,  ///< whole numbers 0 … K - 1
  one_hot,  ///< K numbers, one of them 1 and the others 0
  several,  ///< K numbers of 0 and 1, any of which may be 1
  values,   ///< anything else
};
constexpr auto enum_names(Labels) {
  return std::array<std::string_view, 5>{"binary", "classes", "one_hot", "several", "values"};
}

/// What a network has to give for labels like these.
struct Task {
  Labels labels = Labels::values;
  Index outputs = 1;  ///< numbers for each label
  ActivationFunction activation = ActivationFunction::linear;
  Loss loss = MeanSquaredError{};
  /// Labels of each class that count; empty for values.
  std::vector<double> counts = {};

  /// "2 classes: 0 in 91.3 %, 1 in 8.7 % of the steps".
  std::string text() const;
  /// The metric that is shown while training.
  std::string_view metric() const;
};

/// The numbers that make one label: y (samples, time) and (samples,) have one, others their last
/// axis. `steps`: of the signals.
Index label_width(const Shape& y, Index steps);

/// What y holds, and what fits it. Labels with weight 0 and labels that are not finite are not
/// looked at. `loss` is "auto" or a text of read_loss, which decides what the labels are taken for.
Task task_of(const Array& y, const Array& weights, Index steps, std::string_view loss);
/// The same for a loss itself; none: what fits the labels.
Task task_of(const Array& y, const Array& weights, Index steps, const std::optional<Loss>& loss);

/// The same for a model that exists: its last layer decides what labels are taken for, and its own
/// loss is kept unless another one is named.
Task task_for(const Model& model, const Array& y, const Array& weights, Index steps,
              std::string_view loss);

/// Whether labels that would be taken for values are -1 and 1, as two classes are written for a
/// support vector machine.
bool are_signs(const Task& task, const Array& y, const Array& weights, Index steps);

/// The class of one label of `width` numbers, by its task; -1 for NaN.
Index class_of(const Task& task, const float* label, Index width);

/// Factors that make every class weigh the same over samples [0, samples): labels / (classes *
/// labels of the class). A class without labels gets 0. Throws ArgumentError for values.
std::vector<float> balanced_weights(const Task& task, const Array& y, const Array& weights,
                                    Index samples, Index steps);

/// "none" is empty, "auto" balanced_weights, "1,5.2" itself.
std::vector<float> read_class_weights(const std::string& text, const Task& task, const Array& y,
                                      const Array& weights, Index samples, Index steps);

}  // namespace sonde::cli
