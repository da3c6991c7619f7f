#pragma once
#include <algorithm>

#include "kernels/kernels.hpp"

/// How the float kernels lay out weights: alike at every level with vectors.
namespace sonde::kernels {

/// The width that every result is defined by, whatever the registers hold: a slice of 16 lanes is
/// one vector of AVX-512, two of AVX2, four of NEON. Odd widths are packed into whole slices.
inline constexpr Index slice = 16;

inline Index round_up(Index n, Index to) { return (n + to - 1) / to * to; }
inline Index whole_slices(Index n) { return round_up(n, slice); }

/// A matrix (sums, width) is packed in panels of 32 lanes, the last one of 16 where that is enough,
/// each (sums, lanes), so that a tile two slices wide reads one stream. Missing lanes are zeros.
inline constexpr Index panel = 32;

inline Index panel_lanes(Index width, Index start) {
  return std::min(panel, whole_slices(width - start));
}

/// A piece of a packed matrix: its first row's lanes, and the scalars from row to row.
struct Packed {
  const float* first;
  Index pitch;
};

/// The lanes from `lane` on, of a packed matrix (sums, width).
inline Packed packed_lanes(const float* packed, Index sums, Index width, Index lane) {
  const Index start = lane / panel * panel;
  return {packed + start * sums + (lane - start), panel_lanes(width, start)};
}

/// Packs a matrix whose row k begins at row_of(k), null for zeros, with `pitch` from lane to lane.
template <class RowOf>
void pack_panels(Index sums, Index width, Index pitch, RowOf row_of, float* packed) {
  for (Index start = 0; start < width; start += panel) {
    const Index lanes = panel_lanes(width, start);
    for (Index k = 0; k < sums; ++k, packed += lanes) {
      const float* row = row_of(k);
      const Index filled = row ? std::min(lanes, width - start) : 0;
      for (Index i = 0; i < filled; ++i) packed[i] = row[(start + i) * pitch];
      std::fill(packed + filled, packed + lanes, 0.0f);
    }
  }
}

/// Packs it in slices instead, (slices, sums, 16), each a stream of its own.
template <class RowOf>
void pack_slices(Index sums, Index width, Index pitch, RowOf row_of, float* packed) {
  for (Index start = 0; start < width; start += slice, packed += sums * slice) {
    const auto part = [&](Index k) { return row_of(k) + start * pitch; };
    pack_panels(sums, std::min(slice, width - start), pitch, part, packed);
  }
}

/// With few outputs of many channels a product is a few dot products: 16 sums that run beside each
/// other along the channels, where a tile would leave most of its lanes idle.
inline bool is_dot(const Window& s) { return s.filters <= 4 && s.channels >= slice; }

/// Scalars of w packed for forward; what backward_input needs lies behind it.
inline Index window_forward_size(const Window& s) {
  return is_dot(s) ? s.filters * s.taps * whole_slices(s.channels)
                   : s.taps * s.channels * whole_slices(s.filters);
}

/// `count` numbers from `first` on.
struct Span {
  Index first, count;
  bool operator==(const Span&) const = default;
};

/// The i of 0 … n - 1 whose place, start + i * stride, is one of 0 … places - 1.
inline Span span_inside(Index start, Index stride, Index n, Index places) {
  const Index first = start >= 0 ? 0 : (-start + stride - 1) / stride;
  const Index end = start >= places ? 0 : (places - 1 - start) / stride + 1;
  return {first, std::max<Index>(0, std::min(n, end) - first)};
}

}  // namespace sonde::kernels
