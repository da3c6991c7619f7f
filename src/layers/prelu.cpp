#include <sonde/layers/prelu.hpp>

#include "layers/broadcast.hpp"
#include "layers/one_input.hpp"

namespace sonde {
namespace {

struct PReluOp {
  Broadcast partner;
  Slot alpha;

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    const T *x = v.x().data, *a = v[alpha];
    T* y = v.y().data;
    each(v.x(), [&](Index i, Index p) { y[i] = x[i] <= 0 ? a[p] * x[i] : x[i]; });
  }
  template <class T>
  void backward(const View<T>& v) const {
    const T *x = v.x().data, *a = v[alpha], *dy = v.dy().data;
    T *dx = v.dx().data, *da = v.gradient(alpha);
    each(v.x(), [&](Index i, Index p) {
      if (x[i] <= 0) da[p] += dy[i] * x[i];
      if (dx) dx[i] = x[i] <= 0 ? dy[i] * a[p] : dy[i];
    });
  }
  /// Calls f(place of a number, place of its alpha).
  template <class T, class F>
  void each(const Chunk<T>& x, F f) const {
    Index place = 0;
    for (Index t = 0; t < x.steps; ++t)
      for (Index r = 0; r < x.rows; ++r)
        for (Index i = 0; i < x.width; ++i) f(place++, partner.at(t, i));
  }
};

}  // namespace

AnyOp PReLU::plan(Planner& planner) const {
  expect_one_input(planner);
  const Shape& input = planner.input();
  Shape shape = input;
  for (const Index axis : shared_axes) {
    if (axis < 1 || axis > input.rank())
      planner.refuse(
          fmt::format("shared_axes must be 1 to {} for an input of shape {}, got {}. "
                      "Axis 1 is the first after the batch.",
                      input.rank(), to_string(input), axis));
    shape[axis - 1] = 1;
  }
  if (input.rank() >= 2 && shape[0] != 1) {
    planner.cannot_stream("every step has an alpha of its own. Use shared_axes = 1.");
    if (shape[0] == dynamic)
      planner.refuse(
          fmt::format("every step has an alpha of its own, so it needs a known number of steps, "
                      "got {}. Use shared_axes = 1, or give Input the length.",
                      to_string(input)));
  }
  planner.keep_input();
  planner.output(input);
  planner.pass_mask();
  const auto partner = Broadcast::of(input, shape);
  return PReluOp{partner, planner.weight("alpha", shape,
                                         {alpha_initializer, alpha_regularizer, alpha_constraint})};
}

Tensor PReLU::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
