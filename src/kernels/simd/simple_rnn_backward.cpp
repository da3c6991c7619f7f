#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/simple_rnn_backward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/kernels.hpp"
#include "kernels/simd/few_rows-inl.h"
#include "kernels/simd/simple_rnn.hpp"

/// The SimpleRNN backward, built as the LSTM's: step by step the gradient of h becomes that of its
/// sum, dz, and dz times u transposed the gradient of the h before; dx, dw and du are left until a
/// block of steps is done. The derivative of tanh comes from y, so forward keeps nothing, and the
/// memory of the gates holds the dz of one block after the other.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// Where one step's numbers lie, and the carried gradient.
struct RnnBackwardStep {
  Index rows, units, dz_row;
  const float* u;        ///< transposed: (slices, units, 16)
  const float* dz_next;  ///< (rows, whole slices of units): dz of the walk's next step, or null
  const float* y;        ///< (rows, units)
  const float* dy;       ///< (rows, units), or null for zeros
  const float* mask;     ///< (rows): where it is 0, dh passes through; or null
  float* dz;             ///< (rows, whole slices of units), written; or null: only dh is wanted
  /// (rows, whole slices of units): what of dh does not come through dz_next; for a step without
  /// dz, all of it
  float* dh;
  float* db;  ///< (whole slices of units), added to
};

/// A tile of `rows` rows from `first` on, and of the vectors of units from `unit` on: dh, and dz =
/// dh (1 - y^2). Lanes beyond the units are zeros.
template <int rows, int vectors>
HWY_NOINLINE void rnn_backward_tile(const RnnBackwardStep& a, Index first, Index unit) {
  const float *u[vectors], *dz_next[rows];
  float* dh[rows];
  Vector sum[rows][vectors];
  find_vectors(a.u, a.units, unit, u);
  SONDE_UNROLL for (int r = 0; r < rows; ++r) {
    dz_next[r] = a.dz_next ? a.dz_next + (first + r) * a.dz_row : nullptr;
    dh[r] = a.dh + (first + r) * whole_slices(a.units) + unit;
    SONDE_UNROLL for (int v = 0; v < vectors; ++v) sum[r][v] = hn::LoadU(tag, dh[r] + v * lanes);
  }
  add_numbers(a.dz_next ? a.units : 0, dz_next, 1, u, sum);
  SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
    const Index from = unit + v * lanes, count = a.units - from;
    Vector db = hn::LoadU(tag, a.db + from);
    SONDE_UNROLL for (int r = 0; r < rows; ++r) {
      const Index at = (first + r) * a.units + from;
      Vector all = sum[r][v], dz = hn::Zero(tag);
      if (a.dz) {
        if (a.dy) all = hn::Add(all, load_first(count, a.dy + at));
        if (!a.mask || a.mask[first + r] != 0.0f) {
          const Vector y = load_first(count, a.y + at);
          dz = hn::Mul(all, hn::NegMulAdd(y, y, set(1.0f)));
          db = hn::Add(db, dz);
          all = hn::Zero(tag);
        }
        hn::StoreU(dz, tag, a.dz + (first + r) * a.dz_row + from);
      }
      hn::StoreU(all, tag, dh[r] + v * lanes);
    }
    hn::StoreU(db, tag, a.db + from);
  }
}

void rnn_step_backward(const RnnBackwardStep& a) {
  const auto tile = [&](auto rows, auto vectors, Index r, Index unit)
                        HWY_ATTR { rnn_backward_tile<rows(), vectors()>(a, r, unit); };
  walk_few_rows(0, a.rows, a.units, tile);
}

/// m (width, units) += in transposed * dz, over `count` rows that lie `in_row` and `dz_row` apart.
void add_rnn_products(const RecurrentSizes& s, Index count, const float* in, Index in_row,
                      Index width, const float* dz, Index dz_row, float* m) {
  Sum sum{.inner = count, .x_inner = in_row, .w_inner = dz_row, .add = true};
  const Rows p{.steps = 1, .rows = width, .x_row = 1, .y_row = s.units};
  for (Index unit = 0; unit < s.units; unit += tile_lanes) {
    const Index vectors = set_counts(sum, s.units - unit);
    sum_rows(sum, vectors, p, in, dz + unit, m + unit);
  }
}

void simple_rnn_backward_walk(const RecurrentSizes& s, const RecurrentBackward<float>& a) {
  if (s.steps == 0 || s.rows == 0) return;
  const SimpleRnnPacked at(s);
  const Index width = whole_slices(s.units), step = s.rows * s.units, pitch = dz_pitch(s);
  const Matrix through_w{a.packed + at.backward_x, s.units, s.channels, 0, 0};
  const Sum all_units{.inner = s.units};
  float* dh = a.scratch;
  float* db = dh + s.rows * width;
  widen(s, a.dh, dh);
  std::fill_n(db, width, 0.0f);
  if (a.db) std::copy_n(a.db, s.units, db);
  const Index block = std::max<Index>(1, block_pairs / s.rows);
  // Everything is summed from the last step of the walk to the first, so that a walk cut in pieces
  // adds in the same order: along memory for a backwards walk, else against it.
  const Index along = s.backwards ? 1 : -1;
  for (Index done = 0; done < s.steps; done += block) {
    const Index end = std::min(s.steps, done + block);
    const Index t0 = s.backwards ? done : s.steps - end, count = (end - done) * s.rows;
    RnnBackwardStep now{.rows = s.rows,
                        .units = s.units,
                        .dz_row = pitch,
                        .u = a.packed + at.backward_h,
                        .dz_next = nullptr,
                        .y = nullptr,
                        .dy = nullptr,
                        .mask = nullptr,
                        .dz = nullptr,
                        .dh = dh,
                        .db = db};
    for (Index n = done; n < end; ++n) {
      const Index t = s.backwards ? n : s.steps - 1 - n;
      now.dz_next = now.dz;
      now.dz = a.gates + (t - t0) * s.rows * pitch;
      now.y = a.y + t * step;
      if (a.dy) now.dy = a.dy + t * step;
      if (a.mask) now.mask = a.mask + t * s.rows;
      rnn_step_backward(now);
    }
    now.dz_next = now.dz;
    now.dz = nullptr;
    rnn_step_backward(now);
    if (a.dx) {
      const Rows rows{.steps = 1, .rows = count, .x_row = pitch, .y_row = s.channels};
      multiply(all_units, through_w, rows, a.gates, nullptr, a.dx + t0 * s.rows * s.channels);
    }
    // The block's (step, row) pairs from the last of the walk on.
    const Index last = s.backwards ? 0 : count - 1, start = t0 * s.rows + last;
    const float* dz = a.gates + last * pitch;
    add_rnn_products(s, count, a.x + start * s.channels, along * s.channels, s.channels, dz,
                     along * pitch, a.dw);
    // h of the step before; that of the walk's first step is h0.
    const Index inner = end == s.steps ? count - s.rows : count;
    add_rnn_products(s, inner, a.y + (start + along * s.rows) * s.units, along * s.units, s.units,
                     dz, along * pitch, a.du);
    if (inner < count && a.h0) {
      const Index row = s.backwards ? 0 : s.rows - 1;
      add_rnn_products(s, s.rows, a.h0 + row * s.units, along * s.units, s.units,
                       dz + along * inner * pitch, along * pitch, a.du);
    }
  }
  narrow(s, dh, a.dh);
  if (a.db) std::copy_n(db, s.units, a.db);
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

void simple_rnn_backward(const RecurrentSizes& s, const RecurrentBackward<float>& a) {
  if (!is_plain_tanh(s, a.dropout)) return reference::simple_rnn_backward(s, a);
  SONDE_CHOOSE(simple_rnn_backward_walk, &reference::simple_rnn_backward<float>)(s, a);
}

}  // namespace sonde::kernels
#endif
