#pragma once
#include <fmt/format.h>

#include "layers/stream_window.hpp"
#include "layers/window_geometry.hpp"

namespace sonde {

/// What the convolutions over (time, channels) ask of their arguments, and where their windows lie.
inline WindowGeometry plan_conv_geometry(const Planner& planner, Index kernel_size, Index strides,
                                         Index dilation_rate, Padding padding, bool pads_causally) {
  planner.expect_rank(2, "(time, channels)");
  planner.at_least("kernel_size", kernel_size, 1, "Use kernel_size = 1 for a per-step projection.");
  planner.at_least("strides", strides, 1);
  planner.at_least("dilation_rate", dilation_rate, 1);
  if (strides > 1 && dilation_rate > 1)
    planner.refuse(fmt::format(
        "strides = {} and dilation_rate = {} cannot both be above 1. Set one of them to 1.",
        strides, dilation_rate));
  if (padding == Padding::causal && !pads_causally)
    planner.refuse("padding must be valid or same, got causal. Only Conv1D pads causally.");
  const Index steps = planner.input()[0];
  const auto geometry = WindowGeometry::of(steps, kernel_size, strides, dilation_rate, padding);
  if (geometry.steps_out == 0 && !planner.streaming())
    planner.refuse(fmt::format(
        "kernel_size = {} spans {} steps, but the input has only {} steps. Use padding "
        "= same{}, or a kernel of at most {} steps.",
        kernel_size, geometry.effective, steps, pads_causally ? " or causal" : "", steps));
  return geometry;
}

/// What a stream holds for these windows.
inline StreamWindow plan_conv_stream(const Planner& planner, const WindowGeometry& geometry,
                                     Index strides, Padding padding) {
  if (padding == Padding::same && strides > 1)
    planner.cannot_stream(
        "same padding with strides above 1 is laid from the end of the signal. Use another "
        "padding.");
  return {.window = geometry.effective,
          .stride = strides,
          .left = geometry.left,
          .right = geometry.right};
}

}  // namespace sonde
