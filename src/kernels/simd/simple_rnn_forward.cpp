#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/simple_rnn_forward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/kernels.hpp"
#include "kernels/simd/few_rows-inl.h"
#include "kernels/simd/math-inl.h"
#include "kernels/simd/simple_rnn.hpp"

/// The SimpleRNN forward: one walk over time; the sums of some rows and units stay in registers
/// from the bias to h. What x adds to them does not wait for the step before, and so fills the core
/// while that step's tanh is on its way.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// One step: every pointer at its first row.
struct RnnStep {
  Index channels, units;
  const float* x;        ///< (rows, channels)
  const float* h;        ///< (rows, units), or one zero
  Index h_row, h_inner;  ///< both 0 where h is one zero
  float* y;              ///< (rows, units)
  const float* w;        ///< (slices, channels + units, 16)
  const float* b;        ///< (whole slices of units)
};

/// y of some rows from their sums z (vectors, rows, lanes). The next step begins with the first
/// units of all rows, so these come first: divisions queue.
template <int rows, int vectors>
HWY_NOINLINE void rnn_finish(const float* z, Index units, Index unit, float* y) {
  SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
    const Index from = unit + v * lanes;
    Several<rows> h;
    SONDE_UNROLL for (int r = 0; r < rows; ++r) h.v[r] = hn::Load(tag, z + (v * rows + r) * lanes);
    h = tanh(h);
    SONDE_UNROLL for (int r = 0; r < rows; ++r) {
      store_first(h.v[r], units - from, y + r * units + from);
    }
  }
}

/// A tile of `rows` rows from `first` on, and of the vectors of units from `unit` on.
template <int rows, int vectors>
HWY_NOINLINE void rnn_tile(const RnnStep& a, Index first, Index unit) {
  const float *w[vectors], *x[rows];
  Vector sum[rows][vectors];
  find_vectors(a.w, a.channels + a.units, unit, w);
  SONDE_UNROLL for (int r = 0; r < rows; ++r) {
    x[r] = a.x + (first + r) * a.channels;
    SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
      sum[r][v] = hn::LoadU(tag, a.b + unit + v * lanes);
    }
  }
  add_numbers(a.channels, x, 1, w, sum);
  SONDE_UNROLL for (int v = 0; v < vectors; ++v) w[v] += a.channels * slice;
  SONDE_UNROLL for (int r = 0; r < rows; ++r) x[r] = a.h + (first + r) * a.h_row;
  add_numbers(a.units, x, a.h_inner, w, sum);
  HWY_ALIGN float z[rows * vectors * lanes];
  SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
    SONDE_UNROLL for (int r = 0; r < rows; ++r) {
      hn::Store(sum[r][v], tag, z + (v * rows + r) * lanes);
    }
  }
  rnn_finish<rows, vectors>(z, a.units, unit, a.y + first * a.units);
}

/// Rows first to end - 1.
void rnn_rows(const RnnStep& a, Index first, Index end) {
  const auto tile = [&](auto rows, auto vectors, Index r, Index unit)
                        HWY_ATTR { rnn_tile<rows(), vectors()>(a, r, unit); };
  walk_few_rows(first, end, a.units, tile);
}

void simple_rnn_forward_walk(const RecurrentSizes& s, const RecurrentForward<float>& a) {
  static constexpr float zero = 0.0f;
  const SimpleRnnPacked at(s);
  const Index step = s.rows * s.units;
  for (Index n = 0; n < s.steps; ++n) {
    const Index t = s.backwards ? s.steps - 1 - n : n;
    const float* h = n > 0 ? a.y + (s.backwards ? t + 1 : t - 1) * step : a.h0;
    const RnnStep now{.channels = s.channels,
                      .units = s.units,
                      .x = a.x + t * s.rows * s.channels,
                      .h = h ? h : &zero,
                      .h_row = h ? s.units : 0,
                      .h_inner = h ? 1 : 0,
                      .y = a.y + t * step,
                      .w = a.packed + at.forward,
                      .b = a.packed + at.bias};
    for_runs(
        a.mask ? a.mask + t * s.rows : nullptr, s.rows,
        [&](Index first, Index end) { rnn_rows(now, first, end); },
        [&](Index r) {
          reference::carry(s.units, h ? h + r * s.units : nullptr, now.y + r * s.units);
        });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

void simple_rnn_forward(const RecurrentSizes& s, const RecurrentForward<float>& a) {
  if (!is_plain_tanh(s, a.dropout)) return reference::simple_rnn_forward(s, a);
  SONDE_CHOOSE(simple_rnn_forward_walk, &reference::simple_rnn_forward<float>)(s, a);
}

}  // namespace sonde::kernels
#endif
