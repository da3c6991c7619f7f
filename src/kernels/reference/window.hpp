#pragma once
#include <algorithm>
#include <cstddef>

#include "kernels/kernels.hpp"

/// The sliding product of convolution and Dense: the text that every faster one must agree with.
namespace sonde::kernels::reference {

/// The input step that tap `tap` of output step `t` reads; outside 0 … steps_in - 1 it is a zero.
inline std::ptrdiff_t input_step(const Window& s, std::ptrdiff_t t, std::ptrdiff_t tap) {
  return t * s.stride - s.left + tap * s.dilation;
}

/// y = b + x * w, then relu where asked.
template <class T>
void window_forward(const Window& s,
                    const T* x,  // (steps_in, rows, channels), by x_pitch
                    const T* w,  // (taps, channels, filters), without gaps
                    const T* b,  // (filters), or null
                    bool relu,
                    T* y) {  // (steps_out, rows, filters), by y_pitch
  for (std::ptrdiff_t t = 0; t < s.steps_out; ++t) {
    for (std::ptrdiff_t r = 0; r < s.rows; ++r) {
      T* out = y + (t * s.rows + r) * s.y_pitch;
      for (std::ptrdiff_t f = 0; f < s.filters; ++f) out[f] = b ? b[f] : T(0);
      for (std::ptrdiff_t tap = 0; tap < s.taps; ++tap) {
        const std::ptrdiff_t step = input_step(s, t, tap);
        if (step < 0 || step >= s.steps_in) continue;
        const T* in = x + (step * s.rows + r) * s.x_pitch;
        for (std::ptrdiff_t c = 0; c < s.channels; ++c) {
          const T* row = w + (tap * s.channels + c) * s.filters;
          for (std::ptrdiff_t f = 0; f < s.filters; ++f) out[f] += in[c] * row[f];
        }
      }
      for (std::ptrdiff_t f = 0; relu && f < s.filters; ++f) out[f] = out[f] < 0 ? T(0) : out[f];
    }
  }
}

/// One step of windows that are summed while their inputs come.
template <class T>
void window_push(const Window& s, std::ptrdiff_t places,
                 const T* x,  // (rows, channels), by x_pitch
                 const T* w,  // (taps, channels, filters), without gaps
                 const T* b,  // (filters), or null
                 bool relu,
                 T* sums,  // (taps - 1, rows, filters), by y_pitch
                 T* y) {   // (rows, filters), by y_pitch
  for (std::ptrdiff_t place = 0; place < places; ++place) {
    const T* rows = w + (s.taps - 1 - place) * s.channels * s.filters;
    for (std::ptrdiff_t r = 0; r < s.rows; ++r) {
      const T* from = place + 1 < s.taps ? sums + (place * s.rows + r) * s.y_pitch : b;
      T* to = place > 0 ? sums + ((place - 1) * s.rows + r) * s.y_pitch : y + r * s.y_pitch;
      for (std::ptrdiff_t f = 0; f < s.filters; ++f) {
        T sum = from ? from[f] : T(0);
        for (std::ptrdiff_t c = 0; c < s.channels; ++c) {
          sum += x[r * s.x_pitch + c] * rows[c * s.filters + f];
        }
        to[f] = relu && place == 0 && sum < 0 ? T(0) : sum;
      }
    }
  }
}

/// dx = dy * w transposed.
template <class T>
void window_backward_input(const Window& s,
                           const T* dy,  // (steps_out, rows, filters), by y_pitch
                           const T* w,   // (taps, channels, filters), without gaps
                           T* dx) {      // (steps_in, rows, channels), by x_pitch
  for (std::ptrdiff_t i = 0; i < s.steps_in * s.rows; ++i) {
    std::fill_n(dx + i * s.x_pitch, s.channels, T(0));
  }
  for (std::ptrdiff_t t = 0; t < s.steps_out; ++t) {
    for (std::ptrdiff_t tap = 0; tap < s.taps; ++tap) {
      const std::ptrdiff_t step = input_step(s, t, tap);
      if (step < 0 || step >= s.steps_in) continue;
      for (std::ptrdiff_t r = 0; r < s.rows; ++r) {
        const T* from = dy + (t * s.rows + r) * s.y_pitch;
        T* out = dx + (step * s.rows + r) * s.x_pitch;
        for (std::ptrdiff_t c = 0; c < s.channels; ++c) {
          const T* row = w + (tap * s.channels + c) * s.filters;
          for (std::ptrdiff_t f = 0; f < s.filters; ++f) out[c] += from[f] * row[f];
        }
      }
    }
  }
}

/// dw += x transposed * dy; db += the sum of dy.
template <class T>
void window_backward_weights(const Window& s,
                             const T* x,   // (steps_in, rows, channels), by x_pitch
                             const T* dy,  // (steps_out, rows, filters), by y_pitch
                             T* dw,        // (taps, channels, filters), by w_pitch
                             T* db) {      // (filters), or null
  for (std::ptrdiff_t t = 0; t < s.steps_out; ++t) {
    for (std::ptrdiff_t r = 0; r < s.rows; ++r) {
      const T* from = dy + (t * s.rows + r) * s.y_pitch;
      for (std::ptrdiff_t f = 0; db && f < s.filters; ++f) db[f] += from[f];
      for (std::ptrdiff_t tap = 0; tap < s.taps; ++tap) {
        const std::ptrdiff_t step = input_step(s, t, tap);
        if (step < 0 || step >= s.steps_in) continue;
        const T* in = x + (step * s.rows + r) * s.x_pitch;
        for (std::ptrdiff_t c = 0; c < s.channels; ++c) {
          T* row = dw + (tap * s.channels + c) * s.w_pitch;
          for (std::ptrdiff_t f = 0; f < s.filters; ++f) row[f] += in[c] * from[f];
        }
      }
    }
  }
}

}  // namespace sonde::kernels::reference
