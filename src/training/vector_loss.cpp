#include "training/vector_loss.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/kernels.hpp"
#include "training/loss_errors.hpp"

namespace sonde {
namespace {

constexpr Index block = errors::block;

template <class T>
T weight_of(const LossBatch<T>& b, Index row) {
  return b.weights == nullptr ? T(1) : b.weights[row];
}

/// Calls value(row, weight, dy of the row or null), which returns the row's value, for each row
/// that counts; rows that do not have no gradient.
template <class T, class Value>
double over_rows(const LossBatch<T>& b, T* dy, const Value& value) {
  double total = 0;
  for (Index r = 0; r < b.count; ++r) {
    T* out = dy == nullptr ? nullptr : dy + r * b.width;
    const T weight = weight_of(b, r);
    if (weight != 0) total += static_cast<double>(weight) * value(r, weight, out);
    else if (out != nullptr) std::fill_n(out, b.width, T(0));
  }
  return total;
}

/// A piece of a vector: of each class its probability p, log p, and what the value changes with.
template <class T>
struct FocalPiece {
  T p[block], rest[block], log_p[block], powers[block], slope[block];
};

/// The focal loss, vector by vector, each in pieces of `block` classes. The pieces are computed
/// twice for vectors of more than one: once for their sums, once for the gradient.
template <class T>
class FocalRow {
 public:
  FocalRow(const LossBatch<T>& b, const CategoricalFocalCrossentropy& loss, bool logits)
      : b_(b),
        logits_(logits),
        alpha_(static_cast<T>(loss.alpha)),
        gamma_(static_cast<T>(loss.gamma)),
        smoothing_(static_cast<T>(loss.label_smoothing)) {}

  double operator()(Index r, T factor, T* dy) {
    y_ = b_.y + r * b_.width;
    target_ = b_.target + r * b_.width;
    measure();
    double value = 0;
    T along = 0;  // the part of the slopes that softmax, or dividing by the sum, takes away
    for (Index begin = 0; begin < b_.width; begin += block) {
      const Index n = compute(begin);
      for (Index i = 0; i < n; ++i) {
        const T label = label_of(begin + i);
        if (label != 0)
          value -= static_cast<double>(alpha_ * label * piece_.powers[i]) *
                   static_cast<double>(piece_.log_p[i]);
        along += piece_.slope[i] * (logits_ ? T(1) : piece_.p[i]);
      }
    }
    if (dy == nullptr) return value;
    for (Index begin = 0; begin < b_.width; begin += block) {
      const Index n = b_.width > block ? compute(begin) : b_.width;
      for (Index i = 0; i < n; ++i)
        dy[begin + i] = logits_ ? factor * (piece_.slope[i] - piece_.p[i] * along)
                                : factor * (piece_.slope[i] - along) / sum_;
    }
    return value;
  }

 private:
  T label_of(Index k) const {
    return target_[k] * (1 - smoothing_) + smoothing_ / static_cast<T>(b_.width);
  }

  /// The sum of the powers, or of the probabilities as they are.
  void measure() {
    sum_ = largest_ = log_sum_ = 0;
    if (!logits_) {
      for (Index k = 0; k < b_.width; ++k) sum_ += y_[k];
      return;
    }
    largest_ = *std::max_element(y_, y_ + b_.width);
    for (Index begin = 0; begin < b_.width; begin += block) {
      const Index n = exponentials(begin);
      for (Index i = 0; i < n; ++i) sum_ += piece_.p[i];
    }
    T line[64 / sizeof(T)] = {sum_};
    kernels::log(1, line, line);
    log_sum_ = line[0];
  }

  Index exponentials(Index begin) {
    const Index n = std::min(block, b_.width - begin);
    for (Index i = 0; i < n; ++i) piece_.p[i] = y_[begin + i] - largest_;
    kernels::exp(n, piece_.p, piece_.p);
    return n;
  }

  /// Fills the piece that begins at a class; returns its length.
  Index compute(Index begin) {
    constexpr T low = errors::small<T>, high = T(1) - errors::small<T>;
    const Index n = logits_ ? exponentials(begin) : std::min(block, b_.width - begin);
    T* clipped = piece_.log_p;
    for (Index i = 0; i < n; ++i) {
      if (logits_) {
        piece_.rest[i] = std::max((sum_ - piece_.p[i]) / sum_, T(0));
        piece_.p[i] /= sum_;
        piece_.log_p[i] = y_[begin + i] - largest_ - log_sum_;
      } else {
        piece_.p[i] = y_[begin + i] / sum_;
        clipped[i] = std::clamp(piece_.p[i], low, high);
        piece_.rest[i] = 1 - clipped[i];
      }
    }
    if (!logits_) kernels::log(n, clipped, piece_.log_p);
    errors::power(n, piece_.rest, gamma_, piece_.powers);
    for (Index i = 0; i < n; ++i) {
      const T p = piece_.p[i], log_p = piece_.log_p[i], rest = piece_.rest[i];
      const T scale = -alpha_ * label_of(begin + i) * piece_.powers[i];
      // log p / (1 - p) goes to -1 as p goes to 1.
      const T steep = gamma_ * (rest > 0 ? log_p / rest : T(-1));
      if (logits_) piece_.slope[i] = scale * (1 - p * steep);
      else piece_.slope[i] = p < low || p > high ? T(0) : scale * (1 / p - steep);
      if (p != p) piece_.log_p[i] = p;  // a clamp would hide NaN
    }
    return n;
  }

  const LossBatch<T>& b_;
  const bool logits_;
  const T alpha_, gamma_, smoothing_;
  const T* y_ = nullptr;
  const T* target_ = nullptr;
  T sum_ = 0, largest_ = 0, log_sum_ = 0;
  FocalPiece<T> piece_;
};

}  // namespace

template <class T>
double focal_loss(const LossBatch<T>& b, const CategoricalFocalCrossentropy& loss, bool logits,
                  T scale, T* dy) noexcept {
  FocalRow<T> row(b, loss, logits);
  return over_rows(b, dy, [&](Index r, T weight, T* out) { return row(r, scale * weight, out); });
}

template <class T>
double cosine_loss(const LossBatch<T>& b, T scale, T* dy) noexcept {
  return over_rows(b, dy, [&](Index r, T weight, T* out) {
    const T* y = b.y + r * b.width;
    const T* t = b.target + r * b.width;
    double product = 0, yy = 0, tt = 0;
    for (Index k = 0; k < b.width; ++k) {
      product += static_cast<double>(t[k]) * static_cast<double>(y[k]);
      yy += static_cast<double>(y[k]) * static_cast<double>(y[k]);
      tt += static_cast<double>(t[k]) * static_cast<double>(t[k]);
    }
    // Keras: 1 / length is at most 1e7.
    const double length = std::max(std::sqrt(yy), 1e-7);
    const double target = std::max(std::sqrt(tt), 1e-7);
    const double cosine = product / (length * target);
    if (out != nullptr)
      for (Index k = 0; k < b.width; ++k) {
        const double along = cosine * static_cast<double>(y[k]) / length;
        const double slope = (along - static_cast<double>(t[k]) / target) / length;
        out[k] = yy > 1e-14 ? scale * weight * static_cast<T>(slope) : T(0);
      }
    return -cosine;
  });
}

template <class T>
double categorical_hinge_loss(const LossBatch<T>& b, T scale, T* dy) noexcept {
  return over_rows(b, dy, [&](Index r, T weight, T* out) {
    const T* y = b.y + r * b.width;
    const T* t = b.target + r * b.width;
    T right = 0;
    Index worst = 0;
    const auto wrong = [&](Index k) { return (1 - t[k]) * y[k]; };
    for (Index k = 0; k < b.width; ++k) {
      right += t[k] * y[k];
      if (wrong(k) > wrong(worst)) worst = k;
    }
    const T missing = std::max(wrong(worst) - right + 1, T(0));
    if (out != nullptr)
      for (Index k = 0; k < b.width; ++k)
        out[k] = missing > 0 ? scale * weight * ((k == worst ? 1 - t[k] : T(0)) - t[k]) : T(0);
    return static_cast<double>(missing);
  });
}

template double focal_loss(const LossBatch<float>&, const CategoricalFocalCrossentropy&, bool,
                           float, float*) noexcept;
template double focal_loss(const LossBatch<double>&, const CategoricalFocalCrossentropy&, bool,
                           double, double*) noexcept;
template double cosine_loss(const LossBatch<float>&, float, float*) noexcept;
template double cosine_loss(const LossBatch<double>&, double, double*) noexcept;
template double categorical_hinge_loss(const LossBatch<float>&, float, float*) noexcept;
template double categorical_hinge_loss(const LossBatch<double>&, double, double*) noexcept;

}  // namespace sonde
