#include "cli/task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sonde/error.hpp>

#include "cli/loss_text.hpp"
#include "cli/options.hpp"

namespace sonde::cli {
namespace {

/// More classes than this are taken for measured values: counts, temperatures, angles.
constexpr Index most_classes = 256;

/// The weight of each label: one for each sample, one for each label, or all 1.
class LabelWeights {
 public:
  LabelWeights(const Array& weights, Index labels) : weights_(weights) {
    each_ = !weights.empty() ? std::max<Index>(labels / weights.size(), 1) : 0;
  }
  double operator[](Index label) const {
    if (each_ == 0) return 1;
    return static_cast<double>(weights_.data()[std::min(label / each_, weights_.size() - 1)]);
  }

 private:
  const Array& weights_;
  Index each_;
};

/// Calls f(label, weight) for each label that counts and is finite.
template <class F>
void for_each_label(const Array& y, const Array& weights, Index width, F f) {
  const Index labels = y.size() / width;
  const LabelWeights weight_of(weights, labels);
  for (Index i = 0; i < labels; ++i) {
    const float* label = y.data() + i * width;
    const bool finite = std::all_of(label, label + width, [](float v) { return std::isfinite(v); });
    if (const double weight = weight_of[i]; finite && weight > 0) f(label, weight);
  }
}

/// What the labels look like.
struct Look {
  bool whole = true;     ///< whole numbers from 0
  bool zero_one = true;  ///< nothing but 0 and 1
  bool one_hot = true;
  float largest = 0;
};

Look look_at(const Array& y, const Array& weights, Index width) {
  Look look;
  for_each_label(y, weights, width, [&](const float* label, double) {
    float sum = 0;
    for (Index k = 0; k < width; ++k) {
      const float v = label[k];
      look.whole &= v >= 0 && v == std::floor(v);
      look.zero_one &= v == 0 || v == 1;
      look.largest = std::max(look.largest, v);
      sum += v;
    }
    look.one_hot &= sum == 1;
  });
  look.one_hot &= look.zero_one;
  return look;
}

Labels labels_of(const Look& look, Index width) {
  if (width > 1)
    return look.one_hot ? Labels::one_hot : look.zero_one ? Labels::several : Labels::values;
  if (look.zero_one) return Labels::binary;
  return look.whole && look.largest < static_cast<float>(most_classes) ? Labels::classes
                                                                       : Labels::values;
}

/// What labels must be taken for when the loss is given.
Labels labels_for(const Loss& loss, Index width, const Look& look) {
  // Dice and Tversky take a softmax as well as sigmoids.
  const bool overlap = std::holds_alternative<Dice>(loss) || std::holds_alternative<Tversky>(loss);
  switch (target_kind(loss)) {
    case TargetKind::probabilities:
      return width == 1                ? Labels::binary
             : overlap && look.one_hot ? Labels::one_hot
                                       : Labels::several;
    case TargetKind::class_numbers:
      return Labels::classes;
    case TargetKind::distribution:
      return Labels::one_hot;
    case TargetKind::signs:
    case TargetKind::numbers:
      break;
  }
  return Labels::values;
}

Loss loss_for(Labels labels) {
  switch (labels) {
    case Labels::binary:
    case Labels::several:
      return BinaryCrossentropy{};
    case Labels::classes:
      return SparseCategoricalCrossentropy{};
    case Labels::one_hot:
      return CategoricalCrossentropy{};
    case Labels::values:
      break;
  }
  return MeanSquaredError{};
}

ActivationFunction activation_for(Labels labels) {
  switch (labels) {
    case Labels::binary:
    case Labels::several:
      return ActivationFunction::sigmoid;
    case Labels::classes:
    case Labels::one_hot:
      return ActivationFunction::softmax;
    case Labels::values:
      break;
  }
  return ActivationFunction::linear;
}

}  // namespace

Index label_width(const Shape& y, Index steps) {
  if (y.rank() < 2 || (y.rank() == 2 && y[1] == steps)) return 1;
  return std::max<Index>(y.last(), 1);
}

bool are_signs(const Task& task, const Array& y, const Array& weights, Index steps) {
  if (task.labels != Labels::values) return false;
  bool below = false, above = false, others = false;
  for_each_label(y, weights, 1, [&](const float* label, double) {
    below |= *label == -1;
    above |= *label == 1;
    others |= *label != -1 && *label != 1;
  });
  return label_width(y.shape(), steps) == 1 && below && above && !others;
}

Index class_of(const Task& task, const float* label, Index width) {
  if (task.labels == Labels::one_hot) return std::max_element(label, label + width) - label;
  return std::isfinite(*label) ? static_cast<Index>(*label) : -1;
}

Task task_of(const Array& y, const Array& weights, Index steps, std::string_view loss) {
  if (loss == "auto") return task_of(y, weights, steps, std::optional<Loss>{});
  return task_of(y, weights, steps, read_loss(loss));
}

Task task_of(const Array& y, const Array& weights, Index steps, const std::optional<Loss>& loss) {
  const Index width = label_width(y.shape(), steps);
  const Look look = look_at(y, weights, width);
  Task task;
  task.labels = loss ? labels_for(*loss, width, look) : labels_of(look, width);
  task.loss = loss ? *loss : loss_for(task.labels);
  task.activation = activation_for(task.labels);
  if (std::holds_alternative<Poisson>(task.loss)) task.activation = ActivationFunction::softplus;
  task.outputs = width;
  if (task.labels == Labels::classes) {
    // Two classes at least: a softmax over one unit would always say 1.
    const float largest = std::clamp(look.largest, 1.0f, 1e6f);
    task.outputs = static_cast<Index>(largest) + 1;
  }

  if (task.labels == Labels::values || task.labels == Labels::several) return task;
  const Index classes = task.labels == Labels::binary ? 2 : task.outputs;
  task.counts.assign(static_cast<std::size_t>(classes), 0);
  for_each_label(y, weights, width, [&](const float* label, double) {
    // Labels that are none of the classes are refused by fit, which says where they are.
    const Index k = class_of(task, label, width);
    if (k >= 0 && k < classes) ++task.counts[static_cast<std::size_t>(k)];
  });
  return task;
}

Task task_for(const Model& model, const Array& y, const Array& weights, Index steps,
              std::string_view loss) {
  const Graph& graph = model.graph();
  if (graph.inputs().size() > 2 || graph.outputs().size() != 1)
    throw ArgumentError(fmt::format(
        "model \"{}\" has {} inputs and {} outputs. This program works with one of each, and with "
        "encoder–decoders; the library with any number.",
        model.name(), graph.inputs().size(), graph.outputs().size()));
  const Index width = label_width(y.shape(), steps);
  const CompileOptions* compiled = model.compiled();
  std::optional<Loss> chosen;
  if (loss != "auto") {
    chosen = read_loss(loss);
  } else if (compiled && !compiled->loss.empty()) {
    chosen = compiled->loss[0];
  } else {
    // Of the layer that comes last within models and wrappers too, as training sees it.
    const Graph flat = graph.flat();
    const auto& call = flat.calls()[static_cast<std::size_t>(flat.outputs()[0].call)];
    const ActivationFunction ends = flat.layer(call).layer.final_activation();
    chosen = ends == ActivationFunction::sigmoid   ? Loss(BinaryCrossentropy{})
             : ends != ActivationFunction::softmax ? Loss(MeanSquaredError{})
             : width == 1                          ? Loss(SparseCategoricalCrossentropy{})
                                                   : Loss(CategoricalCrossentropy{});
  }
  Task task = task_of(y, weights, steps, chosen);
  // The model knows of classes that these labels do not hold.
  const Index outputs = graph.output_tensors()[0].shape().last();
  if (task.labels == Labels::classes && outputs > task.outputs) {
    task.outputs = outputs;
    task.counts.resize(static_cast<std::size_t>(outputs));
  }
  return task;
}

std::string Task::text() const {
  if (labels == Labels::values)
    return fmt::format("{} measured value{} for each label", outputs, outputs == 1 ? "" : "s");
  if (labels == Labels::several) return fmt::format("{} labels of 0 and 1 side by side", outputs);
  double total = 0;
  for (const double count : counts) total += count;
  std::string text = fmt::format("{} classes:", counts.size());
  constexpr std::size_t shown = 8;
  for (std::size_t k = 0; k < std::min(counts.size(), shown); ++k)
    text += fmt::format("{} {} in {:.1f} %", k > 0 ? "," : "", k,
                        100 * counts[k] / std::max(total, 1.0));
  return text + (counts.size() > shown ? ", …" : "") + " of the labels";
}

std::string_view Task::metric() const { return labels == Labels::values ? "mae" : "accuracy"; }

std::vector<float> balanced_weights(const Task& task, const Array& y, const Array& weights,
                                    Index samples, Index steps) {
  if (task.counts.empty())
    throw ArgumentError("--class-weight: these labels are no classes. Leave it out.");
  const Index width = label_width(y.shape(), steps);
  const Array part = y.slice(0, samples);
  const Array part_weights = !weights.empty() ? weights.slice(0, samples) : Array();
  std::vector<double> sums(task.counts.size());
  double total = 0;
  for_each_label(part, part_weights, width, [&](const float* label, double weight) {
    const Index k = class_of(task, label, width);
    if (k < 0 || k >= static_cast<Index>(sums.size())) return;
    sums[static_cast<std::size_t>(k)] += weight;
    total += weight;
  });
  std::vector<float> factors;
  for (const double sum : sums)
    factors.push_back(sum > 0 ? static_cast<float>(total / (static_cast<double>(sums.size()) * sum))
                              : 0.0f);
  return factors;
}

std::vector<float> read_class_weights(const std::string& text, const Task& task, const Array& y,
                                      const Array& weights, Index samples, Index steps) {
  if (text == "none") return {};
  if (text == "auto") return balanced_weights(task, y, weights, samples, steps);
  std::vector<float> factors;
  from_value(Reads<std::vector<float>>::from(text), "--class-weight (auto, none or numbers)",
             factors);
  if (factors.size() != task.counts.size())
    throw ArgumentError(fmt::format(
        "--class-weight: expected {} numbers, one for each class, got {}. \"auto\" computes them.",
        task.counts.size(), factors.size()));
  for (const float factor : factors)
    if (factor < 0)
      throw ArgumentError(fmt::format("--class-weight: must not be negative, got {}.", factor));
  return factors;
}

}  // namespace sonde::cli
