#include <algorithm>
#include <cmath>
#include <sonde/layers/batch_normalization.hpp>

#include "layers/feature_axis.hpp"
#include "layers/final_activation.hpp"

namespace sonde {
namespace {

/// Ioffe, Szegedy: Batch normalization (2015). With n = (x - mean) s, s = 1 / sqrt(variance +
/// epsilon):
///   y = gamma n + beta,   dx = gamma s (dy - mean of dy - n * mean of dy n),
/// means over all rows and steps of the batch. Sums are in double, so that squares of signals far
/// from zero keep their variance.
struct BatchNormalizationOp {
  Index features;
  double momentum, epsilon;
  bool batch = false;  // statistics of the batch, not the moving ones
  bool masked = false;
  Slot gamma, beta, moving_mean, moving_variance;
  Slot center, factor;  // mean and s of each feature

  static constexpr Index lanes = 16;  // features at a time: two vectors of double sums in registers

  /// Sums of each feature, sums of squares of each feature, number of vectors.
  template <class T>
  void forward_sums(const View<T>& v) const {
    double* sums = v.forward_sums();
    const Index count = v.x().size() / features;
    each_block([&](Index first, Index n) {
      double sum[lanes] = {}, squares[lanes] = {};
      const T* x = v.x().data + first;
      for (Index k = 0; k < count; ++k, x += features) {
        if (!counts(v, k)) continue;
        for (Index i = 0; i < n; ++i) {
          sum[i] += x[i];
          squares[i] += static_cast<double>(x[i]) * x[i];
        }
      }
      for (Index i = 0; i < n; ++i) {
        sums[first + i] += sum[i];
        sums[features + first + i] += squares[i];
      }
    });
    Index counted = count;
    for (Index k = 0; k < count; ++k) counted -= counts(v, k) ? 0 : 1;
    sums[2 * features] += static_cast<double>(counted);
  }
  /// Vector k is part of the statistics.
  template <class T>
  bool counts(const View<T>& v, Index k) const {
    return !masked || v.mask().data[k / (v.x().width / features)] != 0;
  }

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    const Index count = v.x().size() / features;
    const T *g = v[gamma], *b = v[beta];
    T *m = v[center], *s = v[factor];
    for (Index i = 0; i < features; ++i) {
      m[i] = of_batch(v) ? static_cast<T>(mean(v, i)) : v[moving_mean][i];
      const double spread =
          of_batch(v) ? variance(v, i) : static_cast<double>(v[moving_variance][i]);
      s[i] = static_cast<T>(1 / std::sqrt(spread + epsilon));
    }
    each_block([&](Index first, Index n) {
      T scale[lanes], shift[lanes];
      for (Index i = 0; i < n; ++i) {
        scale[i] = s[first + i] * (g ? g[first + i] : T(1));
        shift[i] = b ? b[first + i] : T(0);
      }
      const T* x = v.x().data + first;
      T* y = v.y().data + first;
      for (Index k = 0; k < count; ++k, x += features, y += features)
        for (Index i = 0; i < n; ++i) y[i] = (x[i] - m[first + i]) * scale[i] + shift[i];
    });
  }
  template <class T>
  bool of_batch(const View<T>& v) const {
    return batch && v.training();
  }
  template <class T>
  double vectors(const View<T>& v) const {
    return v.forward_sums()[2 * features];
  }
  template <class T>
  double mean(const View<T>& v, Index i) const {
    return v.forward_sums()[i] / vectors(v);
  }
  template <class T>
  double variance(const View<T>& v, Index i) const {
    const double m = mean(v, i);
    return std::max(0.0, v.forward_sums()[features + i] / vectors(v) - m * m);
  }

  /// This shard's sums of dy and of dy n: gradients of beta and gamma, and parts of the batch's
  /// sums.
  template <class T>
  void backward_sums(const View<T>& v) const {
    double* sums = v.backward_sums();
    const Index count = v.dy().size() / features;
    const T *m = v[center], *s = v[factor];
    T *db = v.gradient(beta), *dg = v.gradient(gamma);
    each_block([&](Index first, Index n) {
      double sum[lanes] = {}, product[lanes] = {};
      const T *x = v.x().data + first, *dy = v.dy().data + first;
      for (Index k = 0; k < count; ++k, x += features, dy += features)
        for (Index i = 0; i < n; ++i) {
          sum[i] += dy[i];
          product[i] += static_cast<double>(dy[i]) * ((x[i] - m[first + i]) * s[first + i]);
        }
      for (Index i = 0; i < n; ++i) {
        if (db) db[first + i] += static_cast<T>(sum[i]);
        if (dg) dg[first + i] += static_cast<T>(product[i]);
        sums[first + i] += sum[i];
        sums[features + first + i] += product[i];
      }
    });
  }

  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const Index count = v.dy().size() / features;
    const T *x = v.x().data, *dy = v.dy().data, *g = v[gamma], *m = v[center], *s = v[factor];
    T* dx = v.dx().data;
    each_block([&](Index first, Index n) {
      T scale[lanes], mean_dy[lanes] = {}, mean_dyn[lanes] = {};
      for (Index i = 0; i < n; ++i) {
        const Index f = first + i;
        scale[i] = (g ? g[f] : T(1)) * s[f];
        if (!of_batch(v)) continue;
        mean_dy[i] = static_cast<T>(v.backward_sums()[f] / vectors(v));
        mean_dyn[i] = static_cast<T>(v.backward_sums()[features + f] / vectors(v));
      }
      for (Index k = 0; k < count; ++k) {
        const bool used = counts(v, k);
        for (Index i = 0; i < n; ++i) {
          const Index at = k * features + first + i;
          const T n_i = (x[at] - m[first + i]) * s[first + i];
          dx[at] = scale[i] * (used ? dy[at] - mean_dy[i] - n_i * mean_dyn[i] : dy[at]);
        }
      }
    });
  }

  template <class T>
  void after_batch(const View<T>& v) const {
    if (!of_batch(v)) return;
    for (Index i = 0; i < features; ++i) {
      move(v[moving_mean][i], mean(v, i));
      move(v[moving_variance][i], variance(v, i));
    }
  }
  template <class T>
  void move(T& moving, double to) const {
    moving = static_cast<T>(moving * momentum + to * (1 - momentum));
  }

  /// Calls f(first feature, number of features) for blocks of at most `lanes` features.
  template <class F>
  void each_block(F f) const {
    for (Index first = 0; first < features; first += lanes)
      f(first, std::min(lanes, features - first));
  }
};

}  // namespace

AnyOp BatchNormalization::plan(Planner& planner) const {
  const Index features = plan_feature_axis(planner, axis, epsilon);
  if (!(momentum >= 0 && momentum <= 1))
    planner.refuse(
        fmt::format("momentum must be from 0 to 1, got {}. It is the share of the old "
                    "moving statistics that stays; use momentum = 0.99.",
                    momentum));
  planner.output(planner.input());
  planner.pass_mask();
  planner.keep_input();
  BatchNormalizationOp op{.features = features,
                          .momentum = momentum,
                          .epsilon = epsilon,
                          .batch = planner.training() && !planner.frozen(),
                          .masked = planner.masked(),
                          .gamma = {},
                          .beta = {},
                          .moving_mean = {},
                          .moving_variance = {},
                          .center = {},
                          .factor = {}};
  if (scale)
    op.gamma = planner.weight("gamma", {features},
                              {gamma_initializer, gamma_regularizer, gamma_constraint});
  if (center)
    op.beta =
        planner.weight("beta", {features}, {beta_initializer, beta_regularizer, beta_constraint});
  op.moving_mean = planner.weight("moving_mean", {features},
                                  {.initializer = moving_mean_initializer, .trainable = false});
  op.moving_variance =
      planner.weight("moving_variance", {features},
                     {.initializer = moving_variance_initializer, .trainable = false});
  op.center = planner.training() ? planner.saved(features) : planner.scratch(0, features);
  op.factor = planner.training() ? planner.saved(features) : planner.scratch(0, features);
  if (op.batch) planner.batch_sums(2 * features + 1, 2 * features);
  return op;
}

Tensor BatchNormalization::operator()(Tensor x) const {
  return apply(*this, {std::move(x)}).front();
}

}  // namespace sonde
