#include "training/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "training/class_loss.hpp"
#include "training/loss_errors.hpp"
#include "training/overlap_loss.hpp"
#include "training/vector_loss.hpp"

namespace sonde {
namespace {

using errors::block;

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

/// Values that are a sum of one number per unit, divided by `divisor`.
template <class T, class Error>
double sum_of_units(const LossBatch<T>& b, T scale, T* dy, const Error& error, Index divisor) {
  T v[block], d[block], spread[block];
  const T step = scale / static_cast<T>(divisor);
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
  return sum.total() / static_cast<double>(divisor);
}

template <class T, class Error>
double mean_of_units(const LossBatch<T>& b, T scale, T* dy, const Error& error) {
  return sum_of_units(b, scale, dy, error, b.width);
}

template <class T>
class Call {
 public:
  Call(Head h, const LossBatch<T>& b, T s, T* d) : head(h), batch(b), scale(s), dy(d) {}

  Head head;
  const LossBatch<T>& batch;
  T scale;
  T* dy;

  double operator()(const MeanSquaredError&) const { return mean(errors::Squared<T>{}); }
  double operator()(const MeanAbsoluteError&) const { return mean(errors::Absolute<T>{}); }
  double operator()(const MeanAbsolutePercentageError&) const {
    return mean(errors::Percentage<T>{});
  }
  double operator()(const MeanSquaredLogarithmicError&) const {
    return mean(errors::SquaredLogarithmic<T>{});
  }
  double operator()(const Huber& loss) const {
    return mean(errors::Huber<T>{static_cast<T>(loss.delta)});
  }
  double operator()(const LogCosh&) const { return mean(errors::LogCosh<T>{}); }
  double operator()(const Poisson&) const { return mean(errors::PoissonError<T>{}); }
  double operator()(const Hinge&) const { return mean(errors::Hinge<T>{false}); }
  double operator()(const SquaredHinge&) const { return mean(errors::Hinge<T>{true}); }
  double operator()(const KLDivergence&) const {
    return sum_of_units(batch, scale, dy, errors::Divergence<T>{}, 1);
  }
  double operator()(const BinaryCrossentropy& loss) const {
    const T smoothing = static_cast<T>(loss.label_smoothing);
    if (loss.from_logits || head == Head::sigmoid) return mean(errors::Logistic<T>{smoothing});
    return mean(errors::Probability<T>{smoothing});
  }
  double operator()(const BinaryFocalCrossentropy& loss) const {
    const T smoothing = static_cast<T>(loss.label_smoothing);
    const auto focal = [&](auto crossentropy) {
      return mean(errors::Focal<T, decltype(crossentropy)>{crossentropy, static_cast<T>(loss.gamma),
                                                           static_cast<T>(loss.alpha),
                                                           loss.apply_class_balancing});
    };
    if (loss.from_logits || head == Head::sigmoid) return focal(errors::Logistic<T>{smoothing});
    return focal(errors::Probability<T>{smoothing});
  }
  double operator()(const CategoricalCrossentropy& loss) const {
    const ClassLabels<T> labels{.smoothing = static_cast<T>(loss.label_smoothing)};
    return class_loss(batch, labels, loss.from_logits || head == Head::softmax, scale, dy);
  }
  double operator()(const SparseCategoricalCrossentropy& loss) const {
    const ClassLabels<T> labels{.sparse = true, .ignored = loss.ignore_class};
    return class_loss(batch, labels, loss.from_logits || head == Head::softmax, scale, dy);
  }
  double operator()(const CategoricalFocalCrossentropy& loss) const {
    return focal_loss(batch, loss, loss.from_logits || head == Head::softmax, scale, dy);
  }
  double operator()(const CosineSimilarity&) const { return cosine_loss(batch, scale, dy); }
  double operator()(const CategoricalHinge&) const {
    return categorical_hinge_loss(batch, scale, dy);
  }
  template <class Overlap>
  requires requires(const Overlap& loss) { loss.axis.empty(); }
  double operator()(const Overlap& loss) const { return overlap_loss(loss, batch, scale, dy); }

 private:
  template <class Error>
  double mean(const Error& error) const {
    return mean_of_units(batch, scale, dy, error);
  }
};

}  // namespace

template <class T>
double loss_value_and_gradient(const Loss& loss, Head head, const LossBatch<T>& batch, T scale,
                               T* dy) noexcept {
  return std::visit(Call<T>(head, batch, scale, dy), loss);
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
