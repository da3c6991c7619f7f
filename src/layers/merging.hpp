#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <sonde/layer.hpp>

namespace sonde {

/// What layers that merge number by number ask: at least two inputs of one shape. It is the
/// output's too.
inline void plan_merging(Planner& planner) {
  if (planner.inputs() < 2)
    planner.refuse(fmt::format("takes at least two inputs, got {}.", planner.inputs()));
  Shape output = planner.input();
  for (Index i = 1; i < planner.inputs(); ++i) {
    Shape shape = planner.input(i);
    // A stream brings the inputs in step, whatever each could hold.
    if (planner.streaming()) output[0] = shape[0] = std::max(output[0], shape[0]);
    if (shape == output) continue;
    planner.refuse(fmt::format("all inputs must have one shape, got {} and {}. {}",
                               to_string(planner.input()), to_string(planner.input(i)),
                               shape.rank() == output.rank() && shape[0] != output[0]
                                   ? "A convolution or pooling on one side may need padding = same."
                                   : "A Dense layer can bring them to the same width."));
  }
  planner.output(output);
}

}  // namespace sonde
