#pragma once
#include "kernels/reference/lstm.hpp"
#include "kernels/simd/recurrent.hpp"

namespace sonde::kernels {

/// The packed block: plain weights for the reference, then what the vector kernels read.
struct LstmPacked {
  Index forward;     ///< (slices, channels + units, 4, 16): w above u
  Index bias;        ///< (slices, 4, 16)
  Index backward_h;  ///< u transposed: panels of (gate lanes, units)
  Index backward_x;  ///< w transposed: panels of (gate lanes, channels)
  Index size;

  explicit LstmPacked(const RecurrentSizes& s) {
    forward = whole_slices(reference::lstm_packed_size(s));
    bias = forward + gate_lanes(s) * (s.channels + s.units);
    backward_h = bias + gate_lanes(s);
    backward_x = backward_h + gate_lanes(s) * whole_slices(s.units);
    size = backward_x + gate_lanes(s) * whole_slices(s.channels);
  }
};

}  // namespace sonde::kernels
