#include "training/area.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

// Keras: metrics/confusion_metrics.py (AUC) and metrics/metrics_utils.py.
namespace sonde {
namespace {

double ratio(double a, double b) { return b == 0 ? 0 : a / b; }

/// Davis & Goadrich (2006), section 4: between two thresholds precision is not linear in recall;
/// true positives and predicted positives are.
double interpolated_pr(const std::vector<double>& tp, const std::vector<double>& fp) {
  double area = 0;
  for (std::size_t i = 0; i + 1 < tp.size(); ++i) {
    const double from = tp[i] + fp[i], to = tp[i + 1] + fp[i + 1];
    const double gained = tp[i] - tp[i + 1];
    const double slope = ratio(gained, std::max(from - to, 0.0));
    const double intercept = tp[i + 1] - slope * to;
    const double safe_ratio = from > 0 && to > 0 ? from / to : 1.0;
    area += ratio(slope * (gained + intercept * std::log(safe_ratio)), tp[0]);
  }
  return area;
}

}  // namespace

Index area_bucket(const AUC& metric, float p) noexcept {
  if (!(p > 0)) return 0;
  // In float, as Keras does: a probability equal to a threshold belongs below it.
  const float place =
      std::ceil(std::min(p, 1.0f) * static_cast<float>(metric.num_thresholds - 1)) - 1;
  return std::max<Index>(static_cast<Index>(place), 0);
}

double area_under_curve(const AUC& metric, const double* positive, const double* negative) {
  // Those above threshold i; the first threshold is below 0, so that tp[0] and fp[0] are all.
  const auto n = static_cast<std::size_t>(metric.num_thresholds);
  std::vector<double> tp(positive, positive + n), fp(negative, negative + n);
  for (std::size_t i = n - 1; i-- > 0;) {
    tp[i] += tp[i + 1];
    fp[i] += fp[i + 1];
  }
  if (metric.curve == Curve::PR && metric.summation_method == SummationMethod::interpolation)
    return interpolated_pr(tp, fp);

  const auto x = [&](std::size_t i) {
    return metric.curve == Curve::ROC ? ratio(fp[i], fp[0]) : ratio(tp[i], tp[0]);
  };
  const auto y = [&](std::size_t i) {
    return metric.curve == Curve::ROC ? ratio(tp[i], tp[0]) : ratio(tp[i], tp[i] + fp[i]);
  };
  double area = 0;
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const double a = y(i), b = y(i + 1);
    const double height = metric.summation_method == SummationMethod::minoring   ? std::min(a, b)
                          : metric.summation_method == SummationMethod::majoring ? std::max(a, b)
                                                                                 : (a + b) / 2;
    area += (x(i) - x(i + 1)) * height;
  }
  return area;
}

}  // namespace sonde
