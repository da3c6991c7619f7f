#include "training/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/kernels.hpp"
#include "training/class_loss.hpp"

namespace sonde {
namespace {

/// Elements worked on at a time: they and their results stay in the first-level cache.
constexpr Index block = 256;

/// Each of these writes the values v and derivatives d of n numbers y against their targets t.
template <class T>
struct SquaredError {
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    for (Index i = 0; i < n; ++i) {
      const T error = y[i] - t[i];
      v[i] = error * error;
      d[i] = 2 * error;
    }
  }
};

template <class T>
T sign(T x) {
  return static_cast<T>((x > 0) - (x < 0));
}

template <class T>
struct AbsoluteError {
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    for (Index i = 0; i < n; ++i) {
      const T error = y[i] - t[i];
      v[i] = std::abs(error);
      d[i] = sign(error);
    }
  }
};

template <class T>
struct HuberError {
  T delta;
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    for (Index i = 0; i < n; ++i) {
      const T error = y[i] - t[i], size = std::abs(error);
      const bool near = size <= delta;
      v[i] = near ? T(0.5) * (error * error) : delta * size - T(0.5) * (delta * delta);
      d[i] = near ? error : delta * sign(error);
    }
  }
};

/// y are logits: softplus(-|z|) + max(z, 0) - z t, which loses nothing at either end.
template <class T>
struct LogisticError {
  T smoothing;
  void operator()(Index n, const T* z, const T* t, T* v, T* d) const {
    T s[block];
    for (Index i = 0; i < n; ++i) v[i] = -std::abs(z[i]);
    kernels::softplus(n, v, v);
    kernels::sigmoid(n, z, s);
    for (Index i = 0; i < n; ++i) {
      const T label = t[i] * (1 - smoothing) + T(0.5) * smoothing;
      v[i] += std::max(z[i], T(0)) - z[i] * label;
      d[i] = s[i] - label;
    }
  }
};

/// y are probabilities, clipped as in Keras: beyond the clip there is no gradient.
template <class T>
struct ProbabilityError {
  T smoothing;
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    const T low = T(1e-7), high = T(1) - T(1e-7);
    T yes[block], no[block];
    for (Index i = 0; i < n; ++i) {
      yes[i] = std::clamp(y[i], low, high);
      no[i] = 1 - yes[i];
      const T label = t[i] * (1 - smoothing) + T(0.5) * smoothing;
      const bool inside = y[i] >= low && y[i] <= high;
      d[i] = inside ? (yes[i] - label) / (yes[i] * no[i]) : T(0);
    }
    kernels::log(n, yes, yes);
    kernels::log(n, no, no);
    for (Index i = 0; i < n; ++i) {
      const T label = t[i] * (1 - smoothing) + T(0.5) * smoothing;
      v[i] = -(label * yes[i] + (1 - label) * no[i]);
      if (y[i] != y[i]) v[i] = d[i] = y[i];  // a clamp would hide NaN
    }
  }
};

/// In eight sums, so that no addition waits for the one before; always the same eight.
class Sum {
 public:
  template <class T, class Value>
  void add(Index n, const Value& value) {
    Index i = 0;
    for (; i + 8 <= n; i += 8)
      for (Index lane = 0; lane < 8; ++lane)
        lanes_[lane] += static_cast<double>(static_cast<T>(value(i + lane)));
    for (; i < n; ++i) lanes_[i % 8] += static_cast<double>(static_cast<T>(value(i)));
  }
  double total() const {
    return ((lanes_[0] + lanes_[1]) + (lanes_[2] + lanes_[3])) +
           ((lanes_[4] + lanes_[5]) + (lanes_[6] + lanes_[7]));
  }

 private:
  double lanes_[8] = {};
};

/// Values that are a mean of one number per unit.
template <class T, class Error>
double mean_of_units(const LossBatch<T>& b, T scale, T* dy, const Error& error) {
  T v[block], d[block], spread[block];
  const T step = scale / static_cast<T>(b.width);
  Sum sum;
  Index row = 0, unit = 0;  // of the element
  for (Index begin = 0; begin < b.count * b.width; begin += block) {
    const Index n = std::min(block, b.count * b.width - begin);
    error(n, b.y + begin, b.target + begin, v, d);
    if (b.weights == nullptr) {
      sum.add<T>(n, [&](Index i) { return v[i]; });
      if (dy != nullptr)
        for (Index i = 0; i < n; ++i) dy[begin + i] = step * d[i];
      continue;
    }
    const T* w = b.weights + begin;
    if (b.width > 1) {
      for (Index i = 0; i < n; ++i) {
        spread[i] = b.weights[row];
        if (++unit == b.width) {
          unit = 0;
          ++row;
        }
      }
      w = spread;
    }
    // Where the weight is 0, the value may be the NaN of an unknown label, and 0 * NaN is NaN.
    sum.add<T>(n, [&](Index i) { return w[i] != 0 ? w[i] * v[i] : T(0); });
    if (dy != nullptr)
      for (Index i = 0; i < n; ++i) dy[begin + i] = w[i] != 0 ? step * w[i] * d[i] : T(0);
  }
  return sum.total() / static_cast<double>(b.width);
}

template <class T>
struct Call {
  Head head;
  const LossBatch<T>& batch;
  T scale;
  T* dy;

  double operator()(const MeanSquaredError&) const {
    return mean_of_units(batch, scale, dy, SquaredError<T>{});
  }
  double operator()(const MeanAbsoluteError&) const {
    return mean_of_units(batch, scale, dy, AbsoluteError<T>{});
  }
  double operator()(const Huber& loss) const {
    return mean_of_units(batch, scale, dy, HuberError<T>{static_cast<T>(loss.delta)});
  }
  double operator()(const BinaryCrossentropy& loss) const {
    const T smoothing = static_cast<T>(loss.label_smoothing);
    if (loss.from_logits || head == Head::sigmoid)
      return mean_of_units(batch, scale, dy, LogisticError<T>{smoothing});
    return mean_of_units(batch, scale, dy, ProbabilityError<T>{smoothing});
  }
  double operator()(const CategoricalCrossentropy& loss) const {
    const ClassLabels<T> labels{.smoothing = static_cast<T>(loss.label_smoothing)};
    return class_loss(batch, labels, loss.from_logits || head == Head::softmax, scale, dy);
  }
  double operator()(const SparseCategoricalCrossentropy& loss) const {
    const ClassLabels<T> labels{.sparse = true, .ignored = loss.ignore_class};
    return class_loss(batch, labels, loss.from_logits || head == Head::softmax, scale, dy);
  }
};

}  // namespace

template <class T>
double loss_value_and_gradient(const Loss& loss, Head head, const LossBatch<T>& batch, T scale,
                               T* dy) noexcept {
  return std::visit(Call<T>{head, batch, scale, dy}, loss);
}

template double loss_value_and_gradient(const Loss&, Head, const LossBatch<float>&, float,
                                        float*) noexcept;
template double loss_value_and_gradient(const Loss&, Head, const LossBatch<double>&, double,
                                        double*) noexcept;

bool loss_counts(const Loss& loss, float label) noexcept {
  const auto* sparse = std::get_if<SparseCategoricalCrossentropy>(&loss);
  return sparse == nullptr || !sparse->ignore_class ||
         label != static_cast<float>(*sparse->ignore_class);
}

double loss_scale(const Loss& loss, double values, double weights) noexcept {
  const Reduction reduction = std::visit([](const auto& spec) { return spec.reduction; }, loss);
  if (reduction == Reduction::sum) return 1;
  const double divisor = reduction == Reduction::mean_with_sample_weight ? weights : values;
  return divisor == 0 ? 0 : 1 / divisor;
}

}  // namespace sonde
