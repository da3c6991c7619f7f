#include <algorithm>

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

/// m (width, 4 units) as tiles of bfloat16, (width, gate lanes) and transposed.
void pack_bf16(const RecurrentSizes& s, Index width, const float* m, float* forward,
               float* backward) {
  const auto number = [&](Index k, Index lane) {
    const Index unit = lane / gates_of_slice * slice + lane % slice;
    const Index gate = lane % gates_of_slice / slice;
    return unit < s.units ? m[(k * 4 + gate) * s.units + unit] : 0.0f;
  };
  const auto transposed = [&](Index lane, Index k) { return number(k, lane); };
  pack_tiles(width, gate_lanes(s), number, bfloats(forward, 0));
  pack_tiles(gate_lanes(s), width, transposed, bfloats(backward, 0));
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
  return 2 * s.rows * whole_slices(s.units) + gate_lanes(s);
}

void lstm_pack(const RecurrentSizes& s, const float* w, const float* u, const float* b,
               float* packed) {
  reference::lstm_pack(s, w, u, b, packed);
  const LstmPacked at(s);
  pack_row(s.units, b, gates_of_slice, packed + at.bias);
  if (at.bf16) {
    float* forward = packed + at.forward;
    pack_bf16(s, s.channels, w, forward, packed + at.backward_x);
    forward += packed_tiles_size(s.channels, gate_lanes(s)) / 2;
    return pack_bf16(s, s.units, u, forward, packed + at.backward_h);
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
