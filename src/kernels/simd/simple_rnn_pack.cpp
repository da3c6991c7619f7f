#include <algorithm>

#include "kernels/simd/simple_rnn.hpp"

/// Sizes and packing of the float SimpleRNN; plain loops.
namespace sonde::kernels {

template <>
Index simple_rnn_packed_size<float>(const RecurrentSizes& s) {
  return SimpleRnnPacked(s).size;
}

template <>
Index simple_rnn_gates_size<float>(const RecurrentSizes& s) {
  return std::max(dz_pitch(s), reference::simple_rnn_gates_size(s));
}

template <>
Index simple_rnn_scratch_size<float>(const RecurrentSizes& s) {
  return (s.rows + 1) * whole_slices(s.units);
}

void simple_rnn_pack(const RecurrentSizes& s, const float* w, const float* u, const float* b,
                     float* packed) {
  reference::simple_rnn_pack(s, w, u, b, packed);
  const SimpleRnnPacked at(s);
  const auto row = [&](Index k) {
    return k < s.channels ? w + k * s.units : u + (k - s.channels) * s.units;
  };
  pack_slices(s.channels + s.units, s.units, 1, row, packed + at.forward);
  pack_slices(
      s.units, s.units, s.units, [&](Index k) { return u + k; }, packed + at.backward_h);
  pack_panels(
      s.units, s.channels, s.units, [&](Index k) { return w + k; }, packed + at.backward_x);
  float* bias = packed + at.bias;
  reference::carry(s.units, b, bias);
  std::fill(bias + s.units, bias + whole_slices(s.units), 0.0f);
}

}  // namespace sonde::kernels
