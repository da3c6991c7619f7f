#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sonde/error.hpp>
#include <sonde/layers/normalization.hpp>

#include "layers/broadcast.hpp"
#include "layers/one_input.hpp"

namespace sonde {
namespace {

struct NormalizationOp {
  Broadcast partner;
  Index count;  // of means and of variances
  bool invert;
  std::vector<double> given_mean = {}, given_variance = {};
  Slot mean = {}, variance = {};  // unless given
  Slot packed = {};               // all means, then all standard deviations

  template <class T>
  void pack(const View<T>& v) const {
    constexpr double epsilon = 1e-7;  // Keras: backend.epsilon()
    T* p = v[packed];
    for (Index i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      p[i] = mean ? v[mean][i] : static_cast<T>(given_mean[at]);
      const double spread = mean ? static_cast<double>(v[variance][i]) : given_variance[at];
      p[count + i] = static_cast<T>(std::max(std::sqrt(spread), epsilon));
    }
  }
  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    const T *m = v[packed], *s = m + count, *x = v.x().data;
    T* y = v.y().data;
    each(v.x(),
         [&](Index i, Index p) { y[i] = invert ? m[p] + x[i] * s[p] : (x[i] - m[p]) / s[p]; });
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const T *s = v[packed] + count, *dy = v.dy().data;
    T* dx = v.dx().data;
    each(v.dy(), [&](Index i, Index p) { dx[i] = invert ? dy[i] * s[p] : dy[i] / s[p]; });
  }
  /// Calls f(place of a number, place of its mean).
  template <class T, class F>
  void each(const Chunk<T>& x, F f) const {
    Index place = 0;
    for (Index t = 0; t < x.steps; ++t)
      for (Index r = 0; r < x.rows; ++r)
        for (Index i = 0; i < x.width; ++i) f(place++, partner.at(t, i));
  }
};

std::string where_of(const Normalization& layer) {
  return layer.name.empty() ? "Normalization" : fmt::format("Normalization \"{}\"", layer.name);
}

}  // namespace

AnyOp Normalization::plan(Planner& planner) const {
  expect_one_input(planner);
  const Shape& input = planner.input();
  const Index rank = input.rank();
  Shape small(std::vector<Index>(static_cast<std::size_t>(rank), 1));
  for (const Index each : axis) {
    const Index place = each < 0 ? each + rank : each - 1;
    if (each == 0 || place < 0 || place >= rank)
      planner.refuse(
          fmt::format("axis must be 1 to {} or -{} to -1 for an input of shape {}, got {}. "
                      "Axis 0 is the batch; .axis = {{}} means one number for everything.",
                      rank, rank, to_string(input), each));
    if (place == 0 && rank >= 2) {
      planner.cannot_stream("every step has a mean of its own.");
      if (input[0] == dynamic)
        planner.refuse(
            fmt::format("axis = {} needs a known number of steps, got {}. Give Input the length.",
                        each, to_string(input)));
    }
    small[place] = input[place];
  }
  std::vector<Index> kept;
  for (Index place = 0; place < rank; ++place)
    if (std::any_of(axis.begin(), axis.end(),
                    [&](Index each) { return (each < 0 ? each + rank : each - 1) == place; }))
      kept.push_back(input[place]);

  NormalizationOp op{
      .partner = Broadcast::of(input, small), .count = small.elements(), .invert = invert};
  if (mean.empty() && variance.empty()) {
    op.mean = planner.weight("mean", Shape(kept), {.initializer = Zeros{}, .trainable = false});
    op.variance =
        planner.weight("variance", Shape(kept), {.initializer = Ones{}, .trainable = false});
    planner.weight("count", Shape{}, {.initializer = Zeros{}, .trainable = false});
  } else {
    const Index last = kept.empty() ? 1 : kept.back();
    if (mean.size() != variance.size() || (mean.size() != 1 && mean.size() != last))
      planner.refuse(
          fmt::format("mean and variance must both be one number, or one for each of the {} places "
                      "on the last axis of their own, got {} and {}.",
                      last, mean.size(), variance.size()));
    for (Index i = 0; i < op.count; ++i) {
      op.given_mean.push_back(mean[i % mean.size()]);
      op.given_variance.push_back(variance[i % variance.size()]);
    }
  }
  op.packed = planner.packed(2 * op.count);
  planner.output(input);
  planner.pass_mask();
  return op;
}

Tensor Normalization::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

void Normalization::adapt(const Array& data) {
  if (self.instance())
    throw ArgumentError(where_of(*this) +
                        ": adapt() must come before the layer is called on a tensor.");
  if (axis.size() > 1)
    throw ArgumentError(
        fmt::format("{}: adapt() keeps one axis or none, got {}. Give mean and variance by hand.",
                    where_of(*this), axis.size()));
  const Shape& shape = data.shape();
  if (data.empty()) throw ArgumentError(where_of(*this) + ": adapt() got no data.");
  Index size = 1, inner = data.size();  // a number's place on the axis: at / inner % size
  if (!axis.empty()) {
    const Index place = axis[0] < 0 ? axis[0] + shape.rank() : axis[0];
    if (place < 1 || place >= shape.rank())
      throw ArgumentError(fmt::format("{}: data of shape {} has no axis {} after the samples.",
                                      where_of(*this), to_string(shape), axis[0]));
    size = shape[place];
    inner = 1;
    for (Index a = place + 1; a < shape.rank(); ++a) inner *= shape[a];
  }
  const Index each = data.size() / size;
  const auto n = static_cast<double>(each);
  std::vector<double> means(static_cast<std::size_t>(size)), spreads(means.size());
  const auto place_of = [&](Index at) { return static_cast<std::size_t>(at / inner % size); };
  for (Index i = 0; i < data.size(); ++i)
    means[place_of(i)] += static_cast<double>(data.data()[i]) / n;
  for (Index i = 0; i < data.size(); ++i) {
    const double away = static_cast<double>(data.data()[i]) - means[place_of(i)];
    spreads[place_of(i)] += away * away / n;
  }
  if (axis.empty()) {
    mean = means[0];
    variance = spreads[0];
  } else {
    mean = std::move(means);
    variance = std::move(spreads);
  }
}

}  // namespace sonde
