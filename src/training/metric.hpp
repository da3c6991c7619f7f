#pragma once
#include <sonde/losses.hpp>
#include <sonde/metrics.hpp>
#include <string>
#include <vector>

namespace sonde {

/// The metric that a choice means for an output of this shape (without the batch) under a loss.
/// "accuracy" is binary under a binary cross-entropy or over one unit, sparse where the loss takes
/// class numbers, else categorical. Throws ArgumentError for unknown names, for arguments that are
/// not supported, and where the metric cannot be computed from such targets.
Metric resolve_metric(const MetricChoice& choice, const Loss& loss, const Shape& output);

const std::string& metric_name(const Metric& metric);
/// False for errors, true for what grows as a model gets better.
bool larger_is_better(const Metric& metric);

/// A metric's state are sums: zeros at first, and states of parts of the data add up.
Index metric_state_size(const Metric& metric, Index width);

/// Adds `count` vectors to the state. p (count, width): the model's output, probabilities where it
/// has a sigmoid or softmax; target (count, target_width): as the loss takes it; weights (count),
/// or null: all 1. Where weights are 0, p and target may be anything.
void metric_update(const Metric& metric, Index count, Index width, const float* p,
                   const float* target, Index target_width, const float* weights,
                   double* state) noexcept;

/// One number: of an F1Score without average, the mean over classes; of a confusion matrix, the
/// accuracy. 0 of an empty state.
double metric_result(const Metric& metric, Index width, const double* state);
/// All numbers: of an F1Score without average one for each class, of a confusion matrix (classes,
/// classes), else the one.
std::vector<double> metric_values(const Metric& metric, Index width, const double* state);

/// Classes that an output of `width` units tells apart: two for one unit.
inline Index class_count(Index width) { return width == 1 ? 2 : width; }

struct ClassScore {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  double support = 0;  ///< weight of the class among the labels
};
/// The scores of each class from a confusion matrix (classes, classes), labels along the rows.
std::vector<ClassScore> class_scores(Index classes, const double* confusion);

}  // namespace sonde
