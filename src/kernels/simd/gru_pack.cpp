#include <algorithm>

#include "kernels/simd/gru.hpp"

/// Sizes and packing of the float GRU; plain loops.
namespace sonde::kernels {
namespace {

/// Gates of a matrix (k, 3 units) by their number there.
using reference::gate_h, reference::gate_r, reference::gate_z;

/// m -> (slices, width, count, 16), with the gates in the given order.
template <std::size_t count>
void pack_gates(const RecurrentSizes& s, Index width, const float* m, const int (&gates)[count],
                float* packed) {
  for (Index j = 0; j < s.units; j += slice) {
    const Index filled = std::min(slice, s.units - j);
    for (Index k = 0; k < width; ++k) {
      for (const int gate : gates) {
        std::copy_n(m + (k * 3 + gate) * s.units + j, filled, packed);
        std::fill(packed + filled, packed + slice, 0.0f);
        packed += slice;
      }
    }
  }
}

/// m -> panels of (slices * count * 16, width): its transpose.
template <std::size_t count>
void pack_back(const RecurrentSizes& s, Index width, const float* m, const int (&gates)[count],
               float* packed) {
  constexpr Index of_slice = static_cast<Index>(count) * slice;
  const auto column = [&](Index k) -> const float* {
    const Index unit = k / of_slice * slice + k % slice;
    const int gate = gates[k % of_slice / slice];
    return unit < s.units ? m + gate * s.units + unit : nullptr;
  };
  pack_panels(whole_slices(s.units) * static_cast<Index>(count), width, 3 * s.units, column,
              packed);
}

/// The biases of both products where they are only added, else each for itself.
void pack_bias(const RecurrentSizes& s, const float* b, float* packed) {
  std::fill_n(packed, 4 * whole_slices(s.units), 0.0f);
  if (!b) return;
  const float* b_u = s.reset_after ? b + 3 * s.units : nullptr;
  for (Index j = 0; j < s.units; ++j) {
    float* lane = packed + j / slice * gates_of_slice + j % slice;
    const auto sum = [&](int gate) {
      return b[gate * s.units + j] + (b_u ? b_u[gate * s.units + j] : 0.0f);
    };
    lane[place_candidate * slice] = b[gate_h * s.units + j];
    lane[place_z * slice] = sum(gate_z);
    lane[place_r * slice] = sum(gate_r);
    if (b_u) lane[place_inner * slice] = b_u[gate_h * s.units + j];
  }
}

}  // namespace

template <>
Index gru_packed_size<float>(const RecurrentSizes& s) {
  return GruPacked(s).size;
}

template <>
Index gru_gates_size<float>(const RecurrentSizes& s) {
  return std::max(gates_pitch(s), reference::gru_gates_size(s));
}

template <>
Index gru_scratch_size<float>(const RecurrentSizes& s) {
  // Forward needs one step's gates where they are not kept.
  return std::max(GruScratch(s).size, s.rows * gru_gates_size<float>(s)) +
         reference::gru_scratch_size(s);
}

void gru_pack(const RecurrentSizes& s, const float* w, const float* u, const float* b,
              float* packed) {
  reference::gru_pack(s, w, u, b, packed);
  const GruPacked at(s);
  pack_gates(s, s.channels, w, {gate_h, gate_z, gate_r}, packed + at.w);
  pack_back(s, s.channels, w, {gate_h, gate_z, gate_r}, packed + at.w_back);
  if (s.reset_after) {
    pack_gates(s, s.units, u, {gate_z, gate_r, gate_h}, packed + at.u);
    pack_back(s, s.units, u, {gate_z, gate_r, gate_h}, packed + at.u_back);
  } else {
    pack_gates(s, s.units, u, {gate_z, gate_r}, packed + at.u);
    pack_gates(s, s.units, u, {gate_h}, packed + at.u_inner);
    pack_back(s, s.units, u, {gate_z, gate_r}, packed + at.u_back);
    pack_back(s, s.units, u, {gate_h}, packed + at.inner_back);
  }
  pack_bias(s, b, packed + at.bias);
}

}  // namespace sonde::kernels
