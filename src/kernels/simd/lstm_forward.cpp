#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/lstm_forward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cassert>
#include <span>

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
template <int rows, int vectors, bool asks = false>
HWY_NOINLINE void cell(const Cell& a, Index unit, const float* w, const float* b,
                       Ahead ahead = {}) {
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
  add_gates<0, 4, rows, vectors, asks>(a.channels, a.x, a.channels, 1, w, w_next, sum, ahead);
  w += a.channels * gates_of_slice;
  add_gates<0, 4, rows, vectors, asks>(a.units, a.h, a.h_row, a.h_inner, w, w_next, sum,
                                       ahead.after(a.channels));
  HWY_ALIGN float z[4 * n * lanes];
  put_sums(sum, z);
  finish<rows, vectors>(a, unit, z);
}

/// One step of the walk of one shard: `first` lies at row 0, all else in rows of constant pitch.
struct Step {
  Cell first;
  const float* w;             ///< (slices, channels + units, 4, 16)
  const float* b;             ///< (slices, 4, 16)
  const float* mask;          ///< (rows), or null
  Index rows = 0, tiles = 0;  ///< of the shard
  Ahead ahead = {};           ///< of (channels + units) turns for each vector of a tile
};

/// Step n of the walk; `kept`: from one row's gates to the next row's.
Step forward_step(const RecurrentSizes& s, const LstmPacked& at, Index kept,
                  const RecurrentForward<float>& a, Index n) {
  const Index t = s.backwards ? s.steps - 1 - n : n;
  return {.first = cell_of_step(s, a, kept, n),
          .w = a.packed + at.forward,
          .b = a.packed + at.bias,
          .mask = a.mask ? a.mask + t * s.rows : nullptr,
          .rows = s.rows,
          .tiles = (s.rows + cell_rows - 1) / cell_rows};
}

/// The near units from `unit` on of rows first to end - 1.
template <bool asks>
void walk_rows(const Step& step, Index unit, Index first, Index end) {
  const auto tile = [&](auto rows, auto vectors, Index r, Index lane) HWY_ATTR {
    const Cell a = at_row(step.first, r);
    if constexpr (asks && rows() > 1) {
      const Index tile = r * step.tiles / step.rows * (near_units / lanes) + (lane - unit) / lanes;
      const Ahead ahead = step.ahead.after(tile * (a.channels + a.units));
      cell<rows(), vectors(), true>(a, lane, step.w, step.b, ahead);
    } else {
      cell<rows(), vectors()>(a, lane, step.w, step.b);
    }
  };
  walk_near(first, end, unit, step.first.units, tile);
}

/// Part `i` of the weights of the units behind the near ones from `unit` on, or of the first ones.
Ahead next_weights(const RecurrentSizes& s, const UnitsOfPart& units, std::span<const Step> shards,
                   Index unit, Index i) {
  const Index next = unit + near_units < units.end ? unit + near_units : units.first,
              sums = s.channels + s.units;
  const Index turns = sums * (near_units / lanes) * shards[0].tiles;  // of one shard
  const Index all = near_units / slice * sums * gates_of_slice;
  const Index all_turns = turns * static_cast<Index>(shards.size());
  // A turn asks for one line at most.
  const Index step = std::min(slice, (all + all_turns - 1) / all_turns);
  return Ahead(shards[0].w + in_slices(next, sums * gates_of_slice), step).after(i * turns);
}

void lstm_forward_walk(const RecurrentSizes& s, std::span<const RecurrentForward<float>> shards,
                       const Share& share) {
  static_assert(near_units == panel);
  if (s.rows == 0) return;
  const LstmPacked at(s);
  const UnitsOfPart units(s, share);
  const Index kept = lstm_gates_size<float>(s);
  assert(shards.size() <= most_abreast);
  Step steps[most_abreast];
  const std::span<Step> now(steps, shards.size());
  for (Index n = 0; n < s.steps; ++n) {
    for (std::size_t i = 0; i < shards.size(); ++i)
      steps[i] = forward_step(s, at, kept, shards[i], n);
    // All shards while the weights of some units are near; each asks for its share of the next
    // ones.
    for (Index unit = units.first; unit < units.end; unit += near_units) {
      for (Step& step : now) {
        const bool asks = now.size() > 1;
        if (asks) step.ahead = next_weights(s, units, now, unit, &step - steps);
        for_runs(
            step.mask, s.rows,
            [&](Index first, Index end) {
              if (asks) walk_rows<true>(step, unit, first, end);
              else walk_rows<false>(step, unit, first, end);
            },
            [&](Index r) {
              if (unit == 0) skip_row(at_row(step.first, r));
            });
      }
    }
    share.meet();  // the next step reads all of h
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

void lstm_forward(const RecurrentSizes& s, std::span<const RecurrentForward<float>> shards,
                  const Share& share) {
  using Walk = decltype(LstmWalks<RecurrentForward<float>>::vectors);
  run_shards<RecurrentForward<float>>(s, shards, share,
                                      {.vectors = SONDE_CHOOSE(lstm_forward_walk, Walk{nullptr}),
                                       .bf16 = &lstm_forward_bf16,
                                       .reference = &reference::lstm_forward<float>});
}

}  // namespace sonde::kernels
#endif
