#include <sonde/layers/unit_normalization.hpp>

#include "layers/one_input.hpp"
#include "layers/unit_length.hpp"

namespace sonde {
namespace {

struct UnitNormalizationOp {
  Index features;

  static constexpr double epsilon = 1e-12;

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    const T* x = v.x().data;
    T* y = v.y().data;
    for (Index k = v.x().size() / features; k > 0; --k, x += features, y += features) {
      const T s = inverse_length(x, features, epsilon);
      for (Index i = 0; i < features; ++i) y[i] = x[i] * s;
    }
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    for (Index at = 0; at < v.x().size(); at += features)
      unit_length_backward(v.x().data + at, features, epsilon, v.dy().data + at, v.dx().data + at);
  }
};

}  // namespace

AnyOp UnitNormalization::plan(Planner& planner) const {
  expect_one_input(planner);
  const Shape& input = planner.input();
  if (axis.size() != 1 || (axis[0] != -1 && axis[0] != input.rank()))
    planner.refuse(fmt::format("axis must be the last one, -1 or {} for an input of shape {}.",
                               input.rank(), to_string(input)));
  planner.keep_input();
  planner.output(input);
  planner.pass_mask();
  return UnitNormalizationOp{input.last()};
}

Tensor UnitNormalization::operator()(Tensor x) const {
  return apply(*this, {std::move(x)}).front();
}

}  // namespace sonde
