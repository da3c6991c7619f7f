#include "training/metric.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "training/area.hpp"

namespace sonde {
namespace {

template <class S, class... T>
constexpr bool one_of = (std::is_same_v<S, T> || ...);
/// A weighted mean over vectors: the state is (sum of weight * value, sum of weights).
template <class S>
constexpr bool is_mean = one_of<S, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy,
                                metrics::MeanSquaredError, metrics::MeanAbsoluteError>;
template <class S>
constexpr bool counts_pairs = one_of<S, BalancedAccuracy, ConfusionMatrix>;

double ratio(double a, double b) { return b == 0 ? 0 : a / b; }

/// One vector of the output, and its target.
struct Row {
  const float* p;
  const float* target;
  Index width;
  Index target_width;

  bool sparse() const { return target_width != width; }
  /// The target of unit k: the number given, or whether it is the class given.
  float label(Index k) const {
    if (!sparse()) return target[k];
    return static_cast<float>(static_cast<float>(k) == *target);
  }
  /// False for class numbers outside the output, as an ignored class may have.
  bool counts() const { return !sparse() || (*target >= 0 && *target < static_cast<float>(width)); }
  Index largest_output() const { return std::max_element(p, p + width) - p; }
  Index labelled_class() const {
    if (width == 1) return *target != 0;
    return sparse() ? static_cast<Index>(*target)
                    : std::max_element(target, target + width) - target;
  }
};

template <class S>
double mean_over_units(const Row& row, const S& value) {
  double sum = 0;
  for (Index k = 0; k < row.width; ++k) sum += value(row.p[k], row.label(k));
  return sum / static_cast<double>(row.width);
}

double value_of(const BinaryAccuracy& m, const Row& row) {
  const float threshold = static_cast<float>(m.threshold);
  return mean_over_units(row,
                         [&](float p, float y) { return static_cast<float>(p > threshold) == y; });
}
double value_of(const CategoricalAccuracy&, const Row& row) {
  return row.largest_output() == row.labelled_class();
}
double value_of(const SparseCategoricalAccuracy&, const Row& row) {
  return static_cast<float>(row.largest_output()) == *row.target;
}
double value_of(const metrics::MeanSquaredError&, const Row& row) {
  return mean_over_units(row,
                         [](float p, float y) { return static_cast<double>((p - y) * (p - y)); });
}
double value_of(const metrics::MeanAbsoluteError&, const Row& row) {
  return mean_over_units(row,
                         [](float p, float y) { return static_cast<double>(std::abs(p - y)); });
}

template <class S>
void add(const S& m, const Row& row, double weight, double* state) {
  if constexpr (is_mean<S>) {
    state[0] += weight * value_of(m, row);
    state[1] += weight;
  } else if constexpr (one_of<S, Precision, Recall>) {
    // (true positives, false positives) or (true positives, false negatives)
    const float threshold = static_cast<float>(m.thresholds.value_or(0.5));
    for (Index k = m.class_id.value_or(0); k < (m.class_id ? *m.class_id + 1 : row.width); ++k) {
      const bool predicted = row.p[k] > threshold, labelled = row.label(k) != 0;
      if (predicted && labelled) state[0] += weight;
      if (predicted != labelled && predicted == std::is_same_v<S, Precision>) state[1] += weight;
    }
  } else if constexpr (std::is_same_v<S, F1Score>) {
    // For each class: true positives, false positives, false negatives, labels.
    const float largest = m.threshold ? 0 : *std::max_element(row.p, row.p + row.width);
    for (Index k = 0; k < row.width; ++k, state += 4) {
      const float p = row.p[k];
      const double predicted =
          m.threshold ? p > static_cast<float>(*m.threshold) : p >= largest && std::abs(p) > 1e-9f;
      const double labelled = static_cast<double>(row.label(k));
      state[0] += weight * predicted * labelled;
      state[1] += weight * predicted * (1 - labelled);
      state[2] += weight * (1 - predicted) * labelled;
      state[3] += weight * labelled;
    }
  } else if constexpr (std::is_same_v<S, AUC>) {
    for (Index k = 0; k < row.width; ++k)
      state[area_bucket(m, row.p[k]) + (row.label(k) != 0 ? 0 : m.num_thresholds)] += weight;
  } else {
    static_assert(counts_pairs<S>);
    const Index predicted =
        row.width == 1 ? row.p[0] > static_cast<float>(m.threshold) : row.largest_output();
    state[row.labelled_class() * class_count(row.width) + predicted] += weight;
  }
}

/// F1 with Keras' small terms (f_score_metrics.py): they make 0 of 0 / 0.
double f1(const double* sums) {
  constexpr double small = 1e-7;
  const double precision = sums[0] / (sums[0] + sums[1] + small);
  const double recall = sums[0] / (sums[0] + sums[2] + small);
  return 2 * precision * recall / (precision + recall + small);
}

std::vector<double> f1_values(const F1Score& m, Index width, const double* state) {
  std::vector<double> scores, labels;
  double all[4] = {};
  for (Index k = 0; k < width; ++k) {
    scores.push_back(f1(state + 4 * k));
    labels.push_back(state[4 * k + 3]);
    for (int i = 0; i < 4; ++i) all[i] += state[4 * k + i];
  }
  if (!m.average) return scores;
  if (*m.average == metrics::Average::micro) return {f1(all)};
  if (*m.average == metrics::Average::macro)
    return {std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(width)};
  return {std::inner_product(scores.begin(), scores.end(), labels.begin(), 0.0) / (all[3] + 1e-7)};
}

double accuracy(Index classes, const double* confusion) {
  double right = 0, all = 0;
  for (Index i = 0; i < classes * classes; ++i) {
    all += confusion[i];
    if (i % (classes + 1) == 0) right += confusion[i];
  }
  return ratio(right, all);
}

double balanced_accuracy(Index classes, const double* confusion) {
  double sum = 0, present = 0;
  for (const ClassScore& score : class_scores(classes, confusion)) {
    if (score.support == 0) continue;
    sum += score.recall;
    present += 1;
  }
  return ratio(sum, present);
}

}  // namespace

const std::string& metric_name(const Metric& metric) {
  return std::visit([](const auto& spec) -> const std::string& { return spec.name; }, metric);
}

bool larger_is_better(const Metric& metric) {
  return !std::holds_alternative<metrics::MeanSquaredError>(metric) &&
         !std::holds_alternative<metrics::MeanAbsoluteError>(metric);
}

Index metric_state_size(const Metric& metric, Index width) {
  return std::visit(
      [&](const auto& spec) -> Index {
        using S = std::decay_t<decltype(spec)>;
        if constexpr (std::is_same_v<S, F1Score>) return 4 * width;
        else if constexpr (std::is_same_v<S, AUC>) return 2 * spec.num_thresholds;
        else if constexpr (counts_pairs<S>) return class_count(width) * class_count(width);
        else return 2;
      },
      metric);
}

void metric_update(const Metric& metric, Index count, Index width, const float* p,
                   const float* target, Index target_width, const float* weights,
                   double* state) noexcept {
  std::visit(
      [&](const auto& spec) {
        for (Index i = 0; i < count; ++i) {
          const double weight = weights == nullptr ? 1 : static_cast<double>(weights[i]);
          const Row row{p + i * width, target + i * target_width, width, target_width};
          if (weight != 0 && row.counts()) add(spec, row, weight, state);
        }
      },
      metric);
}

std::vector<double> metric_values(const Metric& metric, Index width, const double* state) {
  const Index classes = class_count(width);
  return std::visit(
      [&](const auto& spec) -> std::vector<double> {
        using S = std::decay_t<decltype(spec)>;
        if constexpr (std::is_same_v<S, F1Score>) return f1_values(spec, width, state);
        else if constexpr (std::is_same_v<S, AUC>)
          return {area_under_curve(spec, state, state + spec.num_thresholds)};
        else if constexpr (std::is_same_v<S, ConfusionMatrix>)
          return std::vector<double>(state, state + classes * classes);
        else if constexpr (std::is_same_v<S, BalancedAccuracy>)
          return {balanced_accuracy(classes, state)};
        else if constexpr (is_mean<S>) return {ratio(state[0], state[1])};
        else return {ratio(state[0], state[0] + state[1])};
      },
      metric);
}

double metric_result(const Metric& metric, Index width, const double* state) {
  if (std::holds_alternative<ConfusionMatrix>(metric)) return accuracy(class_count(width), state);
  const std::vector<double> values = metric_values(metric, width, state);
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<ClassScore> class_scores(Index classes, const double* confusion) {
  std::vector<ClassScore> scores;
  for (Index k = 0; k < classes; ++k) {
    double labelled = 0, predicted = 0;
    for (Index j = 0; j < classes; ++j) {
      labelled += confusion[k * classes + j];
      predicted += confusion[j * classes + k];
    }
    const double right = confusion[k * classes + k];
    scores.push_back({ratio(right, predicted), ratio(right, labelled),
                      ratio(2 * right, labelled + predicted), labelled});
  }
  return scores;
}

}  // namespace sonde
