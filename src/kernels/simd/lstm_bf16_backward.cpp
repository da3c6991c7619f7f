#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/lstm_bf16_backward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <span>

#include "kernels/simd/lstm_bf16.hpp"
#include "kernels/simd/lstm_gates-inl.h"

/// The LSTM backward with products of bfloat16: as that of floats, but that dz is rounded for
/// everything it is multiplied with. db adds up dz as it was.
#if HWY_TARGET == HWY_AVX3
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// m (width, 4 units) += in transposed * dz, over all groups of rows of a block. in: (tiles of
/// width, groups, 16, 32), dz: (tiles of gate lanes, groups, 16 pairs, 16, 2).
void add_tiles(const RecurrentSizes& s, Bf16Products& products, Index groups, const Bfloat16* in,
               Index width, const Bfloat16* dz, float* m) {
  // The tile with fewer rows last and for itself: each change of height configures the tiles.
  const Index whole = width / slice * slice;
  // Parts of dz of 256 KiB stay in a second-level cache, and what lies beside each other in m is
  // touched together.
  const Index part = std::max<Index>(1, 64 / groups) * slice;
  const auto add = [&](Index from, Index to, Index first) {
    for (Index i = from; i < to; i += slice) {
      for (Index unit = first; unit < std::min(s.units, first + part); unit += slice) {
        float* y = m + i * 4 * s.units + unit;
        const Index count = std::min(slice, s.units - unit);
        products.multiply({.rows = std::min(slice, width - i),
                           .tiles = 4,
                           .groups = groups,
                           .a = in + i / slice * groups * tile,
                           .a_row = group,
                           .a_group = tile,
                           .b = dz + unit / slice * 4 * groups * tile,
                           .b_tile = groups * tile,
                           .start = y,
                           .start_row = 4 * s.units,
                           .start_tile = s.units,
                           .y = y,
                           .y_row = 4 * s.units,
                           .y_tile = s.units,
                           .count = {count, count, count, count}});
      }
    }
  };
  for (Index unit = 0; unit < s.units; unit += part) add(0, whole, unit);
  for (Index unit = 0; unit < s.units && whole < width; unit += part) add(whole, width, unit);
}

/// Rows 0 to count - 1, row_of(i) or null for zeros -> (tiles of width, groups, 16, 32).
template <class RowOf>
void transpose_block(Index count, Index width, RowOf row_of, Bfloat16* to) {
  const Index groups = groups_of(count);
  const float* rows[group];
  for (Index g = 0; g < groups; ++g) {
    for (Index i = 0; i < group; ++i) {
      rows[i] = g * group + i < count ? row_of(g * group + i) : nullptr;
    }
    transpose_rows(rows, width, to + g * tile, groups * tile);
  }
}

/// One block of steps in memory, t0 to t0 + steps - 1, when its dz is done.
void multiply_block(const RecurrentSizes& s, const RecurrentBackward<float>& a, Index t0,
                    Index steps, const LstmTiles& w, Bf16Products& products) {
  const LstmBackwardScratch at(s);
  const Index lanes = gate_lanes(s), count = steps * s.rows, groups = groups_of(count);
  const Bfloat16* dz = bfloats(a.scratch, at.dz);
  Bfloat16 *pairs = bfloats(a.scratch, at.dz_pairs), *in = bfloats(a.scratch, at.in);
  if (a.dx) {
    products.multiply(count, dz, lanes, w.back_x, from_zeros(), a.dx + t0 * s.rows * s.channels,
                      s.channels, false);
  }
  for (Index g = 0; g < groups; ++g) {
    pair_rows(std::min(group, count - g * group), lanes, dz + g * group * lanes, lanes,
              pairs + g * tile, groups * tile);
  }
  const auto x_of = [&](Index i) { return a.x + (t0 * s.rows + i) * s.channels; };
  transpose_block(count, s.channels, x_of, in);
  add_tiles(s, products, groups, in, s.channels, pairs, a.dw);
  // h of the step before; that of the walk's first step is h0.
  const Index before = s.backwards ? s.rows : -s.rows;
  const auto h_of = [&](Index i) -> const float* {
    const Index row = t0 * s.rows + i + before;
    if (row >= 0 && row < s.steps * s.rows) return a.y + row * s.units;
    return a.h0 ? a.h0 + i % s.rows * s.units : nullptr;
  };
  transpose_block(count, s.units, h_of, in);
  add_tiles(s, products, groups, in, s.units, pairs, a.du);
}

/// Step t, the one `of_block` in memory: gates become dz, which is rounded; dz times u transposed
/// is dh of the step before, for the rows of all shards together.
void step_back(std::span<const ShardWalk> walks, Bf16Products& products,
               const LstmBackwardScratch& at, const PackedTiles& u, Index t, Index of_block) {
  const RecurrentSizes& s = *walks[0].s;
  const Index width = whole_slices(s.units), lanes_of_row = gate_lanes(s);
  const Index size = s.rows * lanes_of_row;
  const bool one = walks.size() == 1;
  const auto mask_of = [&](const ShardWalk& walk) {
    return walk.a->mask ? walk.a->mask + t * s.rows : nullptr;
  };
  Bfloat16* now = bfloats(walks[0].a->scratch, at.dz_now);
  for (std::size_t i = 0; i < walks.size(); ++i) {
    const BackwardStep step = backward_step(walks[i], t);
    for (Index unit = 0; unit < width; unit += lanes) gates_backward(step, unit);
    Bfloat16* dz = bfloats(walks[i].a->scratch, at.dz) + of_block * size;
    round_rows(s.rows, lanes_of_row, step.gates, step.gates_row, dz, lanes_of_row);
    if (one) now = dz;
    else std::copy_n(dz, size, now + static_cast<Index>(i) * size);
  }
  if (one) {
    const auto through_u = [&](Index r, Index run_end) {
      products.multiply(run_end - r, now + r * lanes_of_row, lanes_of_row, u, from_zeros(),
                        walks[0].dh + r * width, width, true);
    };
    return for_runs(mask_of(walks[0]), s.rows, through_u, [](Index) {});
  }
  // Rows that are skipped go along, unless all are.
  const auto used = [&](const ShardWalk& walk) { return is_used(mask_of(walk), s.rows); };
  if (std::none_of(walks.begin(), walks.end(), used)) return;
  const auto begin = [](float*, Index, Index, Index) { return from_zeros(); };
  const auto end = [&](const float* z, Index lane, Index r, Index count) {
    for_parts(s.rows, r, count, [&](Index i, Index from, Index to, Index first_row) {
      const ShardWalk& walk = walks[static_cast<std::size_t>(i)];
      const float* mask = mask_of(walk);
      const auto take = [&](Index first, Index last) {
        copy_part(last - first, std::min(lanes_beside, width - lane),
                  z + (first_row + first) * lanes_beside, lanes_beside,
                  walk.dh + (from + first) * width + lane, width);
      };
      for_runs(mask ? mask + from : nullptr, to - from, take, [](Index) {});
    });
  };
  products.multiply(s.rows * static_cast<Index>(walks.size()), now, lanes_of_row, u, begin, end);
}

void lstm_backward_bf16_walk(const RecurrentSizes& s,
                             std::span<const RecurrentBackward<float>> shards) {
  if (s.steps == 0 || s.rows == 0) return;
  const LstmTiles w(s, shards[0].packed);
  const LstmBackwardScratch at(s);
  ShardWalk places[most_abreast];
  for (std::size_t i = 0; i < shards.size(); ++i) {
    places[i] = walk_of(s, shards[i]);
    begin_walk(places[i]);
  }
  const std::span<const ShardWalk> walks(places, shards.size());
  Bf16Products products;
  // Blocks count from the walk's first step and go from the last to the first, so that a walk that
  // is cut between two of them has the same blocks.
  for (Index begin = (s.steps - 1) / at.block * at.block; begin >= 0; begin -= at.block) {
    const Index end = std::min(s.steps, begin + at.block);
    const Index t0 = s.backwards ? s.steps - end : begin;
    for (Index n = end - 1; n >= begin; --n) {
      const Index t = s.backwards ? s.steps - 1 - n : n;
      step_back(walks, products, at, w.back_h, t, t - t0);
    }
    for (const ShardWalk& walk : walks) multiply_block(s, *walk.a, t0, end - begin, w, products);
  }
  for (const ShardWalk& walk : walks) end_walk(walk);
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

#if HWY_TARGETS & HWY_AVX3
void lstm_backward_bf16(const RecurrentSizes& s, std::span<const RecurrentBackward<float>> shards) {
  for_those_abreast(s, shards, [&](auto some) { N_AVX3::lstm_backward_bf16_walk(s, some); });
}
#else
void lstm_backward_bf16(const RecurrentSizes&, std::span<const RecurrentBackward<float>>) {}
#endif

}  // namespace sonde::kernels
#endif
