#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sonde/error.hpp>
#include <sonde/scores.hpp>

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

/// The share of (positive, negative) pairs in which the positive one scores higher, ties half.
double area_under_roc(std::vector<std::pair<float, bool>> scores) {
  std::sort(scores.begin(), scores.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  double positives = 0, negatives = 0, wins = 0;
  for (std::size_t i = 0; i < scores.size();) {
    double tied_positives = 0, tied_negatives = 0;
    const float score = scores[i].first;
    for (; i < scores.size() && scores[i].first == score; ++i)
      (scores[i].second ? tied_positives : tied_negatives) += 1;
    wins += tied_positives * (negatives + tied_negatives / 2);
    positives += tied_positives;
    negatives += tied_negatives;
  }
  if (positives == 0 || negatives == 0) return std::numeric_limits<double>::quiet_NaN();
  return wins / (positives * negatives);
}

}  // namespace

StepJudge::StepJudge(Index classes)
    : classes_(classes),
      confusion_(at(classes), std::vector<Index>(at(classes))),
      ranked_(at(classes)) {
  if (classes < 2)
    throw ArgumentError(fmt::format("StepJudge: classes must be at least 2, got {}.", classes));
}

std::vector<Index> most_likely(std::span<const float> predictions, Index classes) {
  std::vector<Index> found;
  found.reserve(predictions.size() / at(classes));
  for (std::size_t i = 0; i < predictions.size(); i += at(classes)) {
    const float* p = predictions.data() + i;
    found.push_back(classes == 1 ? (*p > 0.5f) : std::max_element(p, p + classes) - p);
  }
  return found;
}

void StepJudge::add(std::span<const float> predictions, std::span<const float> labels,
                    std::span<const float> weights) {
  const Index width = labels.empty() ? 0 : static_cast<Index>(predictions.size() / labels.size());
  if (predictions.size() != labels.size() * at(width) ||
      (width != classes_ && !(width == 1 && classes_ == 2)))
    throw DataError(
        fmt::format("StepJudge: {} predictions for {} labels of {} classes. Give one number for "
                    "each class and step.",
                    predictions.size(), labels.size(), classes_));
  if (!weights.empty() && weights.size() != labels.size())
    throw DataError(
        fmt::format("StepJudge: {} weights for {} labels.", weights.size(), labels.size()));
  const std::vector<Index> guesses = most_likely(predictions, width);
  for (auto& ranked : ranked_)
    if (ranked.empty()) ranked.reserve(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!weights.empty() && weights[i] == 0) continue;
    const auto label = static_cast<Index>(labels[i]);
    if (label < 0 || label >= classes_ || static_cast<float>(label) != labels[i])
      throw DataError(fmt::format("StepJudge: label {} of step {} is no class number below {}.",
                                  labels[i], i, classes_));
    ++confusion_[at(label)][at(guesses[i])];
    for (Index k = 0; k < classes_; ++k) {
      const float p = width == 1 ? (k == 1 ? predictions[i] : 1 - predictions[i])
                                 : predictions[i * at(width) + at(k)];
      ranked_[at(k)].emplace_back(p, label == k);
    }
  }
}

StepScores StepJudge::scores() const {
  StepScores s = step_scores(confusion_);
  double aucs = 0, ranked = 0;
  for (Index k = 0; k < classes_; ++k) {
    const double auc = s.classes[at(k)].auc = area_under_roc(ranked_[at(k)]);
    if (!std::isnan(auc)) aucs += auc, ++ranked;
  }
  s.macro_auc = ranked > 0 ? aucs / ranked : std::numeric_limits<double>::quiet_NaN();
  return s;
}

StepScores step_scores(const std::vector<std::vector<Index>>& confusion) {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  const auto classes = static_cast<Index>(confusion.size());
  StepScores s;
  s.macro_auc = unknown;
  s.confusion = confusion;
  for (const auto& row : confusion)
    for (const Index n : row) s.steps += n;
  const auto steps = static_cast<double>(s.steps);
  double right = 0, recalls = 0, f1s = 0, occurring = 0, met = 0;
  for (Index k = 0; k < classes; ++k) {
    double labelled = 0, guessed = 0;
    for (Index j = 0; j < classes; ++j) {
      labelled += static_cast<double>(confusion[at(k)][at(j)]);
      guessed += static_cast<double>(confusion[at(j)][at(k)]);
    }
    const auto hits = static_cast<double>(confusion[at(k)][at(k)]);
    StepClass each{.share = ratio(labelled, steps),
                   .precision = ratio(hits, guessed),
                   .recall = ratio(hits, labelled),
                   .f1 = ratio(2 * hits, labelled + guessed),
                   .auc = unknown};
    right += hits;
    if (labelled > 0) recalls += each.recall, ++occurring;
    if (labelled + guessed > 0) f1s += each.f1, ++met;
    s.prevalence = std::max(s.prevalence, each.share);
    s.classes.push_back(each);
  }
  s.accuracy = ratio(right, steps);
  s.balanced_accuracy = ratio(recalls, occurring);
  s.macro_f1 = ratio(f1s, met);
  return s;
}

std::string confusion_table(const StepScores& scores, const std::vector<std::string>& names) {
  std::string text = fmt::format("{:>14}", "label \\ found");
  for (const std::string& name : names) text += fmt::format("{:>10}", name);
  text += fmt::format("{:>10}\n", "recall");
  for (std::size_t k = 0; k < scores.confusion.size(); ++k) {
    text += fmt::format("{:>14}", names[k]);
    for (const Index n : scores.confusion[k]) text += fmt::format("{:>10}", n);
    text += fmt::format("{:>10.3f}\n", scores.classes[k].recall);
  }
  return text;
}

}  // namespace sonde
