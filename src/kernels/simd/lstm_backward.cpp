#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/lstm_backward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <hwy/cache_control.h>

#include <algorithm>

#include "kernels/kernels.hpp"
#include "kernels/simd/lstm.hpp"
#include "kernels/simd/math-inl.h"
#include "kernels/simd/tile-inl.h"

/// The LSTM backward: step by step the gates become the gradients of their sums, dz, and dz times u
/// transposed gives dh of the step before. What does not wait for that, dx, dw and du, is done for
/// blocks of steps: products long enough to run near full speed.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// Where one step's numbers lie, and the carried gradients.
struct BackwardStep {
  Index rows, units, gates_row;
  const float* c_before;  ///< (rows, units), or null for zeros
  const float* c;         ///< (rows, units)
  const float* dy;        ///< (rows, units), or null for zeros
  float* gates;           ///< (rows, slices, 4, 16): gates in, dz out
  const float* mask;      ///< (rows): where it is 0, dh and dc pass through; or null
  float* dh;              ///< (rows, whole slices of units)
  float* dc;              ///< (rows, whole slices of units)
  float* db;              ///< (slices, 4, 16), added to
  Index next_gates;       ///< from here to the step that comes next
};

/// One part of a slice for all rows. Lanes beyond the units become zeros.
HWY_NOINLINE void gates_backward(const BackwardStep& a, Index unit) {
  const Index width = whole_slices(a.units), count = a.units - unit;
  const Index in_gates = unit / slice * gates_of_slice + unit % slice;
  const Vector one = set(1.0f);
  Vector db[4];
  SONDE_UNROLL for (int g = 0; g < 4; ++g) { db[g] = hn::LoadU(tag, a.db + in_gates + g * slice); }
  for (Index r = 0; r < a.rows; ++r) {
    float* gates = a.gates + r * a.gates_row + in_gates;
    SONDE_UNROLL for (int gate = 0; gate < 4; ++gate) {
      hwy::Prefetch(gates + a.next_gates + gate * slice);
    }
    const Vector i = hn::LoadU(tag, gates), f = hn::LoadU(tag, gates + slice);
    const Vector g = hn::LoadU(tag, gates + 2 * slice), o = hn::LoadU(tag, gates + 3 * slice);
    const Index at = r * a.units + unit, at_whole = r * width + unit;
    if (a.mask && a.mask[r] == 0.0f) {
      if (a.dy) {
        const Vector sum = hn::Add(hn::LoadU(tag, a.dh + at_whole), load_first(count, a.dy + at));
        hn::StoreU(sum, tag, a.dh + at_whole);
      }
      continue;  // its gates are zeros
    }
    const Vector before = a.c_before ? hn::LoadU(tag, a.c_before + at) : hn::Zero(tag);
    Vector dh = hn::LoadU(tag, a.dh + at_whole);
    if (a.dy) dh = hn::Add(dh, hn::LoadU(tag, a.dy + at));
    const Vector h = tanh(hn::LoadU(tag, a.c + at));  // before the output gate
    const Vector dh_o = hn::Mul(dh, o);
    // c reaches the loss through h and through the next step.
    Vector dc = hn::MulAdd(dh_o, hn::NegMulAdd(h, h, one), hn::LoadU(tag, a.dc + at_whole));
    const Vector dc_i = hn::Mul(dc, i), dc_f = hn::Mul(dc, f);
    Vector dz[4] = {
        hn::Mul(hn::Mul(dc_i, g), hn::Sub(one, i)), hn::Mul(hn::Mul(dc_f, before), hn::Sub(one, f)),
        hn::Mul(dc_i, hn::NegMulAdd(g, g, one)), hn::Mul(hn::Mul(dh_o, h), hn::Sub(one, o))};
    dc = dc_f;
    if (count < lanes) {
      const auto inside = hn::FirstN(tag, static_cast<size_t>(std::max<Index>(count, 0)));
      SONDE_UNROLL for (int gate = 0; gate < 4; ++gate) {
        dz[gate] = hn::IfThenElseZero(inside, dz[gate]);
      }
      dc = hn::IfThenElseZero(inside, dc);
    }
    hn::StoreU(dc, tag, a.dc + at_whole);
    SONDE_UNROLL for (int gate = 0; gate < 4; ++gate) {
      hn::StoreU(dz[gate], tag, gates + gate * slice);
      db[gate] = hn::Add(db[gate], dz[gate]);
    }
  }
  SONDE_UNROLL for (int g = 0; g < 4; ++g) hn::StoreU(db[g], tag, a.db + in_gates + g * slice);
}

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

/// db (4 units) <-> (slices, 4, 16), zeros behind.
void widen_bias(const RecurrentSizes& s, const float* db, float* to) {
  for (Index i = 0; i < gate_lanes(s); ++i) {
    const Index unit = i / gates_of_slice * slice + i % slice, gate = i % gates_of_slice / slice;
    to[i] = db && unit < s.units ? db[gate * s.units + unit] : 0.0f;
  }
}
void narrow_bias(const RecurrentSizes& s, const float* from, float* db) {
  for (Index gate = 0; gate < 4; ++gate) {
    for (Index unit = 0; unit < s.units; ++unit) {
      db[gate * s.units + unit] = from[unit / slice * gates_of_slice + gate * slice + unit % slice];
    }
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
      const bool first = n == s.steps - 1;  // of the walk
      const float* c_before = first ? a.c0 : a.c + (t + along) * s.rows * s.units;
      float* dz = a.gates + t * s.rows * kept;
      const BackwardStep now{.rows = s.rows,
                             .units = s.units,
                             .gates_row = kept,
                             .c_before = c_before,
                             .c = a.c + t * s.rows * s.units,
                             .dy = a.dy ? a.dy + t * s.rows * s.units : nullptr,
                             .gates = dz,
                             .mask = a.mask ? a.mask + t * s.rows : nullptr,
                             .dh = dh,
                             .dc = dc,
                             .db = db,
                             .next_gates = along * s.rows * kept};
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
  SONDE_CHOOSE(lstm_backward_walk, &reference::lstm_backward<float>)(s, a);
}

}  // namespace sonde::kernels
#endif
