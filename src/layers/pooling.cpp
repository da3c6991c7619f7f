#include "layers/pooling.hpp"

#include <fmt/format.h>

#include "layers/window_geometry.hpp"

namespace sonde {

Pooling Pooling::plan(Planner& planner, Index pool_size, std::optional<Index> strides,
                      Padding padding) {
  planner.expect_rank(2, "(time, channels)");
  planner.at_least("pool_size", pool_size, 1);
  const Index stride = strides.value_or(pool_size);
  planner.at_least("strides", stride, 1, "Leave strides out for windows side by side.");
  if (padding == Padding::causal)
    planner.refuse("padding must be valid or same, got causal. Only Conv1D pads causally.");
  const Index steps = planner.input()[0];
  const auto geometry = WindowGeometry::of(steps, pool_size, stride, 1, padding);
  if (geometry.steps_out == 0 && !planner.streaming())
    planner.refuse(
        fmt::format("pool_size = {} is more than the {} steps of the input. "
                    "Use padding = same, or pool_size of at most {}.",
                    pool_size, steps, steps));

  Pooling pooling{.size = pool_size, .stride = stride, .left = geometry.left};
  planner.timing(geometry.timing(stride));
  Shape output{geometry.steps_out, planner.input()[1]};
  if (planner.streaming()) {
    if (padding == Padding::same && stride > 1)
      planner.cannot_stream(
          "same padding with strides above 1 is laid from the end of the signal. "
          "Use padding = valid.");
    pooling.streaming = true;
    pooling.stream = {.window = geometry.effective,
                      .stride = stride,
                      .left = geometry.left,
                      .right = geometry.right};
    output[0] = pooling.stream.plan(planner);
  }
  planner.output(output);
  return pooling;
}

}  // namespace sonde
