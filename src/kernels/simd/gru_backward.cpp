#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/gru_backward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/simd/gru.hpp"
#include "kernels/simd/math-inl.h"
#include "kernels/simd/tile-inl.h"

/// The GRU backward, built as the LSTM's: step by step the gates become the gradients of their
/// sums; what does not wait for that, dx, dw and du, is done for blocks of steps.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// Where one step's numbers lie, and the carried gradient.
struct GruBackwardStep {
  Index rows, units, gates_row;
  bool reset_after;
  const float* h;     ///< of the step before: (rows, units), or null for zeros
  const float* dy;    ///< (rows, units), or null for zeros
  const float* mask;  ///< (rows): where it is 0, dh passes through; or null
  float* gates;       ///< (rows, slices, 4, 16): gates in, gradients of their sums out
  float* dh;          ///< (rows, whole slices of units)
  float* d_inner;     ///< (rows, whole slices of units): gradient of r h
  float* db;          ///< (slices, 6, 16), added to
};

/// Zeros where there is no unit.
HWY_INLINE Vector only_units(Vector v, Index count) {
  if (count >= lanes) return v;
  return hn::IfThenElseZero(hn::FirstN(tag, static_cast<size_t>(std::max<Index>(count, 0))), v);
}
HWY_INLINE void add_to(float* sum, Vector v) {
  hn::StoreU(hn::Add(hn::LoadU(tag, sum), v), tag, sum);
}
HWY_INLINE bool is_skipped(const GruBackwardStep& a, Index r) {
  return a.mask && a.mask[r] == 0.0f;
}

/// One part of a slice for all rows: all but what waits for the gradient of r h.
HWY_NOINLINE void gru_gates_backward(const GruBackwardStep& a, Index unit) {
  const Index width = whole_slices(a.units), count = a.units - unit;
  const Index in_gates = unit / slice * gates_of_slice + unit % slice;
  float* db = a.db + unit / slice * 6 * slice + unit % slice;
  const Vector one = set(1.0f);
  for (Index r = 0; r < a.rows; ++r) {
    float* gates = a.gates + r * a.gates_row + in_gates;
    float* carried = a.dh + r * width + unit;
    Vector dh = hn::LoadU(tag, carried);
    if (a.dy) dh = hn::Add(dh, load_first(count, a.dy + r * a.units + unit));
    if (is_skipped(a, r)) {
      hn::StoreU(dh, tag, carried);
      continue;  // its gates are zeros
    }
    const Vector candidate = hn::LoadU(tag, gates + place_candidate * slice);
    const Vector z = hn::LoadU(tag, gates + place_z * slice);
    const Vector before = a.h ? load_first(count, a.h + r * a.units + unit) : hn::Zero(tag);
    const Vector dh_z = hn::Mul(dh, z), rest = hn::Sub(dh, dh_z);
    const Vector d_candidate =
        only_units(hn::Mul(rest, hn::NegMulAdd(candidate, candidate, one)), count);
    const Vector dz = only_units(hn::Mul(hn::Mul(rest, z), hn::Sub(before, candidate)), count);
    hn::StoreU(only_units(dh_z, count), tag, carried);
    hn::StoreU(d_candidate, tag, gates + place_candidate * slice);
    hn::StoreU(dz, tag, gates + place_z * slice);
    add_to(db, d_candidate);
    add_to(db + slice, dz);
    if (!a.reset_after) continue;
    const Vector reset = hn::LoadU(tag, gates + place_r * slice);
    const Vector inner = hn::LoadU(tag, gates + place_inner * slice);
    const Vector d_inner = hn::Mul(d_candidate, reset);
    const Vector dr = only_units(hn::Mul(hn::Mul(d_inner, inner), hn::Sub(one, reset)), count);
    hn::StoreU(dr, tag, gates + place_r * slice);
    hn::StoreU(only_units(d_inner, count), tag, gates + place_inner * slice);
    add_to(db + 2 * slice, dr);
    add_to(db + 3 * slice, dz);
    add_to(db + 4 * slice, dr);
    add_to(db + 5 * slice, only_units(d_inner, count));
  }
}

/// The same for the reset gate, from the gradient of r h.
HWY_NOINLINE void gru_reset_backward(const GruBackwardStep& a, Index unit) {
  const Index width = whole_slices(a.units), count = a.units - unit;
  const Index in_gates = unit / slice * gates_of_slice + unit % slice;
  float* db = a.db + unit / slice * 6 * slice + unit % slice;
  for (Index r = 0; r < a.rows; ++r) {
    if (is_skipped(a, r)) continue;
    float* gate = a.gates + r * a.gates_row + in_gates + place_r * slice;
    const Vector reset = hn::LoadU(tag, gate);
    const Vector d_inner = hn::LoadU(tag, a.d_inner + r * width + unit);
    const Vector before = a.h ? load_first(count, a.h + r * a.units + unit) : hn::Zero(tag);
    const Vector through = hn::Mul(d_inner, reset);
    const Vector dr =
        only_units(hn::Mul(hn::Mul(through, before), hn::Sub(set(1.0f), reset)), count);
    add_to(a.dh + r * width + unit, only_units(through, count));
    hn::StoreU(dr, tag, gate);
    add_to(db + 2 * slice, dr);
  }
}

/// `count` places of the gates' gradients, from `place` on, times packed panels.
struct Places {
  Index place, count;
  const float* packed;
};

/// y (rows, width) = dz (rows, gate lanes) * panels, or is added to. With `whole`, y has room for
/// whole slices.
void multiply_places(const RecurrentSizes& s, const Places& p, const float* dz, Index dz_row,
                     Index rows, Index width, float* y, Index y_row, bool whole, bool add) {
  const Rows walk{.steps = 1, .rows = rows, .x_row = dz_row, .y_row = y_row};
  const Index slices = whole_slices(s.units) / slice, inner = p.count * slice;
  Sum sum{.outer = slices, .inner = inner, .x_outer = gates_of_slice, .add = add};
  for (Index lane = 0; lane < width; lane += tile_lanes) {
    const Packed w = packed_lanes(p.packed, slices * inner, width, lane);
    const Index vectors = set_counts(sum, (whole ? whole_slices(width) : width) - lane);
    sum.w_inner = w.pitch;
    sum.w_outer = inner * w.pitch;
    sum_rows(sum, vectors, walk, dz + p.place * slice, w.first, y + lane);
  }
}

/// Neighbouring places of the gates' gradients, and the gates of a weight matrix they belong to.
struct Pairs {
  Index place, gate, count;
};

/// m (width, 3 units) += in transposed * dz, over `count` rows that lie `in_row` and `dz_row`
/// apart.
void add_products(const RecurrentSizes& s, const Pairs& p, Index count, const float* in,
                  Index in_row, Index width, const float* dz, Index dz_row, float* m) {
  Sum sum{.inner = count, .x_inner = in_row, .w_inner = dz_row, .add = true};
  const Rows walk{.steps = 1, .rows = width, .x_row = 1, .y_row = 3 * s.units};
  const auto place = [&](Index unit, Index g) { return dz + unit * 4 + (p.place + g) * slice; };
  const auto result = [&](Index unit, Index g) { return m + (p.gate + g) * s.units + unit; };
  if constexpr (parts > 1) {  // a tile's vectors are parts of one gate
    for (Index unit = 0; unit < s.units; unit += slice) {
      const Index vectors = std::min<Index>(parts, set_counts(sum, s.units - unit));
      for (Index g = 0; g < p.count; ++g)
        sum_rows(sum, vectors, walk, in, place(unit, g), result(unit, g));
    }
    return;
  }
  // A vector is a whole slice, and a tile has two gates.
  const Index last = p.count - 1;
  for (Index unit = 0; unit < s.units; unit += slice) {
    sum.y_vector = s.units;
    sum.count[0] = sum.count[tile_vectors - 1] = s.units - unit;
    for (Index g = 0; g < last; g += tile_vectors)
      sum_rows(sum, tile_vectors, walk, in, place(unit, g), result(unit, g));
  }
  if (p.count % tile_vectors == 0) return;
  // One gate is left over: of two slices each.
  HWY_ALIGN float column[block_pairs * tile_lanes];
  sum.y_vector = slice;
  sum.w_inner = tile_lanes;
  for (Index unit = 0; unit < s.units; unit += tile_lanes) {
    const Index vectors = set_counts(sum, s.units - unit);
    for (Index from = 0; from < count; from += block_pairs) {
      sum.inner = std::min(block_pairs, count - from);
      lay_together(sum.inner, place(unit, last) + from * dz_row, dz_row, gates_of_slice, vectors,
                   column);
      sum_rows(sum, vectors, walk, in + from * in_row, column, result(unit, last));
    }
  }
}

/// db (1 or 2, 3 units) <-> (slices, 6, 16), zeros behind.
template <class Each>
void for_bias(const RecurrentSizes& s, Each each) {
  using reference::gate_h, reference::gate_r, reference::gate_z;
  constexpr int gates[] = {gate_h, gate_z, gate_r, gate_z, gate_r, gate_h};
  for (Index place = 0; place < (s.reset_after ? 6 : 3); ++place) {
    const Index gate = gates[place] + place / 3 * 3;
    for (Index unit = 0; unit < s.units; ++unit) {
      each(gate * s.units + unit, unit / slice * 6 * slice + place * slice + unit % slice);
    }
  }
}

/// dw and du of a block of steps: `count` rows from `start` on, `along` from one to the next.
void add_weights(const RecurrentSizes& s, const RecurrentBackward<float>& a, Index start,
                 Index count, Index along, bool is_first) {
  constexpr Pairs candidate{place_candidate, reference::gate_h, 1};
  constexpr Pairs z_and_r{place_z, reference::gate_z, 2};
  const Pairs of_u{place_z, reference::gate_z, s.reset_after ? 3 : 2};
  const Index kept = gru_gates_size<float>(s);
  const float* dz = a.gates + start * kept;
  const float* x = a.x + start * s.channels;
  for (const Pairs& pairs : {candidate, z_and_r}) {
    add_products(s, pairs, count, x, along * s.channels, s.channels, dz, along * kept, a.dw);
  }
  // h of the step before; that of the walk's first step is h0.
  const Index inner = is_first ? count - s.rows : count;
  add_products(s, of_u, inner, a.y + (start + along * s.rows) * s.units, along * s.units, s.units,
               dz, along * kept, a.du);
  if (inner < count && a.h0) {
    const Index row = s.backwards ? 0 : s.rows - 1;
    add_products(s, of_u, s.rows, a.h0 + row * s.units, along * s.units, s.units,
                 dz + along * inner * kept, along * kept, a.du);
  }
  // r h lies where the gates lie.
  for (Index k = 0; !s.reset_after && k < s.units; k += slice) {
    add_products(s, candidate, count, dz + k * 4 + place_inner * slice, along * kept,
                 std::min(slice, s.units - k), dz, along * kept, a.du + k * 3 * s.units);
  }
}

void gru_backward_walk(const RecurrentSizes& s, const RecurrentBackward<float>& a) {
  if (s.steps == 0 || s.rows == 0) return;
  const GruPacked at(s);
  const GruScratch in_scratch(s);
  const Index width = whole_slices(s.units), kept = gru_gates_size<float>(s);
  float* dh = a.scratch + in_scratch.dh;
  float* d_inner = a.scratch + in_scratch.d_inner;
  float* db = a.scratch + in_scratch.db;
  widen(s, a.dh, dh);
  std::fill_n(db, 6 * width, 0.0f);
  if (a.db) for_bias(s, [&](Index from, Index to) { db[to] = a.db[from]; });
  const Places through_u{place_z, at.gates_u, a.packed + at.u_back};
  const Places through_inner{place_candidate, 1, a.packed + at.inner_back};
  const Places through_w{place_candidate, 3, a.packed + at.w_back};
  const Index block = std::max<Index>(1, block_pairs / s.rows);
  // Everything is summed from the last step of the walk to the first, so that a walk cut in pieces
  // adds in the same order: along memory for a backwards walk, else against it.
  const Index along = s.backwards ? 1 : -1;
  for (Index done = 0; done < s.steps; done += block) {
    const Index end = std::min(s.steps, done + block);
    for (Index n = done; n < end; ++n) {
      const Index t = s.backwards ? n : s.steps - 1 - n;
      float* dz = a.gates + t * s.rows * kept;
      const GruBackwardStep now{.rows = s.rows,
                                .units = s.units,
                                .gates_row = kept,
                                .reset_after = s.reset_after,
                                .h = n == s.steps - 1 ? a.h0 : a.y + (t + along) * s.rows * s.units,
                                .dy = a.dy ? a.dy + t * s.rows * s.units : nullptr,
                                .mask = a.mask ? a.mask + t * s.rows : nullptr,
                                .gates = dz,
                                .dh = dh,
                                .d_inner = d_inner,
                                .db = db};
      for (Index unit = 0; unit < width; unit += lanes) gru_gates_backward(now, unit);
      if (!s.reset_after) {
        // Skipped rows have zeros here.
        multiply_places(s, through_inner, dz, kept, s.rows, s.units, d_inner, width, true, false);
        for (Index unit = 0; unit < width; unit += lanes) gru_reset_backward(now, unit);
      }
      multiply_places(s, through_u, dz, kept, s.rows, s.units, dh, width, true, true);
    }
    // The block's (step, row) pairs from the last of the walk on.
    const Index t0 = s.backwards ? done : s.steps - end, count = (end - done) * s.rows;
    const Index start = s.backwards ? done * s.rows : (s.steps - done) * s.rows - 1;
    if (a.dx) {
      multiply_places(s, through_w, a.gates + t0 * s.rows * kept, kept, count, s.channels,
                      a.dx + t0 * s.rows * s.channels, s.channels, false, false);
    }
    add_weights(s, a, start, count, along, end == s.steps);
  }
  narrow(s, dh, a.dh);
  if (a.db) for_bias(s, [&](Index to, Index from) { a.db[to] = db[from]; });
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

void gru_backward(const RecurrentSizes& s, const RecurrentBackward<float>& a) {
  if (!is_default(s, a.dropout)) return reference::gru_backward(s, a);
  SONDE_CHOOSE(gru_backward_walk, &reference::gru_backward<float>)(s, a);
}

}  // namespace sonde::kernels
#endif
