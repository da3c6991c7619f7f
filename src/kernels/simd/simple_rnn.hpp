#pragma once
#include "kernels/reference/simple_rnn.hpp"
#include "kernels/simd/recurrent.hpp"

namespace sonde::kernels {

/// The packed block: plain weights for the reference, then what the vector kernels read.
struct SimpleRnnPacked {
  Index forward;     ///< (slices, channels + units, 16): w above u
  Index bias;        ///< (whole slices of units)
  Index backward_h;  ///< u transposed: (slices, units, 16)
  Index backward_x;  ///< w transposed: panels of (units, channels)
  Index size;

  explicit SimpleRnnPacked(const RecurrentSizes& s) {
    const Index width = whole_slices(s.units);
    forward = whole_slices(reference::simple_rnn_packed_size(s));
    bias = forward + (s.channels + s.units) * width;
    backward_h = bias + width;
    backward_x = backward_h + s.units * width;
    size = backward_x + s.units * whole_slices(s.channels);
  }
};

/// Of the block of dz that backward makes: whole slices, and no multiple of 512 bytes, for the
/// reason that gates_pitch gives.
inline Index dz_pitch(const RecurrentSizes& s) {
  const Index width = whole_slices(s.units);
  return width + (width % 128 == 0 ? slice : 0);
}

/// The vector kernels know Keras' default function; all else is the reference's.
inline bool is_plain_tanh(const RecurrentSizes& s, const DropoutMasks<float>& dropout) {
  return s.activation == ActivationFunction::tanh && !dropout.x && !dropout.h;
}

}  // namespace sonde::kernels
