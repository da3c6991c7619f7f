#include "training/class_loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/kernels.hpp"

namespace sonde {
namespace {

/// Numbers worked on at a time: as many whole vectors as fit, or a piece of a wider one.
constexpr Index block = 512;

/// The logarithm of one number, with the cache line that kernels may read.
template <class T>
T log_of(T number) {
  T line[64 / sizeof(T)] = {number};
  kernels::log(1, line, line);
  return line[0];
}

/// Of one vector, all the gradient needs: dy[k] = factor * (share * p[k] - label[k]).
template <class T>
struct Row {
  const ClassLabels<T>& labels;
  const T* target;
  Index width;
  Index number = -1;  ///< of the class, where labels are sparse
  bool counts = true;

  Row(const ClassLabels<T>& how, const LossBatch<T>& b, Index row)
      : labels(how), target(b.target + row * b.target_width), width(b.width) {
    if (b.weights != nullptr && b.weights[row] == 0) counts = false;
    if (!labels.sparse || !counts) return;
    if (labels.ignored && *target == static_cast<T>(*labels.ignored)) counts = false;
    // Labels were checked before training; a wrong one here must still not be followed.
    else if (*target >= 0 && *target < static_cast<T>(width)) number = static_cast<Index>(*target);
  }

  bool wrong() const { return labels.sparse && counts && number < 0; }
  T label(Index k) const {
    if (labels.sparse) return static_cast<T>(k == number);
    if (labels.smoothing == 0) return target[k];
    return target[k] * (1 - labels.smoothing) + labels.smoothing / static_cast<T>(width);
  }
  /// The sum of all labels: 1 for a distribution.
  T share() const {
    if (labels.sparse) return 1;
    T sum = 0;
    for (Index k = 0; k < width; ++k) sum += label(k);
    return sum;
  }
};

template <class T>
T weight_of(const LossBatch<T>& b, Index row) {
  return b.weights == nullptr ? T(1) : b.weights[row];
}

/// Sum of labels * (log sum exp z - z), given the largest z and the sum of exp(z - largest).
template <class T>
double logit_value(const Row<T>& row, const T* z, T largest, T log_sum) {
  if (row.wrong()) return std::numeric_limits<double>::quiet_NaN();
  if (row.labels.sparse)
    return static_cast<double>(log_sum) - static_cast<double>(z[row.number] - largest);
  double sum = 0;
  for (Index k = 0; k < row.width; ++k)
    if (const T label = row.label(k); label != 0)
      sum += static_cast<double>(label) *
             (static_cast<double>(log_sum) - static_cast<double>(z[k] - largest));
  return sum;
}

/// The gradient of one vector, from the powers e and their sum.
template <class T>
void logit_gradient(const Row<T>& row, T factor, T sum, const T* e, T* out) {
  if (!row.counts || factor == 0) {
    std::fill_n(out, row.width, T(0));
    return;
  }
  const T p = row.share() / sum;
  if (row.labels.sparse) {
    for (Index k = 0; k < row.width; ++k) out[k] = factor * (p * e[k]);
    if (row.number >= 0) out[row.number] = factor * (p * e[row.number] - 1);
    return;
  }
  for (Index k = 0; k < row.width; ++k) out[k] = factor * (p * e[k] - row.label(k));
}

/// Some whole vectors of at most `block` numbers together. Returns their weighted values.
template <class T>
double logit_rows(const LossBatch<T>& b, const ClassLabels<T>& labels, Index first, Index rows,
                  T scale, T* dy) {
  T e[block] = {}, sums[block] = {}, largest[block], logs[block];
  const T* z = b.y + first * b.width;
  for (Index r = 0; r < rows; ++r) {
    const T* from = z + r * b.width;
    T most = from[0];
    for (Index k = 1; k < b.width; ++k) most = std::max(most, from[k]);
    for (Index k = 0; k < b.width; ++k) e[r * b.width + k] = from[k] - most;
    largest[r] = most;
  }
  kernels::exp(rows * b.width, e, e);
  for (Index r = 0; r < rows; ++r)
    for (Index k = 0; k < b.width; ++k) sums[r] += e[r * b.width + k];
  kernels::log(rows, sums, logs);
  double total = 0;
  for (Index r = 0; r < rows; ++r) {
    const Row<T> row(labels, b, first + r);
    const T weight = weight_of(b, first + r);
    if (row.counts)
      total += static_cast<double>(weight) * logit_value(row, z + r * b.width, largest[r], logs[r]);
    if (dy != nullptr)
      logit_gradient(row, scale * weight, sums[r], e + r * b.width, dy + (first + r) * b.width);
  }
  return total;
}

/// One vector of more than `block` numbers, piece by piece.
template <class T>
double wide_logit_row(const LossBatch<T>& b, const ClassLabels<T>& labels, Index r, T scale,
                      T* dy) {
  T e[block];
  const T* z = b.y + r * b.width;
  const T largest = *std::max_element(z, z + b.width);
  const auto powers = [&](Index begin) {
    const Index n = std::min(block, b.width - begin);
    for (Index k = 0; k < n; ++k) e[k] = z[begin + k] - largest;
    kernels::exp(n, e, e);
    return n;
  };
  T sum = 0;
  for (Index begin = 0; begin < b.width; begin += block) {
    const Index n = powers(begin);
    for (Index k = 0; k < n; ++k) sum += e[k];
  }
  const T log_sum = log_of(sum);
  const Row<T> row(labels, b, r);
  const T weight = weight_of(b, r), factor = row.counts ? scale * weight : T(0);
  if (dy != nullptr && factor == 0) std::fill_n(dy + r * b.width, b.width, T(0));
  if (dy != nullptr && factor != 0) {
    const T p = row.share() / sum;
    for (Index begin = 0; begin < b.width; begin += block) {
      const Index n = powers(begin);
      for (Index k = 0; k < n; ++k)
        dy[r * b.width + begin + k] = factor * (p * e[k] - row.label(begin + k));
    }
  }
  return row.counts ? static_cast<double>(weight) * logit_value(row, z, largest, log_sum) : 0.0;
}

/// One vector of probabilities: q = p / sum p, clipped; value - sum of label * log q.
template <class T>
double probability_row(const LossBatch<T>& b, const ClassLabels<T>& labels, Index r, T scale,
                       T* dy) {
  const T low = T(1e-7), high = T(1) - T(1e-7);
  const Row<T> row(labels, b, r);
  const T* p = b.y + r * b.width;
  T* out = dy == nullptr ? nullptr : dy + r * b.width;
  if (!row.counts || row.wrong()) {
    if (out != nullptr) std::fill_n(out, b.width, T(0));
    return row.counts ? std::numeric_limits<double>::quiet_NaN() : 0.0;
  }
  T sum = 0;
  for (Index k = 0; k < b.width; ++k) sum += p[k];
  // dvalue/dq, and its part along q, which dividing by the sum takes away.
  const auto slope = [&](Index k) {
    const T q = p[k] / sum, label = row.label(k);
    return label == 0 || q < low || q > high ? T(0) : -label / q;
  };
  double value = 0;
  T along = 0;
  for (Index k = 0; k < b.width; ++k) {
    const T label = row.label(k), q = p[k] / sum;
    if (label != 0) {
      const T log_q = log_of(std::clamp(q, low, high));
      value -= static_cast<double>(label) * static_cast<double>(q == q ? log_q : q);
    }
    along += slope(k) * q;
  }
  const T weight = weight_of(b, r);
  if (out != nullptr)
    for (Index k = 0; k < b.width; ++k) out[k] = scale * weight * (slope(k) - along) / sum;
  return static_cast<double>(weight) * value;
}

}  // namespace

template <class T>
double class_loss(const LossBatch<T>& b, const ClassLabels<T>& labels, bool logits, T scale,
                  T* dy) noexcept {
  double total = 0;
  if (!logits) {
    for (Index r = 0; r < b.count; ++r) total += probability_row(b, labels, r, scale, dy);
  } else if (b.width > block) {
    for (Index r = 0; r < b.count; ++r) total += wide_logit_row(b, labels, r, scale, dy);
  } else {
    const Index together = block / b.width;
    for (Index r = 0; r < b.count; r += together)
      total += logit_rows(b, labels, r, std::min(together, b.count - r), scale, dy);
  }
  return total;
}

template double class_loss(const LossBatch<float>&, const ClassLabels<float>&, bool, float,
                           float*) noexcept;
template double class_loss(const LossBatch<double>&, const ClassLabels<double>&, bool, double,
                           double*) noexcept;

}  // namespace sonde
