#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/lstm_backward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cassert>
#include <span>

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

/// Some columns of a packed matrix (gate lanes, width).
struct Columns {
  Index width;
  Index first, end;
  bool whole = false;  ///< what a product with them writes to has room for whole slices
};

/// A product of dz with columns of a packed matrix, tile by tile: calls run(sum, vectors, k, w,
/// lane) for numbers k of dz on, weights w, and `lane` of the result on.
template <class Run>
void multiply_gates(const RecurrentSizes& s, const float* packed, const Columns& columns,
                    const Run& run) {
  // Whole slices of units first; of the last one only the lanes that are units.
  const Index units = s.units / slice * slice, rest = s.units - units;
  Sum sum{.inner = 4 * units};
  Sum sum_rest{.outer = 4, .inner = rest, .x_outer = slice, .add = units > 0};
  for (Index lane = columns.first; lane < columns.end; lane += tile_lanes) {
    const Packed w = packed_lanes(packed, gate_lanes(s), columns.width, lane);
    const Index left = (columns.whole ? whole_slices(columns.width) : columns.width) - lane;
    const Index vectors = set_counts(sum, left);
    sum.w_inner = w.pitch;
    if (units > 0 || rest == 0) run(sum, vectors, Index{0}, w.first, lane);
    if (rest == 0) continue;
    set_counts(sum_rest, left);
    sum_rest.w_inner = w.pitch;
    sum_rest.w_outer = slice * w.pitch;
    run(sum_rest, vectors, 4 * units, w.first + 4 * units * w.pitch, lane);
  }
}

/// One factor of a product with dz: rows that lie `row` apart, and the sums (width, 4 units) that
/// the product is added to.
struct Factor {
  const float* in;
  Index row;
  Index width;
  Index count;  ///< of the first rows of dz
  float* m;
};

/// m += in transposed * dz for each factor, over the first of `count` rows of dz, block_pairs at
/// most and `dz_row` apart: the columns of some units.
void add_products(const RecurrentSizes& s, const UnitsOfPart& units, Index count, const float* dz,
                  Index dz_row, std::span<const Factor> factors) {
  Sum sum{.w_inner = dz_row, .add = true};
  // One tile's vectors are parts of one gate or, where a vector is a whole slice, several gates.
  sum.y_vector = parts == 1 ? s.units : lanes;
  // Where many rows of m read the same lanes of dz, these are laid together for them: a column of
  // it is a line from each of as many pages.
  assert(count <= block_pairs);
  HWY_ALIGN float column[block_pairs * tile_lanes];
  const bool lays_together = s.units >= 128;
  if (lays_together) sum.w_inner = tile_lanes;
  for (Index lane = 4 * units.first; lane < 4 * whole_slices(units.end); lane += tile_lanes) {
    const Index unit = lane / gates_of_slice * slice, gate = lane % gates_of_slice / slice;
    for (int v = 0; v < tile_vectors; ++v) sum.count[v] = s.units - unit - v * lanes % slice;
    const float* w = dz + lane;
    if (lays_together) {
      lay_together(count, w, dz_row, lanes, tile_vectors, column);
      w = column;
    }
    for (const Factor& f : factors) {
      sum.inner = f.count;
      sum.x_inner = f.row;
      const Rows p{.steps = 1, .rows = f.width, .x_row = 1, .y_row = 4 * s.units};
      sum_rows(sum, tile_vectors, p, f.in, w, f.m + gate * s.units + unit);
    }
  }
}

/// Step t: gates become dz, for all shards; then dh of the step before, for all their rows
/// together. Each part does its units of both; in between it needs all of dz.
void step_back(std::span<const ShardWalk> walks, const LstmPacked& at, Index t,
               const UnitsOfPart& units, const Share& share) {
  const RecurrentSizes& s = *walks[0].s;
  const Index width = whole_slices(s.units);
  BackwardStep steps[most_abreast];
  for (std::size_t i = 0; i < walks.size(); ++i) {
    steps[i] = backward_step(walks[i], t);
    for (Index unit = units.first; unit < whole_slices(units.end); unit += lanes)
      gates_backward(steps[i], unit);
  }
  share.meet();
  const float* u = walks[0].a->packed + at.backward_h;
  const float* first_panel = u + units.first * gate_lanes(s);
  RowList list;
  const auto through_u = [&] {
    const Index whole_tiles = list.count / tile_rows;
    const auto run = [&](Sum sum, Index vectors, Index k, const float* w, Index lane) HWY_ATTR {
      // Of several tiles each asks for its share of the next panel, or of the first one.
      if (whole_tiles > 1 && lane % panel == 0) {
        sum.ahead = {lane + panel < units.end ? w + gate_lanes(s) * panel : first_panel,
                     std::min(slice, (panel + whole_tiles - 1) / whole_tiles)};
      }
      sum_rows(sum, vectors, list, k, w, lane);
    };
    multiply_gates(s, u, {s.units, units.first, units.end, true}, run);
    list.count = 0;
  };
  for (const BackwardStep& now : std::span(steps, walks.size())) {
    for (Index r = 0; r < s.rows; ++r) {
      if (now.mask && now.mask[r] == 0.0f) continue;
      if (list.count == RowList::most) through_u();
      list.x[list.count] = now.gates + r * now.gates_row;
      list.y[list.count++] = now.dh + r * width;
    }
  }
  if (list.count > 0) through_u();
}

/// What did not wait: dx, dw and du of the pairs (step, row) `from` to `until` - 1 of the walk,
/// which goes from the last pair in memory to the first, or the other way round. Each part does
/// some rows of dx, and dw and du of its units.
void finish_pairs(const ShardWalk& walk, const LstmPacked& at, Index from, Index until,
                  const UnitsOfPart& units, const Share& share) {
  const RecurrentSizes& s = *walk.s;
  const RecurrentBackward<float>& a = *walk.a;
  const Index kept = walk.kept, all = s.steps * s.rows, count = until - from;
  // Everything is summed in the walk's order, so that a walk cut in pieces adds in the same order:
  // along memory for a backwards walk, else against it.
  const Index along = s.backwards ? 1 : -1;
  const Index start = s.backwards ? from : all - 1 - from;
  const float* dz = a.gates + start * kept;
  if (a.dx) {
    const Index first = (s.backwards ? from : all - until) + share.begin(count);
    const Rows p{.steps = 1,
                 .rows = share.end(count) - share.begin(count),
                 .x_row = kept,
                 .y_row = s.channels};
    const float* gates = a.gates + first * kept;
    float* dx = a.dx + first * s.channels;
    const auto run = [&](const Sum& sum, Index vectors, Index k, const float* w, Index lane)
                         HWY_ATTR { sum_rows(sum, vectors, p, gates + k, w, dx + lane); };
    multiply_gates(s, a.packed + at.backward_x, {s.channels, 0, s.channels}, run);
  }
  // h of the step before; that of the walk's first step, which is the last one here, is h0.
  const Index inner = std::clamp<Index>(all - s.rows - from, 0, count);
  const Factor x_and_h[] = {
      {a.x + start * s.channels, along * s.channels, s.channels, count, a.dw},
      {a.y + (start + along * s.rows) * s.units, along * s.units, s.units, inner, a.du}};
  add_products(s, units, count, dz, along * kept, x_and_h);
  if (inner < count && a.h0) {
    const Index done = from + inner - (all - s.rows), row = s.backwards ? done : s.rows - 1 - done;
    const Factor h0[] = {{a.h0 + row * s.units, along * s.units, s.units, count - inner, a.du}};
    add_products(s, units, count - inner, dz + along * inner * kept, along * kept, h0);
  }
}

void lstm_backward_walk(const RecurrentSizes& s, std::span<const RecurrentBackward<float>> shards,
                        const Share& share) {
  if (s.steps == 0 || s.rows == 0) return;
  const LstmPacked at(s);
  const UnitsOfPart units(s, share);
  assert(shards.size() <= most_abreast);
  ShardWalk places[most_abreast];
  for (std::size_t i = 0; i < shards.size(); ++i) places[i] = walk_of(s, shards[i]);
  const std::span<const ShardWalk> walks(places, shards.size());
  share.deal(walks, begin_walk);
  const Index block = std::max<Index>(1, block_pairs / s.rows);
  for (Index done = 0; done < s.steps; done += block) {
    const Index end = std::min(s.steps, done + block);
    for (Index n = done; n < end; ++n)
      step_back(walks, at, s.backwards ? n : s.steps - 1 - n, units, share);
    for (const ShardWalk& walk : walks) {
      for (Index from = done * s.rows; from < end * s.rows; from += block_pairs) {
        const Index until = std::min(end * s.rows, from + block_pairs);
        finish_pairs(walk, at, from, until, units, share);
      }
    }
  }
  share.meet();
  share.deal(walks, end_walk);
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

void lstm_backward(const RecurrentSizes& s, std::span<const RecurrentBackward<float>> shards,
                   const Share& share) {
  using Walk = decltype(LstmWalks<RecurrentBackward<float>>::vectors);
  run_shards<RecurrentBackward<float>>(s, shards, share,
                                       {.vectors = SONDE_CHOOSE(lstm_backward_walk, Walk{nullptr}),
                                        .bf16 = &lstm_backward_bf16,
                                        .reference = &reference::lstm_backward<float>});
}

}  // namespace sonde::kernels
#endif
