#include <sonde/layers/elu.hpp>

#include "kernels/kernels.hpp"
#include "layers/one_input.hpp"

namespace sonde {
namespace {

struct EluOp {
  double alpha;

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    const T a = static_cast<T>(alpha);
    const T* x = v.x().data;
    T* y = v.y().data;
    kernels::activation_forward(ActivationFunction::elu, 1, v.x().size(), x, y);
    if (alpha == 1) return;
    for (Index i = 0; i < v.x().size(); ++i) y[i] = x[i] > 0 ? y[i] : a * y[i];
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const T a = static_cast<T>(alpha);
    const T *x = v.x().data, *y = v.y().data, *dy = v.dy().data;
    T* dx = v.dx().data;
    // Below 0 the derivative is alpha exp(x) = y + alpha.
    for (Index i = 0; i < v.x().size(); ++i) dx[i] = x[i] > 0 ? dy[i] : dy[i] * (y[i] + a);
  }
};

}  // namespace

AnyOp ELU::plan(Planner& planner) const {
  expect_one_input(planner);
  planner.keep_input();
  planner.keep_output();
  planner.output(planner.input());
  planner.pass_mask();
  return EluOp{alpha};
}

Tensor ELU::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
