#include <algorithm>

#include "kernels/simd/lstm.hpp"

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

}  // namespace

template <>
Index lstm_packed_size<float>(const RecurrentSizes& s) {
  return LstmPacked(s).size;
}

template <>
Index lstm_gates_size<float>(const RecurrentSizes& s) {
  return std::max(gates_pitch(s), reference::lstm_gates_size(s));
}

template <>
Index lstm_scratch_size<float>(const RecurrentSizes& s) {
  return 2 * s.rows * whole_slices(s.units) + gate_lanes(s);
}

void lstm_pack(const RecurrentSizes& s, const float* w, const float* u, const float* b,
               float* packed) {
  reference::lstm_pack(s, w, u, b, packed);
  const LstmPacked at(s);
  const Index sums = s.channels + s.units, pitch = sums * gates_of_slice;
  for (Index k = 0; k < sums; ++k) {
    const float* row = k < s.channels ? w + k * 4 * s.units : u + (k - s.channels) * 4 * s.units;
    pack_row(s.units, row, pitch, packed + at.forward + k * gates_of_slice);
  }
  pack_row(s.units, b, gates_of_slice, packed + at.bias);
  pack_transposed(s, s.units, u, packed + at.backward_h);
  pack_transposed(s, s.channels, w, packed + at.backward_x);
}

}  // namespace sonde::kernels
