#include <fmt/format.h>

#include <sonde/layers/flatten.hpp>

#include "layers/row_order.hpp"

namespace sonde {

AnyOp Flatten::plan(Planner& planner) const {
  if (planner.inputs() != 1)
    planner.refuse(fmt::format("takes one input, got {}.", planner.inputs()));
  planner.cannot_stream("it needs all steps of the signal at once.");
  if (!planner.input().is_static())
    planner.refuse(
        fmt::format("needs a known number of steps, got {}. "
                    "Give Input the length, or use a global pooling.",
                    to_string(planner.input())));
  planner.output({planner.input().elements()});
  return RowOrderOp{};
}

Tensor Flatten::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
