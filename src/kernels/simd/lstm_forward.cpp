#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/lstm_forward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/kernels.hpp"
#include "kernels/simd/lstm.hpp"
#include "kernels/simd/lstm_cell-inl.h"

/// The LSTM forward: one walk over time; the sums of all four gates of some rows and one slice stay
/// in registers until c and h come out of them.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// z: (4, rows * vectors, lanes).
template <int rows, int vectors>
HWY_NOINLINE void finish(const Cell& a, Index unit, const float* z) {
  finish_gates<rows, vectors>(
      a, unit, [&](int gate) HWY_ATTR { return take_sums<rows * vectors>(z, gate); });
}

/// w: (slices, channels + units, 4, 16), b: (slices, 4, 16).
template <int rows, int vectors>
HWY_NOINLINE void cell(const Cell& a, Index unit, const float* w, const float* b) {
  constexpr int n = rows * vectors;
  const Index slice_of_w = (a.channels + a.units) * gates_of_slice;
  const Index w_next = next_in_slices(unit, slice_of_w);
  w += in_slices(unit, slice_of_w);
  Gates<n> sum;
  SONDE_UNROLL for (int g = 0; g < 4; ++g) {
    SONDE_UNROLL for (int i = 0; i < n; ++i) {
      const Index from = in_slices(unit_of(unit, i % vectors), gates_of_slice) + g * slice;
      sum[g].v[i] = hn::LoadU(tag, b + from);
    }
  }
  add_gates<0, 4, rows, vectors>(a.channels, a.x, a.channels, 1, w, w_next, sum);
  w += a.channels * gates_of_slice;
  add_gates<0, 4, rows, vectors>(a.units, a.h, a.h_row, a.h_inner, w, w_next, sum);
  HWY_ALIGN float z[4 * n * lanes];
  put_sums(sum, z);
  finish<rows, vectors>(a, unit, z);
}

/// One step of the walk: `first` lies at row 0, all else in rows of constant pitch.
struct Step {
  Cell first;
  const float* w;     ///< (slices, channels + units, 4, 16)
  const float* b;     ///< (slices, 4, 16)
  const float* mask;  ///< (rows), or null
};

/// Rows first to end - 1.
void walk_rows(const Step& step, Index first, Index end) {
  const auto tile = [&](auto rows, auto vectors, Index r, Index unit) HWY_ATTR {
    cell<rows(), vectors()>(at_row(step.first, r), unit, step.w, step.b);
  };
  walk_tiles(first, end, step.first.units, tile);
}

void lstm_forward_walk(const RecurrentSizes& s, const RecurrentForward<float>& a) {
  static constexpr float zero = 0.0f;
  const LstmPacked at(s);
  const Index step = s.rows * s.units;
  const Index kept = lstm_gates_size<float>(s);
  for (Index n = 0; n < s.steps; ++n) {
    const Index t = s.backwards ? s.steps - 1 - n : n;
    const Index before = s.backwards ? t + 1 : t - 1;
    const float* h = n > 0 ? a.y + before * step : a.h0;
    const Step now{.first = {.channels = s.channels,
                             .units = s.units,
                             .x = a.x + t * s.rows * s.channels,
                             .h = h ? h : &zero,
                             .h_row = h ? s.units : 0,
                             .h_inner = h ? 1 : 0,
                             .c_before = n == 0    ? a.c0
                                         : a.gates ? a.c + before * step
                                                   : a.c,
                             .c = a.gates ? a.c + t * step : a.c,
                             .y = a.y + t * step,
                             .gates = a.gates ? a.gates + t * s.rows * kept : nullptr,
                             .gates_row = kept},
                   .w = a.packed + at.forward,
                   .b = a.packed + at.bias,
                   .mask = a.mask ? a.mask + t * s.rows : nullptr};
    for_runs(
        now.mask, s.rows, [&](Index first, Index end) { walk_rows(now, first, end); },
        [&](Index r) { skip_row(at_row(now.first, r)); });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

void lstm_forward(const RecurrentSizes& s, const RecurrentForward<float>& a) {
  if (!is_default(s, a.dropout)) return reference::lstm_forward(s, a);
  if (LstmPacked(s).bf16) return lstm_forward_bf16(s, a);
  SONDE_CHOOSE(lstm_forward_walk, &reference::lstm_forward<float>)(s, a);
}

}  // namespace sonde::kernels
#endif
