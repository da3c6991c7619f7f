#include <algorithm>
#include <cmath>
#include <sonde/layers/gaussian_dropout.hpp>
#include <sonde/layers/gaussian_noise.hpp>

#include "layers/dropout_mask.hpp"
#include "layers/final_activation.hpp"
#include "layers/one_input.hpp"

namespace sonde {
namespace {

/// y = x + a number drawn, or x * a number drawn.
struct GaussianOp {
  double mean, stddev;
  std::optional<Index> seed;
  bool multiplies;
  Slot factors = {};  // like the input, where backward needs them

  template <class T>
  bool draws(const View<T>& v) const {
    return v.training() && stddev > 0;
  }
  template <class T>
  void forward(const View<T>& v) const {
    const Chunk<const T> x = v.x();
    v.produce(x.steps);
    T* y = v.y().data;
    if (!draws(v)) {
      std::copy_n(x.data, x.size(), y);
      return;
    }
    T* drawn = multiplies ? v[factors] : y;
    draw(v, drawn);
    for (Index i = 0; i < x.size(); ++i)
      y[i] = multiplies ? x.data[i] * drawn[i] : x.data[i] + drawn[i];
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const Chunk<T> dy = v.dy();
    T* dx = v.dx().data;
    std::copy_n(dy.data, dy.size(), dx);
    const T* drawn = v[factors];
    for (Index i = 0; multiplies && draws(v) && i < dy.size(); ++i) dx[i] *= drawn[i];
  }
  /// A number's position is its place in the whole batch, so shards draw what the batch would.
  template <class T>
  void draw(const View<T>& v, T* drawn) const {
    const Chunk<const T> x = v.x();
    const RandomKey key = mask_key(v, seed);
    for (Index t = 0; t < x.steps; ++t)
      for (Index r = 0; r < x.rows; ++r, drawn += x.width)
        draw_normal(key, (v.row_number(r) * x.steps + t) * x.width, x.width, mean, stddev, drawn);
  }
};

}  // namespace

AnyOp GaussianNoise::plan(Planner& planner) const {
  expect_one_input(planner);
  if (!(*stddev >= 0 && *stddev <= 1))
    planner.refuse(
        fmt::format("stddev must be from 0 to 1, got {}. "
                    "Signals of another size can be brought to 1 with Normalization.",
                    *stddev));
  planner.output(planner.input());
  planner.pass_mask();
  return GaussianOp{.mean = 0, .stddev = *stddev, .seed = seed, .multiplies = false};
}

Tensor GaussianNoise::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

AnyOp GaussianDropout::plan(Planner& planner) const {
  expect_one_input(planner);
  if (!(*rate >= 0 && *rate < 1))
    planner.refuse(fmt::format("rate must be at least 0 and below 1, got {}.", *rate));
  planner.output(planner.input());
  planner.pass_mask();
  GaussianOp op{
      .mean = 1, .stddev = std::sqrt(*rate / (1 - *rate)), .seed = seed, .multiplies = true};
  if (*rate > 0) op.factors = planner.saved(per_row(planner.input()));
  return op;
}

Tensor GaussianDropout::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
