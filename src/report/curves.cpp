#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sonde/error.hpp>
#include <sonde/report.hpp>

namespace sonde {
namespace {

using Ranked = std::vector<std::pair<float, bool>>;  ///< (probability, has the class)

/// Draws near enough to be one point in the picture.
bool near(const CurvePoint& a, const CurvePoint& b, double apart) {
  return std::abs(a.recall - b.recall) < apart &&
         std::abs(a.false_positive_rate - b.false_positive_rate) < apart &&
         std::abs(a.precision - b.precision) < apart;
}

ClassCurve curve_of(Ranked ranked, Index points) {
  std::sort(ranked.begin(), ranked.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  ClassCurve curve;
  for (const auto& each : ranked) ++(each.second ? curve.positives : curve.negatives);
  const auto positives = static_cast<double>(curve.positives);
  const auto negatives = static_cast<double>(curve.negatives);
  const double none = std::numeric_limits<double>::quiet_NaN();
  const double apart = 1 / static_cast<double>(points);

  CurvePoint last{std::numeric_limits<double>::infinity(), 0, 0, 1};
  curve.points.push_back(last);
  double found = 0, wrong = 0;
  for (std::size_t i = 0; i < ranked.size();) {
    const float threshold = ranked[i].first;
    const double found_before = found, wrong_before = wrong;
    for (; i < ranked.size() && ranked[i].first == threshold; ++i)
      (ranked[i].second ? found : wrong) += 1;
    curve.auc += (wrong - wrong_before) * (found + found_before) / 2;
    curve.average_precision += (found - found_before) * found / (found + wrong);
    const CurvePoint here{static_cast<double>(threshold), positives > 0 ? found / positives : 0,
                          negatives > 0 ? wrong / negatives : 0, found / (found + wrong)};
    // The corner before a jump is kept: the line between kept points must not cut it off.
    if (!near(here, curve.points.back(), apart) || i == ranked.size()) {
      if (!near(here, last, apart) && last != curve.points.back()) curve.points.push_back(last);
      curve.points.push_back(here);
    }
    last = here;
  }
  curve.auc = positives > 0 && negatives > 0 ? curve.auc / positives / negatives : none;
  curve.average_precision = positives > 0 ? curve.average_precision / positives : none;
  return curve;
}

}  // namespace

std::vector<ClassCurve> class_curves(std::span<const float> probabilities,
                                     std::span<const float> labels, std::span<const float> weights,
                                     Index classes, Index points) {
  if (classes < 2 || points < 1)
    throw ArgumentError(fmt::format(
        "class_curves: needs 2 classes and 1 point at least, got {} and {}.", classes, points));
  const std::size_t width = labels.empty() ? 1 : probabilities.size() / labels.size();
  if (probabilities.size() != labels.size() * width ||
      (static_cast<Index>(width) != classes && !(width == 1 && (classes == 2 || labels.empty()))))
    throw DataError(
        fmt::format("class_curves: {} probabilities for {} labels of {} classes. Give one number "
                    "for each class and step.",
                    probabilities.size(), labels.size(), classes));
  if (!weights.empty() && weights.size() != labels.size())
    throw DataError(
        fmt::format("class_curves: {} weights for {} labels.", weights.size(), labels.size()));
  std::vector<ClassCurve> curves;
  for (Index k = 0; k < classes; ++k) {
    Ranked ranked;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (!weights.empty() && weights[i] == 0) continue;
      const auto label = static_cast<Index>(labels[i]);
      if (label < 0 || label >= classes || static_cast<float>(label) != labels[i])
        throw DataError(
            fmt::format("class_curves: label {} of step {} is no class number below {}.", labels[i],
                        i, classes));
      const float p = width > 1 ? probabilities[i * width + static_cast<std::size_t>(k)]
                                : (k == 1 ? probabilities[i] : 1 - probabilities[i]);
      if (std::isnan(p))
        throw DataError(fmt::format("class_curves: the probability of step {} is NaN.", i));
      ranked.emplace_back(p, label == k);
    }
    curves.push_back(curve_of(std::move(ranked), points));
  }
  return curves;
}

}  // namespace sonde
