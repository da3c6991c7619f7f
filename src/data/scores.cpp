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

/// The class of one step: the largest of its predictions, or above 0.5 for one.
Index guess(const float* p, Index classes) {
  return classes == 1 ? (*p > 0.5f) : std::max_element(p, p + classes) - p;
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
  for (std::size_t i = 0; i < predictions.size(); i += at(classes))
    found.push_back(guess(predictions.data() + i, classes));
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
  const auto counts = [&](std::size_t i) { return weights.empty() || weights[i] != 0; };
  std::vector<std::size_t> found(at(classes_));
  std::size_t steps = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!counts(i)) continue;
    const auto label = static_cast<Index>(labels[i]);
    if (label < 0 || label >= classes_ || static_cast<float>(label) != labels[i])
      throw DataError(fmt::format("StepJudge: label {} of step {} is no class number below {}.",
                                  labels[i], i, classes_));
    ++found[at(label)], ++steps;
  }
  const Index first = width == 1 ? 1 : 0;  // class 0's ranking is class 1's the other way round
  for (Index k = first; k < classes_; ++k) {
    Ranked& ranked = ranked_[at(k)];
    if (ranked.with.empty()) ranked.with.reserve(found[at(k)]);
    if (ranked.without.empty()) ranked.without.reserve(steps - found[at(k)]);
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!counts(i)) continue;
    const auto label = static_cast<Index>(labels[i]);
    const float* p = predictions.data() + i * at(width);
    ++confusion_[at(label)][at(guess(p, width))];
    for (Index k = first; k < classes_; ++k)
      (label == k ? ranked_[at(k)].with : ranked_[at(k)].without).push_back(p[k - first]);
  }
}

double StepJudge::area_under_roc(Ranked ranked) {
  auto& [with, without] = ranked;
  const auto is_nan = [](float score) { return std::isnan(score); };
  if (std::any_of(with.begin(), with.end(), is_nan) ||
      std::any_of(without.begin(), without.end(), is_nan))
    return std::numeric_limits<double>::quiet_NaN();
  std::sort(with.begin(), with.end());
  std::sort(without.begin(), without.end());
  double wins = 0;
  std::size_t below = 0, up_to = 0;  // of `without`: lower scores, and those as well that tie
  for (const float score : with) {
    while (below < without.size() && without[below] < score) ++below;
    up_to = std::max(up_to, below);
    while (up_to < without.size() && without[up_to] == score) ++up_to;
    wins += static_cast<double>(below) + static_cast<double>(up_to - below) / 2;
  }
  if (with.empty() || without.empty()) return std::numeric_limits<double>::quiet_NaN();
  return wins / (static_cast<double>(with.size()) * static_cast<double>(without.size()));
}

StepScores StepJudge::scores() const {
  StepScores s = step_scores(confusion_);
  double aucs = 0, ranked = 0;
  for (Index k = 0; k < classes_; ++k) {
    const Ranked& own = ranked_[at(k)];
    const bool is_other = k == 0 && own.with.empty() && own.without.empty();  // of one output
    const double auc = s.classes[at(k)].auc = area_under_roc(is_other ? ranked_[1] : own);
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
