#pragma once
#include <algorithm>

#include "layers/conv_geometry.hpp"

namespace sonde {

/// A sliding window for each channel: output c * multiplier + m reads channel c alone.
struct Depthwise {
  Index steps_in = 1, steps_out = 1, rows = 1;
  Index channels = 1, multiplier = 1;
  Index taps = 1, stride = 1, dilation = 1, left = 0;

  Index width() const { return channels * multiplier; }

  template <class T>
  void forward(const T* x,  // (steps_in, rows, channels)
               const T* w,  // (taps, channels, multiplier)
               const T* b,  // (channels * multiplier), or null
               T* y) const {
    for (Index i = 0; i < steps_out * rows; ++i)
      for (Index f = 0; f < width(); ++f) y[i * width() + f] = b ? b[f] : T(0);
    each_product([&](Index in, Index tap, Index out) {
      for (Index c = 0, f = 0; c < channels; ++c)
        for (Index m = 0; m < multiplier; ++m, ++f)
          y[out * width() + f] += x[in * channels + c] * w[tap * width() + f];
    });
  }
  /// Overwrites dx.
  template <class T>
  void backward_input(const T* dy, const T* w, T* dx) const {
    std::fill_n(dx, steps_in * rows * channels, T(0));
    each_product([&](Index in, Index tap, Index out) {
      for (Index c = 0, f = 0; c < channels; ++c)
        for (Index m = 0; m < multiplier; ++m, ++f)
          dx[in * channels + c] += dy[out * width() + f] * w[tap * width() + f];
    });
  }
  /// Adds to dw and db (or null).
  template <class T>
  void backward_weights(const T* x, const T* dy, T* dw, T* db) const {
    for (Index i = 0; db && i < steps_out * rows; ++i)
      for (Index f = 0; f < width(); ++f) db[f] += dy[i * width() + f];
    each_product([&](Index in, Index tap, Index out) {
      for (Index c = 0, f = 0; c < channels; ++c)
        for (Index m = 0; m < multiplier; ++m, ++f)
          dw[tap * width() + f] += x[in * channels + c] * dy[out * width() + f];
    });
  }

  /// For what `geometry` says of the planner's input.
  static Depthwise of(const Planner& planner, const WindowGeometry& geometry, Index kernel_size,
                      Index strides, Index dilation_rate, Index depth_multiplier) {
    return {.steps_in = planner.input()[0],
            .steps_out = geometry.steps_out,
            .channels = planner.input()[1],
            .multiplier = depth_multiplier,
            .taps = kernel_size,
            .stride = strides,
            .dilation = dilation_rate,
            .left = geometry.left};
  }

 private:
  /// Calls f(vector of x, tap, vector of y) for each step that a window reads inside the signal.
  template <class F>
  void each_product(F f) const {
    for (Index t = 0; t < steps_out; ++t)
      for (Index tap = 0; tap < taps; ++tap) {
        const Index step = t * stride - left + tap * dilation;
        if (step < 0 || step >= steps_in) continue;
        for (Index r = 0; r < rows; ++r) f(step * rows + r, tap, t * rows + r);
      }
  }
};

}  // namespace sonde
