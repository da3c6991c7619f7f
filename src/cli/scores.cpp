#include "cli/scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sonde/error.hpp>

namespace sonde::cli {
namespace {

/// Labels beside what was predicted for them, and the weight of each label.
struct Pairs {
  Index count, width, outputs;
  std::vector<float> weights;
};

Pairs pairs_of(const Array& predictions, const Array& y, const Array& weights, Index width) {
  Pairs pairs{y.size() / width, width, 0, {}};
  if (pairs.count == 0 || predictions.size() % pairs.count != 0)
    throw DataError(fmt::format("predictions {} do not fit the labels {}.",
                                to_string(predictions.shape()), to_string(y.shape())));
  pairs.outputs = predictions.size() / pairs.count;
  // One weight for each label, or for each sample and all its labels.
  const Index each = !weights.empty() ? std::max<Index>(pairs.count / weights.size(), 1) : 0;
  for (Index i = 0; each > 0 && i < pairs.count; ++i)
    pairs.weights.push_back(weights.data()[std::min(i / each, weights.size() - 1)]);
  return pairs;
}

StepScores score_classes(const Task& task, const Array& predictions, const Array& y,
                         const Pairs& pairs) {
  StepJudge judge(std::max<Index>(pairs.outputs, 2));
  {
    std::vector<float> labels;  // many are gone again before scores are sorted
    labels.reserve(static_cast<std::size_t>(pairs.count));
    for (Index i = 0; i < pairs.count; ++i)
      labels.push_back(static_cast<float>(class_of(task, y.data() + i * pairs.width, pairs.width)));
    judge.add(predictions.values(), labels, pairs.weights);
  }
  return judge.scores();
}

/// Label `k` of several side by side, as two classes.
StepScores score_one(const Array& predictions, const Array& y, const Pairs& pairs, Index k) {
  std::vector<float> labels, guesses;
  for (Index i = 0; i < pairs.count; ++i) {
    labels.push_back(y.data()[i * pairs.width + k]);
    guesses.push_back(predictions.data()[i * pairs.width + k]);
  }
  StepJudge judge(2);
  judge.add(guesses, labels, pairs.weights);
  return judge.scores();
}

ValueScores score_values(const Array& predictions, const Array& y, const Pairs& pairs) {
  ValueScores scores;
  double absolute = 0, squares = 0, sum = 0, spread = 0;
  const auto for_each = [&](auto f) {
    for (Index i = 0; i < y.size(); ++i)
      if (pairs.weights.empty() || pairs.weights[static_cast<std::size_t>(i / pairs.width)] > 0)
        f(static_cast<double>(y.data()[i]), static_cast<double>(predictions.data()[i]));
  };
  for_each([&](double label, double prediction) {
    absolute += std::abs(label - prediction);
    squares += (label - prediction) * (label - prediction);
    sum += label;
    ++scores.count;
  });
  const auto count = static_cast<double>(std::max<Index>(scores.count, 1));
  for_each([&](double label, double) { spread += std::pow(label - sum / count, 2); });
  scores.mae = absolute / count;
  scores.rmse = std::sqrt(squares / count);
  scores.r2 = spread > 0 ? 1 - squares / spread : std::numeric_limits<double>::quiet_NaN();
  return scores;
}

// Of two classes, F1 and AUC are those of class 1.
double f1_of(const StepScores& s) { return s.classes.size() == 2 ? s.classes[1].f1 : s.macro_f1; }
double auc_of(const StepScores& s) {
  return s.classes.size() == 2 ? s.classes[1].auc : s.macro_auc;
}

nlohmann::ordered_json to_json(const StepScores& s) {
  nlohmann::ordered_json json = {{"count", s.steps},
                                 {"accuracy", s.accuracy},
                                 {"prevalence", s.prevalence},
                                 {"balanced_accuracy", s.balanced_accuracy},
                                 {"f1", f1_of(s)},
                                 {"auc", auc_of(s)}};
  json["classes"] = nlohmann::ordered_json::array();
  for (const StepClass& each : s.classes)
    json["classes"].push_back({{"share", each.share},
                               {"precision", each.precision},
                               {"recall", each.recall},
                               {"f1", each.f1},
                               {"auc", each.auc}});
  json["confusion"] = s.confusion;
  return json;
}

std::string to_text(const StepScores& s) {
  std::string text = fmt::format(
      "labels             {}\naccuracy           {:.4f}   (always the most frequent: {:.4f})\n"
      "balanced accuracy  {:.4f}\nF1                 {:.4f}\nAUC                {:.4f}\n\n",
      s.steps, s.accuracy, s.prevalence, s.balanced_accuracy, f1_of(s), auc_of(s));
  text += "class     share  precision  recall      F1     AUC\n";
  std::vector<std::string> names;
  for (std::size_t k = 0; k < s.classes.size(); ++k) {
    const StepClass& each = s.classes[k];
    text += fmt::format("{:<8}{:>7.4f}{:>11.4f}{:>8.4f}{:>8.4f}{:>8.4f}\n", k, each.share,
                        each.precision, each.recall, each.f1, each.auc);
    names.push_back(fmt::format("{}", k));
  }
  // A matrix wider than a terminal says nothing; --json has it whole.
  constexpr std::size_t widest = 12;
  return names.size() > widest ? text : text + "\n" + confusion_table(s, names);
}

}  // namespace

Array masked_weights(const Array& weights, const Array& mask) {
  if (mask.empty()) return weights;
  if (weights.empty()) return mask;
  Array both = weights.size() > mask.size() ? weights : mask;
  const Index per_weight = std::max<Index>(both.size() / weights.size(), 1),
              per_step = std::max<Index>(both.size() / mask.size(), 1);
  for (Index i = 0; i < both.size(); ++i)
    both.data()[i] = weights.data()[i / per_weight] * mask.data()[i / per_step];
  return both;
}

Scores score(const Task& task, const Array& predictions, const Array& y, const Array& weights,
             Index steps) {
  const Pairs pairs = pairs_of(predictions, y, weights, label_width(y.shape(), steps));
  const bool beside = task.labels == Labels::values || task.labels == Labels::several;
  if (beside && pairs.outputs != pairs.width)
    throw DataError(fmt::format("the model gives {} numbers for a label, the labels have {}.",
                                pairs.outputs, pairs.width));
  Scores scores;
  if (task.labels == Labels::values) scores.values = score_values(predictions, y, pairs);
  else if (!beside) scores.steps.push_back(score_classes(task, predictions, y, pairs));
  for (Index k = 0; task.labels == Labels::several && k < pairs.width; ++k)
    scores.steps.push_back(score_one(predictions, y, pairs, k));
  return scores;
}

nlohmann::ordered_json to_json(const Scores& scores) {
  if (scores.values)
    return {{"count", scores.values->count},
            {"mean_absolute_error", scores.values->mae},
            {"root_mean_squared_error", scores.values->rmse},
            {"r2", scores.values->r2}};
  if (scores.steps.size() == 1) return to_json(scores.steps[0]);
  auto each = nlohmann::ordered_json::array();
  for (const StepScores& label : scores.steps) each.push_back(to_json(label));
  return {{"labels", each}};
}

std::string to_text(const Scores& scores) {
  if (scores.values)
    return fmt::format(
        "labels                 {}\nmean absolute error    {:.6g}\nroot mean square error {:.6g}\n"
        "r2                     {:.4f}\n",
        scores.values->count, scores.values->mae, scores.values->rmse, scores.values->r2);
  std::string text;
  for (std::size_t k = 0; k < scores.steps.size(); ++k) {
    if (scores.steps.size() > 1) text += fmt::format("{}--- label {}\n", k > 0 ? "\n" : "", k);
    text += to_text(scores.steps[k]);
  }
  return text;
}

}  // namespace sonde::cli
