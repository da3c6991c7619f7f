#include <cmath>
#include <sonde/layers/group_normalization.hpp>

#include "layers/feature_axis.hpp"

namespace sonde {
namespace {

/// Wu, He: Group normalization (2018). As LayerNormalization, over all steps of a row.
struct GroupNormalizationOp {
  Index channels, groups;
  double epsilon;
  Slot gamma, beta;
  Slot statistics;  // for each row and group: its mean, and 1 / sqrt(variance + epsilon)

  template <class T>
  void forward(const View<T>& v) const {
    const T *g = v[gamma], *b = v[beta];
    const T* x = v.x().data;
    T *y = v.y().data, *kept = v[statistics];
    each_group(v.x(), [&](Index group, const auto& each) {
      double count = 0, sum = 0, squares = 0;
      each([&](Index at, Index) { sum += static_cast<double>(x[at]), ++count; });
      const double mean = sum / count;
      each([&](Index at, Index) {
        squares += (static_cast<double>(x[at]) - mean) * (static_cast<double>(x[at]) - mean);
      });
      const T m = static_cast<T>(mean),
              s = static_cast<T>(1 / std::sqrt(squares / count + epsilon));
      each([&](Index at, Index c) {
        y[at] = (x[at] - m) * s * (g ? g[c] : T(1)) + (b ? b[c] : T(0));
      });
      if (kept) kept[2 * group] = m, kept[2 * group + 1] = s;
    });
  }
  template <class T>
  void backward(const View<T>& v) const {
    const T *x = v.x().data, *dy = v.dy().data, *g = v[gamma], *kept = v[statistics];
    T *dx = v.dx().data, *dg = v.gradient(gamma), *db = v.gradient(beta);
    each_group(v.x(), [&](Index group, const auto& each) {
      const T m = kept[2 * group], s = kept[2 * group + 1];
      // With n = (x - mean) s and d = dy gamma: dx = s (d - mean of d - n * mean of d n).
      double count = 0, sum = 0, product = 0;
      each([&](Index at, Index c) {
        const T n = (x[at] - m) * s, d = dy[at] * (g ? g[c] : T(1));
        if (db) db[c] += dy[at];
        if (dg) dg[c] += dy[at] * n;
        sum += static_cast<double>(d);
        product += static_cast<double>(d) * static_cast<double>(n);
        ++count;
      });
      if (!dx) return;
      const T mean_d = static_cast<T>(sum / count), mean_dn = static_cast<T>(product / count);
      each([&](Index at, Index c) {
        dx[at] = s * (dy[at] * (g ? g[c] : T(1)) - mean_d - (x[at] - m) * s * mean_dn);
      });
    });
  }
  /// Calls f(number of the group, each) for every group of every row, where each(h) calls
  /// h(place, channel) for the numbers of the group.
  template <class T, class F>
  void each_group(const Chunk<T>& x, F f) const {
    const Index wide = channels / groups;
    for (Index r = 0; r < x.rows; ++r)
      for (Index group = 0; group < groups; ++group)
        f(r * groups + group, [&](auto h) {
          for (Index t = 0; t < x.steps; ++t)
            for (Index first = 0; first < x.width; first += channels)
              for (Index c = group * wide; c < (group + 1) * wide; ++c)
                h((t * x.rows + r) * x.width + first + c, c);
        });
  }
};

}  // namespace

AnyOp GroupNormalization::plan(Planner& planner) const {
  const Index channels = plan_feature_axis(planner, axis, epsilon);
  const Index count = groups == -1 ? channels : groups;
  if (count < 1 || channels % count != 0)
    planner.refuse(
        fmt::format("groups must divide the {} channels, or be -1 for a group of each, got {}.",
                    channels, groups));
  if (planner.input().rank() >= 2)
    planner.cannot_stream("mean and variance of a group are known only when the signal ends.");
  planner.output(planner.input());
  planner.pass_mask();
  planner.keep_input();
  GroupNormalizationOp op{.channels = channels,
                          .groups = count,
                          .epsilon = epsilon,
                          .gamma = {},
                          .beta = {},
                          .statistics = {}};
  if (scale)
    op.gamma = planner.weight("gamma", {channels},
                              {gamma_initializer, gamma_regularizer, gamma_constraint});
  if (center)
    op.beta =
        planner.weight("beta", {channels}, {beta_initializer, beta_regularizer, beta_constraint});
  op.statistics = planner.saved(2 * count);
  return op;
}

Tensor GroupNormalization::operator()(Tensor x) const {
  return apply(*this, {std::move(x)}).front();
}

}  // namespace sonde
