#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/window.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <numeric>

#include "kernels/kernels.hpp"
#include "kernels/reference/window.hpp"
#include "kernels/simd/dot-inl.h"
#include "kernels/simd/packed.hpp"
#include "kernels/simd/tile-inl.h"

/// The window forward and its gradient towards the input.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

void forward(const Window& s, const float* x, const float* packed, const float* b, bool relu,
             float* y) {
  const Index x_step = s.rows * s.x_pitch, y_step = s.rows * s.y_pitch;
  for (Index t = 0; t < s.steps_out;) {
    const Index start = t * s.stride - s.left;
    const Span taps = span_inside(start, s.dilation, s.taps, s.steps_in);
    Index end = t + 1;  // steps that meet the same taps run together
    while (end < s.steps_out &&
           span_inside(end * s.stride - s.left, s.dilation, s.taps, s.steps_in) == taps) {
      ++end;
    }
    Sum sum{.outer = taps.count, .inner = s.channels, .x_outer = s.dilation * x_step, .relu = relu};
    Matrix m{packed, s.taps * s.channels, s.filters, taps.first * s.channels, s.channels};
    const Rows rows{end - t, s.rows, s.stride * x_step, s.x_pitch, y_step, s.y_pitch};
    const float* first = taps.count > 0 ? x + (start + taps.first * s.dilation) * x_step : x;
    if (is_dot(s)) {
      dot_rows(s, taps.first, taps.count, rows, first, packed, b, relu, y + t * y_step);
    } else {
      // Where it can, the walk over taps is the inner one: it is the longer, or goes straight on.
      if (s.channels == 1 || sum.x_outer == s.channels) {
        sum.inner = sum.outer * s.channels;
        sum.x_inner = s.channels == 1 ? sum.x_outer : 1;
        sum.outer = 1;
      }
      multiply(sum, m, rows, first, b, y + t * y_step);
    }
    t = end;
  }
}

/// Input step i = u * stride + phase - left … takes from the output steps t with t * stride + tap *
/// dilation = i + left. So inputs with the same phase form a stride-1 product over every `every`-th
/// tap, read backwards.
void backward_input(const Window& s, const float* dy, const float* packed, float* dx) {
  const Index x_step = s.rows * s.x_pitch, y_step = s.rows * s.y_pitch;
  const Index every = s.stride / std::gcd(s.stride, s.dilation);
  const Index back = every * s.dilation / s.stride;  // output steps from one such tap to the next
  packed += window_forward_size(s);
  for (Index phase = 0; phase < std::min(s.stride, s.steps_in); ++phase) {
    // The first tap of this phase, or none.
    Index tap = 0;
    while (tap < every && (phase + s.left - tap * s.dilation) % s.stride != 0) ++tap;
    const Index taps = tap < every && tap < s.taps ? (s.taps - 1 - tap) / every + 1 : 0;
    const Index steps = (s.steps_in - 1 - phase) / s.stride + 1;
    const Index newest = (phase + s.left - tap * s.dilation) / s.stride;
    const auto taps_of = [&](Index u) {
      // The output step counted from the last one, so that taps walk forwards.
      return span_inside(s.steps_out - 1 - (newest + u), back, taps, s.steps_out);
    };
    for (Index u = 0; u < steps;) {
      const Span met = taps_of(u);
      Index end = u + 1;
      while (end < steps && taps_of(end) == met) ++end;
      const Sum sum{.outer = met.count, .inner = s.filters, .x_outer = -back * y_step};
      const Matrix m{packed, s.taps * s.filters, s.channels, (tap + met.first * every) * s.filters,
                     every * s.filters};
      const Rows rows{end - u, s.rows, y_step, s.y_pitch, s.stride * x_step, s.x_pitch};
      const float* first = met.count > 0 ? dy + (newest + u - met.first * back) * y_step : dy;
      multiply(sum, m, rows, first, nullptr, dx + (phase + u * s.stride) * x_step);
      u = end;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

template <>
Index window_packed_size<float>(const Window& s) {
  return window_forward_size(s) + s.taps * s.filters * whole_slices(s.channels);
}

void window_pack(const Window& s, const float* w, float* packed) {
  if (level_in_use() == Level::reference) {
    for (Index k = 0; k < s.taps * s.channels; ++k) {
      packed = std::copy_n(w + k * s.w_pitch, s.filters, packed);
    }
    return;
  }
  if (is_dot(s)) {
    const Index width = whole_slices(s.channels);
    for (Index i = 0; i < s.filters * s.taps; ++i) {
      const float* column = w + i % s.taps * s.channels * s.w_pitch + i / s.taps;
      for (Index c = 0; c < width; ++c) {
        packed[i * width + c] = c < s.channels ? column[c * s.w_pitch] : 0.0f;
      }
    }
  } else {
    pack_panels(
        s.taps * s.channels, s.filters, 1, [&](Index k) { return w + k * s.w_pitch; }, packed);
  }
  // Transposed for each tap: (taps, filters) sums, channels lanes.
  const auto column = [&](Index k) {
    return w + k / s.filters * s.channels * s.w_pitch + k % s.filters;
  };
  pack_panels(s.taps * s.filters, s.channels, s.w_pitch, column, packed + window_forward_size(s));
}

void window_forward(const Window& s, const float* x, const float* packed, const float* b, bool relu,
                    float* y) {
  SONDE_CHOOSE(forward, &reference::window_forward<float>)(s, x, packed, b, relu, y);
}

void window_backward_input(const Window& s, const float* dy, const float* packed, float* dx) {
  SONDE_CHOOSE(backward_input, &reference::window_backward_input<float>)(s, dy, packed, dx);
}

}  // namespace sonde::kernels
#endif
