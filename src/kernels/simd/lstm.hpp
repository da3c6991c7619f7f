#pragma once
#include <bit>
#include <cstdint>
#include <span>

#include "kernels/reference/lstm.hpp"
#include "kernels/simd/bf16_products.hpp"
#include "kernels/simd/recurrent.hpp"

namespace sonde::kernels {

/// Whether the products of this LSTM are of bfloat16.
inline bool uses_bf16(const RecurrentSizes& s) {
  return s.precision == MatmulPrecision::bf16 && bf16_in_use() != Bf16::none && is_default(s, {});
}

/// The packed block: plain weights for the reference, then what the vector kernels read. With bf16
/// the matrices are tiles of bfloat16, two to a scalar; u and w behind each other in `forward`.
struct LstmPacked {
  bool bf16;
  Index forward;     ///< (slices, channels + units, 4, 16): w above u
  Index bias;        ///< (slices, 4, 16)
  Index backward_h;  ///< u transposed: panels of (gate lanes, units)
  Index backward_x;  ///< w transposed: panels of (gate lanes, channels)
  Index size;

  explicit LstmPacked(const RecurrentSizes& s) : bf16(uses_bf16(s)) {
    const Index lanes = gate_lanes(s);
    const auto matrix = [&](Index sums, Index width) {
      return bf16 ? packed_tiles_size(sums, width) / 2 : sums * whole_slices(width);
    };
    forward = whole_slices(reference::lstm_packed_size(s));
    bias = forward + matrix(s.channels, lanes) + matrix(s.units, lanes);
    backward_h = bias + lanes;
    backward_x = backward_h + matrix(lanes, s.units);
    size = backward_x + matrix(lanes, s.channels);
  }
};

/// Scalars of the gates of a row, kept or not.
inline Index lstm_gates_pitch(const RecurrentSizes& s) {
  return std::max(gates_pitch(s), reference::lstm_gates_size(s));
}

/// Scalars that a backward walk carries: dh and dc (rows, whole slices), db (slices, 4, 16).
inline Index lstm_carried_size(const RecurrentSizes& s) {
  return 2 * s.rows * whole_slices(s.units) + gate_lanes(s);
}

/// Steps of a block of backward with products of bfloat16, whose rows are summed over together. 256
/// rows make the products long, and mostly stay in a second-level cache. A power of two, 64 at
/// most, so that blocks of any number of rows end where segments of 64 steps do.
inline Index lstm_block_steps(Index rows) {
  const auto most = static_cast<std::uint64_t>(std::clamp<Index>(block_pairs / rows, 1, 64));
  return static_cast<Index>(std::bit_floor(most));
}

/// db (4 units) <-> (slices, 4, 16), zeros behind.
inline void widen_bias(const RecurrentSizes& s, const float* db, float* to) {
  for (Index i = 0; i < gate_lanes(s); ++i) {
    const Index unit = i / gates_of_slice * slice + i % slice, gate = i % gates_of_slice / slice;
    to[i] = db && unit < s.units ? db[gate * s.units + unit] : 0.0f;
  }
}
inline void narrow_bias(const RecurrentSizes& s, const float* from, float* db) {
  for (Index gate = 0; gate < 4; ++gate) {
    for (Index unit = 0; unit < s.units; ++unit) {
      db[gate * s.units + unit] = from[unit / slice * gates_of_slice + gate * slice + unit % slice];
    }
  }
}

/// The pieces in which units are shared out: whole panels, which are whole slices too.
inline Index panels_of_units(const RecurrentSizes& s) { return (s.units + panel - 1) / panel; }

/// The units of one part of a walk.
struct UnitsOfPart {
  Index first, end;

  UnitsOfPart(const RecurrentSizes& s, const Share& share) {
    const Index panels = panels_of_units(s);
    first = std::min(s.units, share.begin(panels) * panel);
    end = std::min(s.units, share.end(panels) * panel);
  }
};

/// One direction of an LSTM in the ways that there are.
template <class Call>
struct LstmWalks {
  /// Null at the reference level; shares out units.
  void (*vectors)(const RecurrentSizes&, std::span<const Call>, const Share&);
  void (*bf16)(const RecurrentSizes&, std::span<const Call>);
  void (*reference)(const RecurrentSizes&, const Call&);  ///< one shard after the other
};

/// Whether parts can share out the units: no vector of one reaches into what another one writes.
/// On NEON writing the first lanes of a vector is reading and writing all.
inline bool can_share_units(const RecurrentSizes& s, const RecurrentForward<float>&) {
  return s.units % slice == 0;
}
inline bool can_share_units(const RecurrentSizes& s, const RecurrentBackward<float>& a) {
  return s.units % slice == 0 && (!a.dx || s.channels % slice == 0);
}

/// Runs some shards in the way that is meant for them.
template <class Call>
void run_shards(const RecurrentSizes& s, std::span<const Call> shards, const Share& share,
                const LstmWalks<Call>& walks) {
  if (shards.empty()) return;
  const bool known = is_default(s, shards[0].dropout), bf16 = known && LstmPacked(s).bf16;
  const bool vectors = known && !bf16 && walks.vectors;
  if (vectors && can_share_units(s, shards[0])) return walks.vectors(s, shards, share);
  const std::span<const Call> own = share.own(shards);
  if (bf16) walks.bf16(s, own);
  else if (vectors && !own.empty()) walks.vectors(s, own, {});
  else
    for (const Call& shard : own) walks.reference(s, shard);
  share.meet();
}

/// With uses_bf16 and the default functions only.
void lstm_forward_bf16(const RecurrentSizes&, std::span<const RecurrentForward<float>>);
void lstm_backward_bf16(const RecurrentSizes&, std::span<const RecurrentBackward<float>>);

}  // namespace sonde::kernels
