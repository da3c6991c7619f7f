#pragma once
#include <fmt/format.h>

#include <sonde/planner.hpp>

namespace sonde {

/// What both normalizations ask of their arguments. Returns the number of features.
inline Index plan_feature_axis(const Planner& planner, Index axis, double epsilon) {
  if (planner.inputs() != 1)
    planner.refuse(fmt::format("takes one input, got {}.", planner.inputs()));
  const Shape& input = planner.input();
  if (axis != -1 && axis != input.rank())
    planner.refuse(
        fmt::format("axis must be the last one, -1 or {} for an input of shape {}, got {}.",
                    input.rank(), to_string(input), axis));
  if (!(epsilon > 0))
    planner.refuse(fmt::format("epsilon must be above 0, got {}. Use epsilon = 0.001.", epsilon));
  return input.last();
}

}  // namespace sonde
