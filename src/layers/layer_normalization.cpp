#include <cmath>
#include <sonde/layers/layer_normalization.hpp>

#include "layers/feature_axis.hpp"
#include "layers/final_activation.hpp"

namespace sonde {
namespace {

struct LayerNormalizationOp {
  Index features;
  double epsilon;
  Slot gamma, beta;
  Slot statistics;  // for each vector: its mean, and 1 / sqrt(variance + epsilon)

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    const Index count = v.x().size() / features;
    const T *x = v.x().data, *g = v[gamma], *b = v[beta];
    T *y = v.y().data, *kept = v[statistics];
    for (Index k = 0; k < count; ++k, x += features, y += features) {
      double sum = 0, squares = 0;
      for (Index i = 0; i < features; ++i) sum += x[i];
      const double mean = sum / static_cast<double>(features);
      for (Index i = 0; i < features; ++i) squares += (x[i] - mean) * (x[i] - mean);
      const double inverse = 1 / std::sqrt(squares / static_cast<double>(features) + epsilon);
      const T m = static_cast<T>(mean), s = static_cast<T>(inverse);
      for (Index i = 0; i < features; ++i)
        y[i] = (x[i] - m) * s * (g ? g[i] : T(1)) + (b ? b[i] : T(0));
      if (kept) kept[2 * k] = m, kept[2 * k + 1] = s;
    }
  }
  template <class T>
  void backward(const View<T>& v) const {
    const Index count = v.dy().size() / features;
    const T *x = v.x().data, *g = v[gamma], *kept = v[statistics];
    T *dy = v.dy().data, *dx = v.dx().data, *dg = v.gradient(gamma), *db = v.gradient(beta);
    for (Index k = 0; k < count; ++k, x += features, dy += features) {
      const T m = kept[2 * k], s = kept[2 * k + 1];
      for (Index i = 0; db && i < features; ++i) db[i] += dy[i];
      for (Index i = 0; dg && i < features; ++i) dg[i] += dy[i] * ((x[i] - m) * s);
      if (!dx) continue;
      // With n = (x - mean) s and d = dy gamma: dx = s (d - mean of d - n * mean of d n).
      double sum = 0, product = 0;
      for (Index i = 0; i < features; ++i) {
        const T d = dy[i] * (g ? g[i] : T(1));
        sum += d;
        product += static_cast<double>(d) * ((x[i] - m) * s);
        dy[i] = d;
      }
      const T mean_d = static_cast<T>(sum / static_cast<double>(features));
      const T mean_dn = static_cast<T>(product / static_cast<double>(features));
      for (Index i = 0; i < features; ++i) dx[i] = s * (dy[i] - mean_d - (x[i] - m) * s * mean_dn);
      dx += features;
    }
  }
};

}  // namespace

AnyOp LayerNormalization::plan(Planner& planner) const {
  const Index features = plan_feature_axis(planner, axis, epsilon);
  planner.output(planner.input());
  planner.pass_mask();
  planner.keep_input();
  LayerNormalizationOp op{
      .features = features, .epsilon = epsilon, .gamma = {}, .beta = {}, .statistics = {}};
  if (scale)
    op.gamma = planner.weight("gamma", {features},
                              {gamma_initializer, gamma_regularizer, gamma_constraint});
  if (center)
    op.beta =
        planner.weight("beta", {features}, {beta_initializer, beta_regularizer, beta_constraint});
  op.statistics = planner.saved(per_row(planner.input()) / features * 2);
  return op;
}

Tensor LayerNormalization::operator()(Tensor x) const {
  return apply(*this, {std::move(x)}).front();
}

}  // namespace sonde
