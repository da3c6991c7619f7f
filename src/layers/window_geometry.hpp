#pragma once
#include <sonde/activations.hpp>
#include <sonde/planner.hpp>

namespace sonde {

/// Where windows of `taps` steps, `dilation` apart, lie over a signal. Keras: conv and pooling.
struct WindowGeometry {
  Index effective = 1;  ///< steps from the first to the last tap
  Index left = 0;       ///< padding before the signal
  Index right = 0;      ///< padding after it
  Index steps_out = 0;  ///< dynamic when the signal's length is

  static WindowGeometry of(Index steps, Index taps, Index stride, Index dilation, Padding padding) {
    WindowGeometry g;
    g.effective = (taps - 1) * dilation + 1;
    const bool known = steps != dynamic;
    if (padding == Padding::causal) g.left = g.effective - 1;
    if (padding == Padding::same) {
      // The odd step of padding goes to the end. With strides it depends on the length.
      const Index out = known ? (steps + stride - 1) / stride : 0;
      const Index total =
          known ? std::max<Index>(0, (out - 1) * stride + g.effective - steps) : g.effective - 1;
      g.left = total / 2;
      g.right = total - g.left;
    }
    const Index padded = steps + g.left + g.right;
    g.steps_out = !known ? dynamic : padded < g.effective ? 0 : (padded - g.effective) / stride + 1;
    return g;
  }
  Timing timing(Index stride) const {
    return {.window = effective, .left = left, .stride = stride};
  }
};

}  // namespace sonde
