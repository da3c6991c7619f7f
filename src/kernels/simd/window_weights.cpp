#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/window_weights.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/kernels.hpp"
#include "kernels/reference/window.hpp"
#include "kernels/simd/packed.hpp"
#include "kernels/simd/tile-inl.h"

/// The window's gradient towards its weights: a tile holds some of dw while positions (step, row)
/// go by, each adding a number of x times a vector of dy.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// The sum over the output steps of `steps`, except for where its x begins.
Sum over_steps(const Window& s, Span steps) {
  Sum sum{.outer = steps.count,
          .inner = s.rows,
          .x_outer = s.stride * s.rows * s.x_pitch,
          .x_inner = s.x_pitch,
          .w_outer = s.rows * s.y_pitch,
          .w_inner = s.y_pitch,
          .add = true};
  if (s.stride == 1) {
    sum.inner *= sum.outer;
    sum.outer = 1;
  }
  return sum;
}

/// The output steps among `steps` that see the signal through `tap`.
Span steps_of_tap(const Window& s, Index tap, Span steps) {
  const Span seen = span_inside(tap * s.dilation - s.left, s.stride, s.steps_out, s.steps_in);
  const Index first = std::max(seen.first, steps.first);
  const Index end = std::min(seen.first + seen.count, steps.first + steps.count);
  return {first, std::max<Index>(0, end - first)};
}

/// The first number of x that `tap` shows to output step t.
const float* x_of_tap(const Window& s, const float* x, Index tap, Index t) {
  return x + reference::input_step(s, t, tap) * s.rows * s.x_pitch;
}

/// One row of dw: its tap and channel, and the steps that see the signal through the tap.
struct WeightRow {
  Index tap, channel;
  Span seen;
};

/// The row behind `row`, among the output steps `steps`.
WeightRow next_row(const Window& s, WeightRow row, Span steps) {
  if (++row.channel < s.channels) return row;
  return {row.tap + 1, 0, steps_of_tap(s, row.tap + 1, steps)};
}

/// Adds the steps of `part` to `count` rows of dw, in the lanes from `lane` on.
void add_part(const Window& s, const WeightRow* rows, Index count, Index lane, Span part,
              const float* x, const float* dy, float* dw) {
  if (part.count <= 0) return;
  const float* x_rows[tile_rows];
  float* y_rows[tile_rows];
  for (Index i = 0; i < count; ++i) {
    x_rows[i] = x_of_tap(s, x, rows[i].tap, part.first) + rows[i].channel;
    y_rows[i] = dw + (rows[i].tap * s.channels + rows[i].channel) * s.w_pitch + lane;
  }
  Sum sum = over_steps(s, part);
  const Index vectors = set_counts(sum, s.filters - lane);
  tile_of(count, vectors)(sum, x_rows, dy + part.first * s.rows * s.y_pitch + lane, y_rows);
}

/// Adds all steps they see. At the ends of the signal the rows of a tile may belong to taps that
/// see different steps: those before and behind the shared ones go row by row.
void add_to_rows(const Window& s, const WeightRow* rows, Index count, Index lane, const float* x,
                 const float* dy, float* dw) {
  Index first = rows[0].seen.first, end = first + rows[0].seen.count;
  for (Index i = 1; i < count; ++i) {
    first = std::max(first, rows[i].seen.first);
    end = std::min(end, rows[i].seen.first + rows[i].seen.count);
  }
  end = std::max(first, end);
  for (Index i = 0; i < count; ++i) {
    const Span seen = rows[i].seen;
    const Index until = std::min(first, seen.first + seen.count);
    add_part(s, rows + i, 1, lane, {seen.first, until - seen.first}, x, dy, dw);
  }
  add_part(s, rows, count, lane, {first, end - first}, x, dy, dw);
  for (Index i = 0; i < count; ++i) {
    const Span seen = rows[i].seen;
    const Index from = std::max(end, seen.first);
    add_part(s, rows + i, 1, lane, {from, seen.first + seen.count - from}, x, dy, dw);
  }
}

void add_bias(const Window& s, Index lane, Span steps, const float* dy, float* db) {
  static constexpr float one = 1.0f;
  Sum sum = over_steps(s, steps);
  sum.x_outer = sum.x_inner = 0;
  const Index vectors = set_counts(sum, s.filters - lane);
  const float* x_rows[] = {&one};
  float* y_rows[] = {db + lane};
  tile_of(1, vectors)(sum, x_rows, dy + steps.first * s.rows * s.y_pitch + lane, y_rows);
}

/// For few filters of many channels: the same sums with the channels as lanes.
void backward_few_filters(const Window& s, const float* x, const float* dy, float* dw) {
  for (Index tap = 0; tap < s.taps; ++tap) {
    const Span seen = steps_of_tap(s, tap, {0, s.steps_out});
    if (seen.count == 0) continue;
    // x and dy change places.
    Sum sum = over_steps(s, seen);
    std::swap(sum.x_outer, sum.w_outer);
    std::swap(sum.x_inner, sum.w_inner);
    for (Index c = 0; c < s.channels; c += tile_lanes) {
      const Index vectors = set_counts(sum, s.channels - c);
      const Index width = std::min(tile_lanes, s.channels - c);
      float* corner = dw + (tap * s.channels + c) * s.w_pitch;
      float turned[4][tile_lanes] = {};
      const float* x_rows[4];
      float* y_rows[4];
      for (Index f = 0; f < s.filters; ++f) {
        for (Index i = 0; i < width; ++i) turned[f][i] = corner[i * s.w_pitch + f];
        x_rows[f] = dy + seen.first * s.rows * s.y_pitch + f;
        y_rows[f] = turned[f];
      }
      tile_of(s.filters, vectors)(sum, x_rows, x_of_tap(s, x, tap, seen.first) + c, y_rows);
      for (Index f = 0; f < s.filters; ++f) {
        for (Index i = 0; i < width; ++i) corner[i * s.w_pitch + f] = turned[f][i];
      }
    }
  }
}

void backward_weights(const Window& s, const float* x, const float* dy, float* dw, float* db) {
  // 256 positions of 32 lanes of dy are 32 KiB, which a first-level cache nearly holds; a shorter
  // block would load and store dw more often.
  const Index block = std::max<Index>(1, 256 / std::max<Index>(s.rows, 1));
  for (Index t = 0; t < s.steps_out; t += block) {
    const Span steps{t, std::min(block, s.steps_out - t)};
    for (Index lane = 0; lane < s.filters; lane += tile_lanes) {
      if (db) add_bias(s, lane, steps, dy, db);
      Index left = is_dot(s) ? 0 : s.taps * s.channels;
      WeightRow next{0, 0, steps_of_tap(s, 0, steps)};
      for (Index tiles = (left + tile_rows - 1) / tile_rows; tiles > 0; --tiles) {
        const Index count = (left + tiles - 1) / tiles;
        WeightRow rows[tile_rows];
        for (Index i = 0; i < count; ++i) {
          rows[i] = next;
          next = next_row(s, next, steps);
        }
        add_to_rows(s, rows, count, lane, x, dy, dw);
        left -= count;
      }
    }
  }
  if (is_dot(s)) backward_few_filters(s, x, dy, dw);
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

void window_backward_weights(const Window& s, const float* x, const float* dy, float* dw,
                             float* db) {
  SONDE_CHOOSE(backward_weights, &reference::window_backward_weights<float>)(s, x, dy, dw, db);
}

}  // namespace sonde::kernels
#endif
