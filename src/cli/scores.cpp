#include "cli/scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sonde/error.hpp>

namespace sonde::cli {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

/// The share of (positive, negative) pairs in which the positive one scores higher, ties half:
/// exact, from ranks. Sorts `scores`.
double area_under_roc(std::vector<std::pair<float, bool>>& scores) {
  std::sort(scores.begin(), scores.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  double positives = 0, wins = 0, negatives = 0;
  for (std::size_t i = 0; i < scores.size();) {
    double tied_positives = 0, tied_negatives = 0;
    const float score = scores[i].first;
    for (; i < scores.size() && scores[i].first == score; ++i)
      (scores[i].second ? tied_positives : tied_negatives) += 1;
    wins += tied_positives * (negatives + tied_negatives / 2);
    positives += tied_positives;
    negatives += tied_negatives;
  }
  return positives > 0 && negatives > 0 ? wins / (positives * negatives) : none;
}

/// A label that counts, beside what was predicted for it.
struct Pair {
  const float* label;
  const float* prediction;
};

std::vector<Pair> pairs_of(const Array& predictions, const Array& y, const Array& weights,
                           Index width, Index& outputs) {
  const Index labels = y.size() / width;
  if (labels == 0 || predictions.size() % labels != 0)
    throw DataError(fmt::format("predictions {} do not fit the labels {}.",
                                to_string(predictions.shape()), to_string(y.shape())));
  outputs = predictions.size() / labels;
  const Index each = weights.size() > 0 ? std::max<Index>(labels / weights.size(), 1) : 1;
  std::vector<Pair> pairs;
  for (Index i = 0; i < labels; ++i)
    if (weights.size() == 0 || weights.data()[std::min(i / each, weights.size() - 1)] > 0)
      pairs.push_back({y.data() + i * width, predictions.data() + i * outputs});
  return pairs;
}

ClassScores class_scores(double true_positives, double labelled, double predicted, double count) {
  ClassScores scores;
  scores.share = ratio(labelled, count);
  scores.precision = ratio(true_positives, predicted);
  scores.recall = ratio(true_positives, labelled);
  scores.f1 = ratio(2 * true_positives, labelled + predicted);
  return scores;
}

/// The mean of those that are numbers.
double mean(const std::vector<double>& values) {
  double sum = 0, count = 0;
  for (const double v : values)
    if (!std::isnan(v)) sum += v, ++count;
  return count > 0 ? sum / count : none;
}

void score_classes(const Task& task, const std::vector<Pair>& pairs, Index width, Index outputs,
                   Scores& scores) {
  const Index classes = std::max(static_cast<Index>(task.counts.size()), outputs);
  scores.confusion.assign(at(classes), std::vector<Index>(at(classes)));
  const auto predicted = [&](const Pair& pair) {
    if (outputs == 1) return static_cast<Index>(*pair.prediction > 0.5f);
    return std::max_element(pair.prediction, pair.prediction + outputs) - pair.prediction;
  };
  for (const Pair& pair : pairs)
    ++scores.confusion[at(std::clamp<Index>(class_of(task, pair.label, width), 0, classes - 1))]
                      [at(predicted(pair))];

  double right = 0;
  std::vector<double> recalls, f1s, aucs;
  for (Index k = 0; k < classes; ++k) {
    const auto hits = static_cast<double>(scores.confusion[at(k)][at(k)]);
    double labelled = 0, guessed = 0;
    for (Index j = 0; j < classes; ++j) {
      labelled += static_cast<double>(scores.confusion[at(k)][at(j)]);
      guessed += static_cast<double>(scores.confusion[at(j)][at(k)]);
    }
    right += hits;
    ClassScores each = class_scores(hits, labelled, guessed, static_cast<double>(pairs.size()));
    std::vector<std::pair<float, bool>> ranked;
    for (const Pair& pair : pairs) {
      const float p = outputs == 1 ? (k == 1 ? *pair.prediction : 1 - *pair.prediction)
                                   : pair.prediction[k];
      ranked.emplace_back(p, class_of(task, pair.label, width) == k);
    }
    each.auc = area_under_roc(ranked);
    recalls.push_back(labelled > 0 ? each.recall : none);
    f1s.push_back(labelled + guessed > 0 ? each.f1 : none);
    aucs.push_back(each.auc);
    scores.prevalence = std::max(scores.prevalence, each.share);
    scores.classes.push_back(each);
  }
  scores.accuracy = ratio(right, static_cast<double>(pairs.size()));
  scores.balanced_accuracy = mean(recalls);
  scores.f1 = classes == 2 ? scores.classes[1].f1 : mean(f1s);
  scores.auc = classes == 2 ? scores.classes[1].auc : mean(aucs);
}

/// Labels side by side: each judged by itself.
void score_several(const std::vector<Pair>& pairs, Index width, Scores& scores) {
  double right = 0;
  std::vector<double> balanced, f1s, aucs;
  for (Index k = 0; k < width; ++k) {
    double hits = 0, labelled = 0, guessed = 0, rejected = 0;
    std::vector<std::pair<float, bool>> ranked;
    for (const Pair& pair : pairs) {
      const bool is = pair.label[k] > 0.5f, says = pair.prediction[k] > 0.5f;
      hits += is && says;
      rejected += !is && !says;
      labelled += is;
      guessed += says;
      ranked.emplace_back(pair.prediction[k], is);
    }
    const auto count = static_cast<double>(pairs.size());
    ClassScores each = class_scores(hits, labelled, guessed, count);
    each.auc = area_under_roc(ranked);
    right += hits + rejected;
    scores.prevalence += std::max(each.share, 1 - each.share) / static_cast<double>(width);
    balanced.push_back((each.recall + ratio(rejected, count - labelled)) / 2);
    f1s.push_back(each.f1);
    aucs.push_back(each.auc);
    scores.classes.push_back(each);
  }
  scores.accuracy = ratio(right, static_cast<double>(pairs.size()) * static_cast<double>(width));
  scores.balanced_accuracy = mean(balanced);
  scores.f1 = mean(f1s);
  scores.auc = mean(aucs);
}

void score_values(const std::vector<Pair>& pairs, Index width, Scores& scores) {
  double absolute = 0, squares = 0, sum = 0, count = 0, spread = 0;
  const auto for_each = [&](auto f) {
    for (const Pair& pair : pairs)
      for (Index k = 0; k < width; ++k)
        f(static_cast<double>(pair.label[k]), static_cast<double>(pair.prediction[k]));
  };
  for_each([&](double label, double prediction) {
    absolute += std::abs(label - prediction);
    squares += (label - prediction) * (label - prediction);
    sum += label;
    ++count;
  });
  const double middle = ratio(sum, count);
  for_each([&](double label, double) { spread += (label - middle) * (label - middle); });
  scores.mae = ratio(absolute, count);
  scores.rmse = std::sqrt(ratio(squares, count));
  scores.r2 = spread > 0 ? 1 - squares / spread : none;
}

}  // namespace

Scores score(const Task& task, const Array& predictions, const Array& y, const Array& weights,
             Index steps) {
  const Index width = label_width(y.shape(), steps);
  Index outputs = 1;
  const std::vector<Pair> pairs = pairs_of(predictions, y, weights, width, outputs);
  Scores scores;
  scores.labels = task.labels;
  scores.count = static_cast<Index>(pairs.size());
  if (task.labels == Labels::values || task.labels == Labels::several) {
    if (outputs != width)
      throw DataError(fmt::format("the model gives {} numbers for a label, the labels have {}.",
                                  outputs, width));
    if (task.labels == Labels::values) score_values(pairs, width, scores);
    else score_several(pairs, width, scores);
  } else {
    score_classes(task, pairs, width, outputs, scores);
  }
  return scores;
}

nlohmann::ordered_json to_json(const Scores& s) {
  nlohmann::ordered_json json = {{"labels", enum_names(s.labels)[static_cast<std::size_t>(s.labels)]},
                                 {"count", s.count}};
  if (s.labels == Labels::values) {
    json["mean_absolute_error"] = s.mae;
    json["root_mean_squared_error"] = s.rmse;
    json["r2"] = s.r2;
    return json;
  }
  json["accuracy"] = s.accuracy;
  json["prevalence"] = s.prevalence;
  json["balanced_accuracy"] = s.balanced_accuracy;
  json["f1"] = s.f1;
  json["auc"] = s.auc;
  json["classes"] = nlohmann::ordered_json::array();
  for (const ClassScores& each : s.classes)
    json["classes"].push_back({{"share", each.share},
                               {"precision", each.precision},
                               {"recall", each.recall},
                               {"f1", each.f1},
                               {"auc", each.auc}});
  if (!s.confusion.empty()) json["confusion"] = s.confusion;
  return json;
}

std::string to_text(const Scores& s) {
  if (s.labels == Labels::values)
    return fmt::format(
        "labels                 {}\nmean absolute error    {:.6g}\nroot mean square error {:.6g}\n"
        "r2                     {:.4f}\n",
        s.count, s.mae, s.rmse, s.r2);
  std::string text = fmt::format(
      "labels             {}\naccuracy           {:.4f}   (always the most frequent: {:.4f})\n"
      "balanced accuracy  {:.4f}\nF1                 {:.4f}\nAUC                {:.4f}\n\n",
      s.count, s.accuracy, s.prevalence, s.balanced_accuracy, s.f1, s.auc);
  text += "class     share  precision  recall      F1     AUC\n";
  for (std::size_t k = 0; k < s.classes.size(); ++k) {
    const ClassScores& each = s.classes[k];
    text += fmt::format("{:<8}{:>7.4f}{:>11.4f}{:>8.4f}{:>8.4f}{:>8.4f}\n", k, each.share,
                        each.precision, each.recall, each.f1, each.auc);
  }
  // A matrix wider than a terminal says nothing; --json has it whole.
  constexpr std::size_t widest = 12;
  if (s.confusion.empty() || s.confusion.size() > widest) return text;
  text += "\nlabel \\ predicted";
  for (std::size_t k = 0; k < s.confusion.size(); ++k) text += fmt::format("{:>10}", k);
  for (std::size_t k = 0; k < s.confusion.size(); ++k) {
    text += fmt::format("\n{:<17}", k);
    for (const Index count : s.confusion[k]) text += fmt::format("{:>10}", count);
  }
  return text + "\n";
}

}  // namespace sonde::cli
