#pragma once
#include "kernels/simd/lstm.hpp"

/// What the LSTM with products of bfloat16 has beside the one of floats: where its factors lie.
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

/// Scratch of forward. Products with w are made for some steps together: 64 rows are 4 whole tiles,
/// and their sums, 64 KiB at 64 units, mostly stay in a second-level cache until h comes to them.
struct LstmForwardScratch {
  Index block;  ///< steps
  Index x;      ///< (block, rows, whole groups of channels) of bfloat16
  Index h;      ///< (rows, whole groups of units) of bfloat16
  Index sums;   ///< (block, rows, gates): where gates are not kept
  Index size;

  explicit LstmForwardScratch(const RecurrentSizes& s) {
    block = std::max<Index>(1, 64 / std::max<Index>(1, s.rows));
    x = 0;
    h = x + block * s.rows * whole_groups(s.channels) / 2;
    sums = h + s.rows * whole_groups(s.units) / 2;
    size = sums + block * s.rows * lstm_gates_pitch(s);
  }
};

/// Scratch of backward.
struct LstmBackwardScratch {
  Index block;     ///< steps
  Index groups;    ///< of the rows of a block
  Index dh, dc;    ///< (rows, whole slices of units)
  Index db;        ///< (slices, 4, 16)
  Index dz;        ///< (block, rows, gate lanes) of bfloat16
  Index dz_pairs;  ///< (tiles of gate lanes, groups) tiles of bfloat16
  Index in;        ///< (tiles of channels or units, groups) tiles of bfloat16
  Index size;

  explicit LstmBackwardScratch(const RecurrentSizes& s) {
    block = lstm_block_steps(std::max<Index>(1, s.rows));
    groups = groups_of(block * s.rows);
    const Index state = s.rows * whole_slices(s.units), lanes = gate_lanes(s);
    dh = 0;
    dc = dh + state;
    db = dc + state;
    dz = db + lanes;
    dz_pairs = dz + block * s.rows * lanes / 2;
    in = dz_pairs + tiles_of(lanes) * groups * tile / 2;
    size = in + tiles_of(std::max(s.channels, s.units)) * groups * tile / 2;
  }
};

inline Bfloat16* bfloats(float* scratch, Index at) {
  return reinterpret_cast<Bfloat16*>(scratch + at);
}

}  // namespace sonde::kernels
