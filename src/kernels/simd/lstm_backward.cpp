#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/lstm_backward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/kernels.hpp"
#include "kernels/simd/lstm.hpp"
#include "kernels/simd/lstm_gates-inl.h"
#include "kernels/simd/tile-inl.h"

/// The LSTM backward: step by step the gates become the gradients of their sums, dz, and dz times u
/// transposed gives dh of the step before. What does not wait for that, dx, dw and du, is done for
/// blocks of steps: products long enough to run near full speed.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// y (rows, width) = dz (rows, gate lanes) * packed panels. With `whole`, y has room for whole
/// slices.
void multiply_gates(const RecurrentSizes& s, const float* dz, Index dz_row, Index rows,
                    const float* packed, Index width, float* y, Index y_row, bool whole) {
  const Rows p{.steps = 1, .rows = rows, .x_row = dz_row, .y_row = y_row};
  // Whole slices of units first; of the last one only the lanes that are units.
  const Index units = s.units / slice * slice, rest = s.units - units;
  Sum sum{.inner = 4 * units};
  Sum sum_rest{.outer = 4, .inner = rest, .x_outer = slice, .add = units > 0};
  for (Index lane = 0; lane < width; lane += tile_lanes) {
    const Packed w = packed_lanes(packed, gate_lanes(s), width, lane);
    const Index left = (whole ? whole_slices(width) : width) - lane;
    const Index vectors = set_counts(sum, left);
    sum.w_inner = w.pitch;
    if (units > 0 || rest == 0) sum_rows(sum, vectors, p, dz, w.first, y + lane);
    if (rest == 0) continue;
    set_counts(sum_rest, left);
    sum_rest.w_inner = w.pitch;
    sum_rest.w_outer = slice * w.pitch;
    sum_rows(sum_rest, vectors, p, dz + 4 * units, w.first + 4 * units * w.pitch, y + lane);
  }
}

/// m (width, 4 units) += in transposed * dz, over `count` rows that lie `in_row` and `dz_row`
/// apart.
void add_products(const RecurrentSizes& s, Index count, const float* in, Index in_row, Index width,
                  const float* dz, Index dz_row, float* m) {
  Sum sum{.inner = count, .x_inner = in_row, .w_inner = dz_row, .add = true};
  // One tile's vectors are parts of one gate or, where a vector is a whole slice, several gates.
  sum.y_vector = parts == 1 ? s.units : lanes;
  for (Index lane = 0; lane < gate_lanes(s); lane += tile_lanes) {
    const Index unit = lane / gates_of_slice * slice, gate = lane % gates_of_slice / slice;
    for (int v = 0; v < tile_vectors; ++v) sum.count[v] = s.units - unit - v * lanes % slice;
    const Rows p{.steps = 1, .rows = width, .x_row = 1, .y_row = 4 * s.units};
    sum_rows(sum, tile_vectors, p, in, dz + lane, m + gate * s.units + unit);
  }
}

void lstm_backward_walk(const RecurrentSizes& s, const RecurrentBackward<float>& a) {
  if (s.steps == 0 || s.rows == 0) return;
  const LstmPacked at(s);
  const Index width = whole_slices(s.units);
  const Index kept = lstm_gates_size<float>(s);
  float* dh = a.scratch;
  float* dc = dh + s.rows * width;
  float* db = dc + s.rows * width;
  widen(s, a.dh, dh);
  widen(s, a.dc, dc);
  widen_bias(s, a.db, db);
  // 256 rows of dz make the products of a block long, and mostly stay in a second-level cache.
  const Index block = std::max<Index>(1, 256 / s.rows);
  // Everything is summed from the last step of the walk to the first, so that a walk cut in pieces
  // adds in the same order: along memory for a backwards walk, else against it.
  const Index along = s.backwards ? 1 : -1;
  for (Index done = 0; done < s.steps; done += block) {
    const Index end = std::min(s.steps, done + block);
    for (Index n = done; n < end; ++n) {
      const Index t = s.backwards ? n : s.steps - 1 - n;
      float* dz = a.gates + t * s.rows * kept;
      const BackwardStep now = backward_step(s, a, kept, t, dh, dc, db);
      for (Index unit = 0; unit < width; unit += lanes) gates_backward(now, unit);
      const auto through_u = [&](Index r, Index end) {
        multiply_gates(s, dz + r * kept, kept, end - r, a.packed + at.backward_h, s.units,
                       dh + r * width, width, true);
      };
      for_runs(now.mask, s.rows, through_u, [](Index) {});
    }
    // The block's (step, row) pairs from the last of the walk on.
    const Index t0 = s.backwards ? done : s.steps - end, count = (end - done) * s.rows;
    const Index start = s.backwards ? done * s.rows : (s.steps - done) * s.rows - 1;
    const float* dz = a.gates + start * kept;
    if (a.dx) {
      multiply_gates(s, a.gates + t0 * s.rows * kept, kept, count, a.packed + at.backward_x,
                     s.channels, a.dx + t0 * s.rows * s.channels, s.channels, false);
    }
    add_products(s, count, a.x + start * s.channels, along * s.channels, s.channels, dz,
                 along * kept, a.dw);
    // h of the step before; that of the walk's first step is h0.
    const Index inner = end == s.steps ? count - s.rows : count;
    add_products(s, inner, a.y + (start + along * s.rows) * s.units, along * s.units, s.units, dz,
                 along * kept, a.du);
    if (inner < count && a.h0) {
      const Index row = s.backwards ? 0 : s.rows - 1;
      add_products(s, s.rows, a.h0 + row * s.units, along * s.units, s.units,
                   dz + along * inner * kept, along * kept, a.du);
    }
  }
  narrow(s, dh, a.dh);
  narrow(s, dc, a.dc);
  if (a.db) narrow_bias(s, db, a.db);
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

void lstm_backward(const RecurrentSizes& s, const RecurrentBackward<float>& a) {
  if (!is_default(s, a.dropout)) return reference::lstm_backward(s, a);
  if (LstmPacked(s).bf16) return lstm_backward_bf16(s, a);
  SONDE_CHOOSE(lstm_backward_walk, &reference::lstm_backward<float>)(s, a);
}

}  // namespace sonde::kernels
#endif
