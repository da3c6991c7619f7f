#pragma once
#include <sonde/metrics.hpp>

namespace sonde {

/// The number of the bucket between thresholds that probability `p` falls into.
Index area_bucket(const AUC& metric, float p) noexcept;

/// The area under the curve, from the weights of positive and negative labels in each of the
/// metric's `num_thresholds` buckets.
double area_under_curve(const AUC& metric, const double* positive, const double* negative);

}  // namespace sonde
