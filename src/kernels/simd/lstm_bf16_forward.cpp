#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/lstm_bf16_forward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <span>

#include "kernels/simd/lstm_bf16.hpp"
#include "kernels/simd/lstm_cell-inl.h"

/// The LSTM forward with products of bfloat16. x waits for nothing: its products are made for a
/// block of steps, into the place of the gates. Then step by step h is rounded, its products come
/// on top, and all gates of the step are finished from there. Shards go abreast: the rows of all
/// lie together in h, so that what is loaded of the weights serves as many as a tile holds.
#if HWY_TARGET == HWY_AVX3
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// The sums of some rows and one slice of units, in the place of the gates -> c, y and gates.
template <int rows>
HWY_NOINLINE void finish_sums(const Cell& a, Index unit, const float* sums, Index sums_row) {
  sums += in_slices(unit, gates_of_slice);
  finish_gates<rows, 1>(a, unit, [&](int gate) HWY_ATTR {
    Several<rows> all;
    SONDE_UNROLL for (int r = 0; r < rows; ++r) {
      all.v[r] = hn::LoadU(tag, sums + r * sums_row + gate * slice);
    }
    return all;
  });
}

/// One shard on the walk.
struct Bf16Shard {
  const RecurrentForward<float>* a;
  Index t0 = 0;            ///< of the block in memory
  float* block = nullptr;  ///< (steps, rows, gates): sums of x, then gates where they are kept
  Cell now = {};           ///< of the step, at its first row
  float* sums = nullptr;
  const float* mask = nullptr;
};

/// The products of x for the steps `done` to `end` - 1 of the walk.
void begin_block(const RecurrentSizes& s, const PackedTiles& w, Bf16Products& products,
                 Bf16Shard& shard, Index done, Index end) {
  const RecurrentForward<float>& a = *shard.a;
  const LstmForwardScratch at(s);
  const Index kept = lstm_gates_pitch(s), x_row = whole_groups(s.channels);
  const Index count = (end - done) * s.rows;
  Bfloat16* x = bfloats(a.scratch, at.x);
  shard.t0 = s.backwards ? s.steps - end : done;
  shard.block = a.gates ? a.gates + shard.t0 * s.rows * kept : a.scratch + at.sums;
  round_rows(count, s.channels, a.x + shard.t0 * s.rows * s.channels, s.channels, x, x_row);
  products.multiply(count, x, x_row, w, from_row(a.packed + LstmPacked(s).bias), shard.block, kept,
                    true);
}

/// Makes step n of the walk the one of now.
void begin_step(const RecurrentSizes& s, Bf16Shard& shard, Index n) {
  const RecurrentForward<float>& a = *shard.a;
  const Index t = s.backwards ? s.steps - 1 - n : n, kept = lstm_gates_pitch(s);
  shard.now = cell_of_step(s, a, kept, n);
  shard.sums = shard.block + (t - shard.t0) * s.rows * kept;
  shard.mask = a.mask ? a.mask + t * s.rows : nullptr;
}

/// The products of h, (rows of all shards, whole groups of units), come on top of those of x.
void add_products_of_h(const RecurrentSizes& s, const PackedTiles& u, Bf16Products& products,
                       std::span<const Bf16Shard> shards, const Bfloat16* h) {
  const Index kept = lstm_gates_pitch(s), h_row = whole_groups(s.units);
  if (shards.size() == 1) {
    const auto add = [&](Index first, Index end) {
      float* sums = shards[0].sums + first * kept;
      products.multiply(end - first, h + first * h_row, h_row, u, {sums, kept}, sums, kept, true);
    };
    return for_runs(shards[0].mask, s.rows, add, [](Index) {});
  }
  // Rows that are skipped go along, unless all are.
  const auto used = [&](const Bf16Shard& shard) { return is_used(shard.mask, s.rows); };
  if (std::none_of(shards.begin(), shards.end(), used)) return;
  const auto begin = [&](float* z, Index lane, Index r, Index count) -> Start {
    for_parts(s.rows, r, count, [&](Index i, Index from, Index to, Index at) {
      const float* sums = shards[static_cast<std::size_t>(i)].sums + from * kept + lane;
      copy_part(to - from, lanes_beside, sums, kept, z + at * lanes_beside, lanes_beside);
    });
    return {z, lanes_beside};
  };
  const auto end = [&](const float* z, Index lane, Index r, Index count) {
    for_parts(s.rows, r, count, [&](Index i, Index from, Index to, Index at) {
      float* sums = shards[static_cast<std::size_t>(i)].sums + from * kept + lane;
      copy_part(to - from, lanes_beside, z + at * lanes_beside, lanes_beside, sums, kept);
    });
  };
  products.multiply(s.rows * static_cast<Index>(shards.size()), h, h_row, u, begin, end);
}

void finish_step(const RecurrentSizes& s, const Bf16Shard& shard) {
  const Index kept = lstm_gates_pitch(s);
  const auto use = [&](Index first, Index end) HWY_ATTR {
    walk_tiles(first, end, s.units, [&](auto rows, auto vectors, Index r, Index unit) HWY_ATTR {
      for (int v = 0; v < vectors(); ++v) {
        finish_sums<rows()>(at_row(shard.now, r), unit_of(unit, v), shard.sums + r * kept, kept);
      }
    });
  };
  for_runs(shard.mask, s.rows, use, [&](Index r) { skip_row(at_row(shard.now, r)); });
}

void lstm_forward_bf16_walk(const RecurrentSizes& s,
                            std::span<const RecurrentForward<float>> calls) {
  const LstmTiles w(s, calls[0].packed);
  const LstmForwardScratch at(s);
  const Index h_row = whole_groups(s.units), h_shard = s.rows * h_row;
  Bfloat16* h = bfloats(calls[0].scratch, at.h);
  Bf16Shard places[most_abreast];
  const std::span<Bf16Shard> shards(places, calls.size());
  const auto round = [&](std::size_t i, const float* from) {
    round_rows(s.rows, s.units, from, s.units, h + static_cast<Index>(i) * h_shard, h_row);
  };
  for (std::size_t i = 0; i < calls.size(); ++i) {
    shards[i] = {.a = &calls[i]};
    if (calls[i].h0) round(i, calls[i].h0);
    else std::fill_n(h + static_cast<Index>(i) * h_shard, h_shard, Bfloat16{0});
  }
  Bf16Products products;
  for (Index done = 0; done < s.steps; done += at.block) {
    const Index end = std::min(s.steps, done + at.block);
    for (Bf16Shard& shard : shards) begin_block(s, w.x, products, shard, done, end);
    for (Index n = done; n < end; ++n) {
      for (Bf16Shard& shard : shards) begin_step(s, shard, n);
      add_products_of_h(s, w.h, products, shards, h);
      for (std::size_t i = 0; i < shards.size(); ++i) {
        finish_step(s, shards[i]);
        round(i, shards[i].now.y);
      }
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
void lstm_forward_bf16(const RecurrentSizes& s, std::span<const RecurrentForward<float>> shards) {
  for_those_abreast(s, shards, [&](auto some) { N_AVX3::lstm_forward_bf16_walk(s, some); });
}
#else
void lstm_forward_bf16(const RecurrentSizes&, std::span<const RecurrentForward<float>>) {}
#endif

}  // namespace sonde::kernels
#endif
