#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/lstm_bf16_forward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/simd/lstm_bf16.hpp"
#include "kernels/simd/lstm_cell-inl.h"

/// The LSTM forward with products of bfloat16. x waits for nothing: its products are made for a
/// block of steps, into the place of the gates. Then step by step h is rounded, its products come
/// on top, and all gates of the step are finished from there.
#if HWY_TARGET == HWY_AVX3
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// The sums of some rows of one step, in the place of the gates -> c, y and gates.
template <int rows, int vectors>
HWY_NOINLINE void finish_sums(const Cell& a, Index unit, const float* sums, Index sums_row) {
  finish_gates<rows, vectors>(a, unit, [&](int gate) HWY_ATTR {
    Several<rows * vectors> all;
    SONDE_UNROLL for (int i = 0; i < rows * vectors; ++i) {
      const Index at = in_slices(unit_of(unit, i % vectors), gates_of_slice) + gate * slice;
      all.v[i] = hn::LoadU(tag, sums + i / vectors * sums_row + at);
    }
    return all;
  });
}

void lstm_forward_bf16_walk(const RecurrentSizes& s, const RecurrentForward<float>& a) {
  const LstmTiles w(s, a.packed);
  const LstmForwardScratch at(s);
  const float* bias = a.packed + LstmPacked(s).bias;
  const Index step = s.rows * s.units, kept = lstm_gates_pitch(s);
  const Index x_row = whole_groups(s.channels), h_row = whole_groups(s.units);
  Bfloat16 *x = bfloats(a.scratch, at.x), *h = bfloats(a.scratch, at.h);
  if (a.h0) round_rows(s.rows, s.units, a.h0, s.units, h, h_row);
  else std::fill_n(h, s.rows * h_row, Bfloat16{0});
  Bf16Products products;
  for (Index done = 0; done < s.steps; done += at.block) {
    const Index end = std::min(s.steps, done + at.block), count = (end - done) * s.rows;
    const Index t0 = s.backwards ? s.steps - end : done;
    float* block = a.gates ? a.gates + t0 * s.rows * kept : a.scratch + at.sums;
    round_rows(count, s.channels, a.x + t0 * s.rows * s.channels, s.channels, x, x_row);
    products.multiply(count, x, x_row, w.x, from_row(bias), block, kept, true);
    for (Index n = done; n < end; ++n) {
      const Index t = s.backwards ? s.steps - 1 - n : n;
      const Index before = s.backwards ? t + 1 : t - 1;
      float* sums = block + (t - t0) * s.rows * kept;
      const float* h_before = n > 0 ? a.y + before * step : a.h0;
      const Cell first = {.channels = s.channels,
                          .units = s.units,
                          .x = a.x + t * s.rows * s.channels,
                          .h = h_before,
                          .h_row = h_before ? s.units : 0,
                          .h_inner = 0,
                          .c_before = n == 0    ? a.c0
                                      : a.gates ? a.c + before * step
                                                : a.c,
                          .c = a.gates ? a.c + t * step : a.c,
                          .y = a.y + t * step,
                          .gates = a.gates ? sums : nullptr,
                          .gates_row = kept};
      const auto use = [&](Index r, Index run_end) HWY_ATTR {
        float* of_run = sums + r * kept;
        products.multiply(run_end - r, h + r * h_row, h_row, w.h, {of_run, kept}, of_run, kept,
                          true);
        walk_tiles(r, run_end, s.units, [&](auto rows, auto vectors, Index r, Index unit) HWY_ATTR {
          finish_sums<rows(), vectors()>(at_row(first, r), unit, sums + r * kept, kept);
        });
      };
      for_runs(a.mask ? a.mask + t * s.rows : nullptr, s.rows, use,
               [&](Index r) { skip_row(at_row(first, r)); });
      round_rows(s.rows, s.units, a.y + t * step, s.units, h, h_row);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

#if HWY_TARGETS & HWY_AVX3
void lstm_forward_bf16(const RecurrentSizes& s, const RecurrentForward<float>& a) {
  N_AVX3::lstm_forward_bf16_walk(s, a);
}
#else
void lstm_forward_bf16(const RecurrentSizes&, const RecurrentForward<float>&) {}
#endif

}  // namespace sonde::kernels
#endif
