#include "cli/post_process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sonde/calibration.hpp>
#include <sonde/error.hpp>

namespace sonde::cli {
namespace {

/// All steps one behind the other, as calibration takes them.
struct Steps {
  std::vector<float> probabilities, labels, weights;

  explicit Steps(std::span<const LabelledProbabilities> recordings) {
    for (const LabelledProbabilities& each : recordings) {
      const auto p = each.probabilities->values();
      probabilities.insert(probabilities.end(), p.begin(), p.end());
      labels.insert(labels.end(), each.labels.begin(), each.labels.end());
      if (each.weights.empty()) weights.insert(weights.end(), each.labels.size(), 1.0f);
      else weights.insert(weights.end(), each.weights.begin(), each.weights.end());
    }
  }
};

/// "median_seconds = 0.94, gap_seconds = 0.1": what is not at its default.
std::string chosen_text(const PostProcessing& processing) {
  const Value::Dict chosen = to_config(processing), usual = to_config(PostProcessing{});
  std::string text;
  for (std::size_t i = 0; i < chosen.size(); ++i)
    if (chosen[i].second != usual[i].second)
      text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", chosen[i].first,
                          to_string(chosen[i].second));
  return text.empty() ? "no post-processing" : text;
}

}  // namespace

std::string tune_recipe(Recipe& recipe, std::span<const LabelledProbabilities> validation,
                        const Criterion& criterion) {
  const Steps steps(validation);
  const double before = calibration(steps.probabilities, steps.labels, steps.weights).log_loss;
  const double temperature = fit_temperature(steps.probabilities, steps.labels, steps.weights);
  std::vector<Array> calibrated;
  for (const LabelledProbabilities& each : validation) {
    calibrated.push_back(*each.probabilities);
    apply_temperature(calibrated.back().values(), calibrated.back().shape().last(), temperature);
  }
  std::vector<LabelledProbabilities> shown(validation.begin(), validation.end());
  for (std::size_t i = 0; i < shown.size(); ++i) shown[i].probabilities = &calibrated[i];
  const Steps after(shown);
  const double log_loss = calibration(after.probabilities, after.labels, after.weights).log_loss;
  const bool calibrates = log_loss < before;
  recipe.temperature = calibrates ? temperature : 1;

  const TunedProcessing tuned =
      tune_post_processing(calibrates ? std::span<const LabelledProbabilities>(shown) : validation,
                           {.criterion = criterion, .background = recipe.background});
  recipe.post_processing = tuned.processing;
  return fmt::format("temperature {:.3g} (log loss {:.4f} → {:.4f}); {} ({} {:.4f} → {:.4f})",
                     recipe.temperature, before, calibrates ? log_loss : before,
                     chosen_text(tuned.processing), criterion.text(), tuned.before, tuned.after);
}

std::string tune_recipe(Recipe& recipe, const Task& task, const Array& predictions,
                        const Data& validation, const Criterion& criterion) {
  const Index samples = validation.samples(), steps = validation.steps();
  const Index width = label_width(validation.y.shape(), steps);
  const bool classes = task.labels == Labels::binary || task.labels == Labels::classes ||
                       task.labels == Labels::one_hot;
  if (!classes || predictions.shape().rank() != 3 || predictions.shape()[1] != steps ||
      validation.y.size() != samples * steps * width)
    throw ArgumentError(
        "--post-process: needs labels that are classes, one for each step. Leave it out.");
  const Index outputs = predictions.shape()[2];
  std::vector<Array> probabilities;
  std::vector<std::vector<Index>> labels(static_cast<std::size_t>(samples));
  std::vector<std::vector<float>> weights(static_cast<std::size_t>(samples));
  const Index weights_each = validation.weights.size() / std::max<Index>(samples, 1);
  for (Index i = 0; i < samples; ++i) {
    probabilities.push_back(predictions.slice(i, i + 1).reshaped({steps, outputs}));
    for (Index t = 0; t < steps; ++t) {
      const float* label = validation.y.data() + (i * steps + t) * width;
      const Index k = class_of(task, label, width);
      float weight = weights_each > 0
                         ? validation.weights.data()[i * weights_each + t * weights_each / steps]
                         : 1.0f;
      // A label that is no class is one that nobody gave.
      if (k < 0 || k >= std::max<Index>(outputs, 2)) weight = 0;
      labels[static_cast<std::size_t>(i)].push_back(weight == 0 ? 0 : k);
      weights[static_cast<std::size_t>(i)].push_back(weight);
    }
  }
  std::vector<LabelledProbabilities> all;
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    all.push_back(
        {&probabilities[i], labels[i], weights[i], recipe.frequency > 0 ? recipe.frequency : 1});
  return tune_recipe(recipe, all, criterion);
}

}  // namespace sonde::cli
