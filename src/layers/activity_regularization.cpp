#include <algorithm>
#include <sonde/layers/activity_regularization.hpp>

#include "layers/one_input.hpp"

namespace sonde {
namespace {

struct CopyOp {
  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    std::copy_n(v.x().data, v.x().size(), v.y().data);
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (v.dx()) std::copy_n(v.dy().data, v.dy().size(), v.dx().data);
  }
};

}  // namespace

AnyOp ActivityRegularization::plan(Planner& planner) const {
  expect_one_input(planner);
  planner.pass_mask();
  planner.output(planner.input());
  return detail::regularized(planner, L1L2{l1, l2}, CopyOp{});
}

Tensor ActivityRegularization::operator()(Tensor x) const {
  return apply(*this, {std::move(x)}).front();
}

}  // namespace sonde
