#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/window_push.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/kernels.hpp"
#include "kernels/reference/window.hpp"
#include "kernels/simd/packed.hpp"
#include "kernels/simd/tile-inl.h"

/// The window forward of a stream. One output alone is a chain of taps * channels multiply-adds
/// that wait for each other; the windows that one step takes part in wait for nothing but that
/// step.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// One row of a step.
struct PushRow {
  Index taps, channels, filters;
  const float* x;       ///< (channels)
  const float* packed;  ///< panels of (taps * channels, filters)
  const float* b;       ///< (filters), or null
  bool relu;
  float* sums;  ///< (taps - 1, filters), `pitch` from one to the next
  Index pitch;
  float* y;  ///< (filters)
};

/// A tile of `places` windows from place `first` on, and of the vectors of filters from `lane` on.
template <int places, int vectors>
HWY_NOINLINE void push_tile(const PushRow& a, Index first, Index lane) {
  const Packed m = packed_lanes(a.packed, a.taps * a.channels, a.filters, lane);
  const float* w[places];
  Vector sum[places][vectors];
  SONDE_UNROLL for (int p = 0; p < places; ++p) {
    const Index place = first + p;
    w[p] = m.first + (a.taps - 1 - place) * a.channels * m.pitch;
    const float* from = place + 1 < a.taps ? a.sums + place * a.pitch : a.b;
    SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
      sum[p][v] = from ? hn::LoadU(tag, from + lane + v * lanes) : hn::Zero(tag);
    }
  }
  Index from = 0;
  for (Index k = 0; k < a.channels; ++k, from += m.pitch) {
    const Vector xk = set(a.x[k]);
    SONDE_UNROLL for (int p = 0; p < places; ++p) {
      SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
        sum[p][v] = hn::MulAdd(xk, hn::LoadU(tag, w[p] + from + v * lanes), sum[p][v]);
      }
    }
  }
  SONDE_UNROLL for (int p = 0; p < places; ++p) {
    const Index place = first + p;
    float* to = (place > 0 ? a.sums + (place - 1) * a.pitch : a.y) + lane;
    SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
      Vector all = sum[p][v];
      if (place == 0 && a.relu) all = hn::IfThenZeroElse(hn::Lt(all, hn::Zero(tag)), all);
      store_first(all, a.filters - lane - v * lanes, to + v * lanes);
    }
  }
}

using PushTile = void (*)(const PushRow&, Index, Index);

template <int vectors>
HWY_INLINE PushTile push_tile_of(Index places) {
  switch (places) {
    case 1:
      return &push_tile<1, vectors>;
    case 2:
      return &push_tile<2, vectors>;
    case 3:
      return &push_tile<3, vectors>;
    case 4:
      return &push_tile<4, vectors>;
    case 5:
      return &push_tile<5, vectors>;
    case 6:
      return &push_tile < tile_rows < 6 ? 1 : 6, vectors > ;
    case 7:
      return &push_tile < tile_rows < 8 ? 1 : 7, vectors > ;
    default:
      return &push_tile < tile_rows < 8 ? 1 : 8, vectors > ;
  }
}

void push(const Window& s, Index places, const float* x, const float* packed, const float* b,
          bool relu, float* sums, float* y) {
  for (Index r = 0; r < s.rows; ++r) {
    const PushRow row{.taps = s.taps,
                      .channels = s.channels,
                      .filters = s.filters,
                      .x = x + r * s.x_pitch,
                      .packed = packed,
                      .b = b,
                      .relu = relu,
                      .sums = sums + r * s.y_pitch,
                      .pitch = s.rows * s.y_pitch,
                      .y = y + r * s.y_pitch};
    Index first = 0;
    for (Index tiles = (places + tile_rows - 1) / tile_rows; tiles > 0; --tiles) {
      const Index count = (places - first + tiles - 1) / tiles;
      const PushTile wide = push_tile_of<tile_vectors>(count), narrow = push_tile_of<1>(count);
      Index lane = 0;
      for (; lane + tile_lanes - lanes < s.filters; lane += tile_lanes) wide(row, first, lane);
      for (; lane < s.filters; lane += lanes) narrow(row, first, lane);
      first += count;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

bool window_can_push(const Window& s) {
  return s.taps > 1 && s.stride == 1 && s.dilation == 1 && !is_dot(s);
}

void window_push(const Window& s, Index places, const float* x, const float* packed, const float* b,
                 bool relu, float* sums, float* y) {
  SONDE_CHOOSE(push, &reference::window_push<float>)(s, places, x, packed, b, relu, sums, y);
}

}  // namespace sonde::kernels
#endif
