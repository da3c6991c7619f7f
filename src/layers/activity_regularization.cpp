#include <sonde/layers/activity_regularization.hpp>

#include "layers/one_input.hpp"
#include "layers/row_order.hpp"

namespace sonde {
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
