#include <limits>
#include <sonde/layers/leaky_relu.hpp>
#include <sonde/layers/relu.hpp>

#include "layers/one_input.hpp"

namespace sonde {
namespace {

/// slope * (x - threshold) up to the threshold, x above it, and at most `most`.
struct RectifierOp {
  double slope, threshold, most;

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    const T s = static_cast<T>(slope), t = static_cast<T>(threshold), m = static_cast<T>(most);
    const T* x = v.x().data;
    T* y = v.y().data;
    // NaN goes through every comparison and stays.
    for (Index i = 0; i < v.x().size(); ++i)
      y[i] = x[i] <= t ? (slope == 0 ? T(0) : s * (x[i] - t)) : x[i] > m ? m : x[i];
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const T s = static_cast<T>(slope), t = static_cast<T>(threshold), m = static_cast<T>(most);
    const T *x = v.x().data, *dy = v.dy().data;
    T* dx = v.dx().data;
    for (Index i = 0; i < v.x().size(); ++i)
      dx[i] = dy[i] * (x[i] <= t ? s : x[i] > m ? T(0) : T(1));
  }
};

AnyOp plan_rectifier(Planner& planner, RectifierOp op) {
  expect_one_input(planner);
  const auto check = [&](const char* name, double value) {
    if (!(value >= 0)) planner.refuse(fmt::format("{} must be at least 0, got {}.", name, value));
  };
  check("max_value", op.most);
  check("negative_slope", op.slope);
  check("threshold", op.threshold);
  planner.keep_input();
  planner.output(planner.input());
  planner.pass_mask();
  return op;
}

constexpr double no_limit = std::numeric_limits<double>::infinity();

}  // namespace

AnyOp ReLU::plan(Planner& planner) const {
  return plan_rectifier(planner, {negative_slope, threshold, max_value.value_or(no_limit)});
}

Tensor ReLU::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

AnyOp LeakyReLU::plan(Planner& planner) const {
  return plan_rectifier(planner, {negative_slope, 0, no_limit});
}

Tensor LeakyReLU::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
