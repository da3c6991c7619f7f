#include <algorithm>

#include "kernels/level.hpp"
#include "kernels/simd/lstm_bf16.hpp"

/// Sizes and packing of the float LSTM; plain loops.
namespace sonde::kernels {
namespace {

/// Row (4 units) of w, u or b -> (4, 16) of one slice, `pitch` scalars from slice to slice.
void pack_row(Index units, const float* row, Index pitch, float* packed) {
  for (Index j = 0; j < units; j += slice, packed += pitch) {
    const Index filled = std::min(slice, units - j);
    for (Index gate = 0; gate < 4; ++gate) {
      float* lanes = packed + gate * slice;
      if (row) {
        std::copy_n(row + gate * units + j, filled, lanes);
        std::fill(lanes + filled, lanes + slice, 0.0f);
      } else {
        std::fill_n(lanes, slice, 0.0f);
      }
    }
  }
}

/// m (width, 4 units) -> panels of (gate lanes, width).
void pack_transposed(const RecurrentSizes& s, Index width, const float* m, float* packed) {
  const auto column = [&](Index k) -> const float* {
    const Index unit = k / gates_of_slice * slice + k % slice, gate = k % gates_of_slice / slice;
    return unit < s.units ? m + gate * s.units + unit : nullptr;
  };
  pack_panels(gate_lanes(s), width, 4 * s.units, column, packed);
}

/// m (width, 4 units) as tiles of bfloat16, (width, gate lanes) and transposed: one slice of 32
/// rows at a time, which is rounded once for both.
void pack_bf16(const RecurrentSizes& s, Index width, const float* m, Bfloat16* forward,
               Bfloat16* backward) {
  const Index lanes = gate_lanes(s);
  alignas(64) Bfloat16 rounded[group * gates_of_slice];
  for (Index k = 0; k < width; k += group) {
    const Index rows = std::min(group, width - k);
    for (Index unit = 0; unit < s.units; unit += slice) {
      std::fill_n(rounded, group * gates_of_slice, Bfloat16{0});
      for (Index row = 0; row < rows; ++row) {
        for (Index gate = 0; gate < 4; ++gate) {
          round_rows(1, s.units - unit, m + ((k + row) * 4 + gate) * s.units + unit, 0,
                     rounded + row * gates_of_slice + gate * slice, slice);
        }
      }
      const Index tiles = unit / slice * 4;
      pair_rows(rows, gates_of_slice, rounded, gates_of_slice,
                forward + packed_tile(width, lanes, k / group, tiles), tile);
      for (Index column = 0; column < rows; column += slice) {
        for (Index half = 0; half < 2; ++half) {
          transpose_tile(
              rounded + column * gates_of_slice + half * group, gates_of_slice,
              backward + packed_tile(lanes, width, tiles / 2 + half, (k + column) / slice));
        }
      }
    }
  }
}

}  // namespace

template <>
Index lstm_packed_size<float>(const RecurrentSizes& s) {
  return LstmPacked(s).size;
}

template <>
Index lstm_gates_size<float>(const RecurrentSizes& s) {
  return lstm_gates_pitch(s);
}

template <>
Index lstm_scratch_size<float>(const RecurrentSizes& s) {
  if (uses_bf16(s)) return std::max(LstmForwardScratch(s).size, LstmBackwardScratch(s).size);
  return lstm_carried_size(s);
}

namespace {

/// Numbers of w and u.
Index weights_of(const RecurrentSizes& s) { return (s.channels + s.units) * 4 * s.units; }

}  // namespace

bool lstm_gains_abreast(const RecurrentSizes& s) {
  if (level_in_use() == Level::reference || !has_default_functions(s)) return false;
  if (s.rows >= most_rows_abreast) return false;
  // A second-level cache keeps half of itself, beside what goes through it: of 1 MiB, or of the 2
  // MiB of processors with AMX, whose walks of one shard are short and lose more by company
  // (docs/lstm_kernel.md). Vectors of bfloat16 have no tiles that want more rows: untried.
  if (!uses_bf16(s)) return weights_of(s) >= 512 * 1024 / static_cast<Index>(sizeof(float));
  constexpr Index kept = 1024 * 1024 / static_cast<Index>(sizeof(Bfloat16));
  return bf16_in_use() == Bf16::amx && weights_of(s) >= kept;
}

Index lstm_unit_pieces(const RecurrentSizes& s) {
  // From 1 MiB on: two workers need 10 µs for four rows' products of a step, and 1 to meet.
  const bool gains = weights_of(s) >= 1024 * 1024 / static_cast<Index>(sizeof(float));
  const bool can = lstm_gains_abreast(s) && !uses_bf16(s) && s.units % slice == 0;
  return gains && can ? panels_of_units(s) : 0;
}

void lstm_pack(const RecurrentSizes& s, const float* w, const float* u, const float* b,
               float* packed) {
  reference::lstm_pack(s, w, u, b, packed);
  const LstmPacked at(s);
  pack_row(s.units, b, gates_of_slice, packed + at.bias);
  if (at.bf16) {
    Bfloat16* forward = bfloats(packed, at.forward);
    pack_bf16(s, s.channels, w, forward, bfloats(packed, at.backward_x));
    forward += packed_tiles_size(s.channels, gate_lanes(s));
    return pack_bf16(s, s.units, u, forward, bfloats(packed, at.backward_h));
  }
  const Index sums = s.channels + s.units, pitch = sums * gates_of_slice;
  for (Index k = 0; k < sums; ++k) {
    const float* row = k < s.channels ? w + k * 4 * s.units : u + (k - s.channels) * 4 * s.units;
    pack_row(s.units, row, pitch, packed + at.forward + k * gates_of_slice);
  }
  pack_transposed(s, s.units, u, packed + at.backward_h);
  pack_transposed(s, s.channels, w, packed + at.backward_x);
}

}  // namespace sonde::kernels
