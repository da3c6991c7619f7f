#pragma once
#include "kernels/reference/recurrent.hpp"
#include "kernels/simd/packed.hpp"

/// What the vector kernels that walk time share: which calls they take, and how they lay out
/// memory.
///
/// Units go in slices of 16. The gates of one step and row lie (slices, 4, 16), and so do the sums
/// that run over gates: "gate lane" slice * 64 + gate * 16 + lane.
namespace sonde::kernels {

inline constexpr Index gates_of_slice = 4 * slice;

inline Index gate_lanes(const RecurrentSizes& s) { return 4 * whole_slices(s.units); }

/// Scalars from one row's gates to the next row's: one cache line more where rows would lie a
/// multiple of 512 bytes apart, for then the same lanes of many rows would fall on a few sets of
/// the first-level cache and push each other out.
inline Index gates_pitch(const RecurrentSizes& s) {
  return gate_lanes(s) + (gate_lanes(s) % 128 == 0 ? slice : 0);
}

/// The vector kernels know Keras' default functions; all else is the reference's.
inline bool is_default(const RecurrentSizes& s, const DropoutMasks<float>& dropout) {
  return has_default_functions(s) && !dropout.x && !dropout.h;
}

/// Calls use(first, end) for each run of rows that a step's mask uses, and skip(row) for the
/// others.
template <class Use, class Skip>
void for_runs(const float* mask, Index rows, Use use, Skip skip) {
  if (!mask) return use(0, rows);
  for (Index r = 0; r < rows; ++r) {
    const Index first = r;
    while (r < rows && mask[r] != 0.0f) ++r;
    if (r > first) use(first, r);
    if (r < rows) skip(r);
  }
}

/// (rows, units) -> (rows, whole slices), zeros behind; and back.
inline void widen(const RecurrentSizes& s, const float* from, float* to) {
  const Index width = whole_slices(s.units);
  for (Index r = 0; r < s.rows; ++r) {
    std::copy_n(from + r * s.units, s.units, to + r * width);
    std::fill(to + r * width + s.units, to + (r + 1) * width, 0.0f);
  }
}
inline void narrow(const RecurrentSizes& s, const float* from, float* to) {
  for (Index r = 0; r < s.rows; ++r) {
    std::copy_n(from + r * whole_slices(s.units), s.units, to + r * s.units);
  }
}

}  // namespace sonde::kernels
