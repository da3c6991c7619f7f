#pragma once
#include <span>

#include "kernels/simd/lstm.hpp"

/// What the LSTM with products of bfloat16 has beside the one of floats: where its factors lie, and
/// how the rows of several shards lie among each other.
namespace sonde::kernels {

inline Index whole_groups(Index n) { return groups_of(n) * group; }

/// The matrices of a packed block.
struct LstmTiles {
  PackedTiles x, h;            ///< forward: w and u
  PackedTiles back_h, back_x;  ///< transposed

  LstmTiles(const RecurrentSizes& s, const float* packed) {
    const LstmPacked at(s);
    const Index lanes = gate_lanes(s);
    const auto tiles = [&](Index first, Index sums, Index width) {
      return PackedTiles{reinterpret_cast<const Bfloat16*>(packed + first), groups_of(sums), width};
    };
    x = tiles(at.forward, s.channels, lanes);
    h = tiles(at.forward + packed_tiles_size(s.channels, lanes) / 2, s.units, lanes);
    back_h = tiles(at.backward_h, lanes, s.units);
    back_x = tiles(at.backward_x, lanes, s.channels);
  }
};

/// Rows that go through time together at most.
inline Index rows_abreast(const RecurrentSizes& s) { return std::max(s.rows, most_rows_abreast); }

/// Calls walk(some) for as many of the shards as go together.
template <class Call, class Walk>
void for_those_abreast(const RecurrentSizes& s, std::span<const Call> shards, const Walk& walk) {
  const auto room = static_cast<std::size_t>(rows_abreast(s) / std::max<Index>(s.rows, 1));
  const std::size_t most = std::min(room, most_abreast);
  for (std::size_t i = 0; i < shards.size(); i += most) {
    walk(shards.subspan(i, std::min(most, shards.size() - i)));
  }
}

/// Calls use(shard, from, to, at) for the parts of rows r to r + count - 1 of all shards that are
/// of one shard: its rows `from` to `to` - 1, of which the first is row r + at.
template <class Use>
void for_parts(Index rows_of_shard, Index r, Index count, const Use& use) {
  for (Index row = r; row < r + count;) {
    const Index shard = row / rows_of_shard, from = row % rows_of_shard;
    const Index to = std::min(rows_of_shard, from + r + count - row);
    use(shard, from, to, row - r);
    row += to - from;
  }
}

/// Whether a step counts for any of its rows.
inline bool is_used(const float* mask, Index rows) {
  return !mask || std::any_of(mask, mask + rows, [](float each) { return each != 0.0f; });
}

/// A part of some rows, (rows, whole slices), to another place.
inline void copy_part(Index rows, Index width, const float* from, Index from_row, float* to,
                      Index to_row) {
  for (Index r = 0; r < rows; ++r, from += from_row, to += to_row) {
    for (Index i = 0; i < width; i += slice) std::copy_n(from + i, slice, to + i);
  }
}

/// Scratch of forward. A batch's last shard may have fewer rows than was booked for: what counts
/// the rows of a block counts as many as a block of any number of rows has. Products with w are
/// made for some steps together: 64 rows are 4 whole tiles, and their sums, 64 KiB at 64 units,
/// mostly stay in a second-level cache until h comes to them.
struct LstmForwardScratch {
  Index block;  ///< steps
  Index x;      ///< (block and rows, whole groups of channels) of bfloat16
  Index h;      ///< (rows abreast, whole groups of units) of bfloat16, of the first shard
  Index sums;   ///< (block and rows, gates): where gates are not kept
  Index size;

  explicit LstmForwardScratch(const RecurrentSizes& s) {
    block = std::max<Index>(1, 64 / std::max<Index>(1, s.rows));
    const Index block_rows = std::max<Index>(64, s.rows);
    x = 0;
    h = x + block_rows * whole_groups(s.channels) / 2;
    sums = h + rows_abreast(s) * whole_groups(s.units) / 2;
    size = sums + block_rows * lstm_gates_pitch(s);
  }
};

/// Scratch of backward, behind what is carried; for shards with fewer rows too.
struct LstmBackwardScratch {
  Index block;     ///< steps
  Index dz;        ///< (block and rows, gate lanes) of bfloat16
  Index dz_now;    ///< (rows abreast, gate lanes) of bfloat16: of one step, of the first shard
  Index dz_pairs;  ///< (tiles of gate lanes, groups) tiles of bfloat16
  Index in;        ///< (tiles of channels or units, groups) tiles of bfloat16
  Index size;

  explicit LstmBackwardScratch(const RecurrentSizes& s) {
    block = lstm_block_steps(std::max<Index>(1, s.rows));
    const Index block_rows = std::max(block_pairs, s.rows), groups = groups_of(block_rows);
    const Index lanes = gate_lanes(s);
    dz = lstm_carried_size(s);
    dz_now = dz + block_rows * lanes / 2;
    dz_pairs = dz_now + rows_abreast(s) * lanes / 2;
    in = dz_pairs + tiles_of(lanes) * groups * tile / 2;
    size = in + tiles_of(std::max(s.channels, s.units)) * groups * tile / 2;
  }
};

inline Bfloat16* bfloats(float* scratch, Index at) {
  return reinterpret_cast<Bfloat16*>(scratch + at);
}

}  // namespace sonde::kernels
