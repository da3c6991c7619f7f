#include "layers/pooling2d.hpp"

#include <fmt/format.h>

#include "layers/window_geometry.hpp"

namespace sonde {

Pooling2D Pooling2D::plan(Planner& planner, Size2D pool_size, std::optional<Size2D> strides,
                          Padding padding) {
  planner.expect_rank(3, "(time, width, channels)");
  const Size2D stride = strides.value_or(pool_size);
  planner.at_least("pool_size", std::min(pool_size.height, pool_size.width), 1);
  planner.at_least("strides", std::min(stride.height, stride.width), 1,
                   "Leave strides out for windows side by side.");
  if (padding == Padding::causal)
    planner.refuse("padding must be valid or same, got causal. Only Conv1D pads causally.");
  const Shape& input = planner.input();
  const auto time = WindowGeometry::of(input[0], pool_size.height, stride.height, 1, padding);
  const auto across = WindowGeometry::of(input[1], pool_size.width, stride.width, 1, padding);
  if ((time.steps_out == 0 && !planner.streaming()) || across.steps_out == 0)
    planner.refuse(
        fmt::format("pool_size = ({}, {}) is more than the {} steps or the {} columns of the "
                    "input. Use padding = same, or smaller windows.",
                    pool_size.height, pool_size.width, input[0], input[1]));

  Pooling2D pooling{.size = pool_size,
                    .stride = stride,
                    .top = time.left,
                    .left = across.left,
                    .width = input[1],
                    .columns = across.steps_out,
                    .channels = input[2]};
  planner.timing(time.timing(stride.height));
  Shape output{time.steps_out, across.steps_out, input[2]};
  if (planner.streaming()) {
    if (padding == Padding::same && stride.height > 1)
      planner.cannot_stream(
          "same padding with strides above 1 is laid from the end of the signal. "
          "Use padding = valid.");
    pooling.streaming = true;
    pooling.stream = {
        .window = time.effective, .stride = stride.height, .left = time.left, .right = time.right};
    output[0] = pooling.stream.plan(planner);
  }
  planner.output(output);
  return pooling;
}

}  // namespace sonde
