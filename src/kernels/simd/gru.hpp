#pragma once
#include "kernels/reference/gru.hpp"
#include "kernels/simd/recurrent.hpp"

/// How the GRU's vector kernels lay out memory. A slice's four places for gates are
///   candidate, z, r, inner
/// so that what goes through w (the first three) and what goes through u (the last three) each lie
/// in one piece. inner is h u + b' of the candidate; where the reset gate acts before that product
/// it is r h instead, and only z and r go through u together.
namespace sonde::kernels {

inline constexpr int place_candidate = 0, place_z = 1, place_r = 2, place_inner = 3;

/// The packed block: plain weights for the reference, then what the vector kernels read.
struct GruPacked {
  Index w;           ///< (slices, channels, 3, 16): candidate z r
  Index u;           ///< (slices, units, gates_u, 16): z r and, with reset_after, the candidate
  Index u_inner;     ///< (slices, units, 16): the candidate, without reset_after
  Index bias;        ///< (slices, 4, 16): candidate z r inner
  Index w_back;      ///< w transposed: panels of (slices * 3 * 16, channels)
  Index u_back;      ///< u transposed: panels of (slices * gates_u * 16, units)
  Index inner_back;  ///< u_inner transposed: panels of (slices * 16, units)
  Index size;
  Index gates_u;

  explicit GruPacked(const RecurrentSizes& s) : gates_u(s.reset_after ? 3 : 2) {
    const Index width = whole_slices(s.units), lanes_inner = s.reset_after ? 0 : width;
    w = whole_slices(reference::gru_packed_size(s));
    u = w + s.channels * 3 * width;
    u_inner = u + s.units * gates_u * width;
    bias = u_inner + s.units * lanes_inner;
    w_back = bias + 4 * width;
    u_back = w_back + 3 * width * whole_slices(s.channels);
    inner_back = u_back + gates_u * width * width;
    size = inner_back + lanes_inner * width;
  }
};

/// Scratch of backward: the carried gradient, that of r h, and the sums of dz for the bias.
struct GruScratch {
  Index dh = 0;   ///< (rows, whole slices)
  Index d_inner;  ///< (rows, whole slices)
  Index db;       ///< (slices, 6, 16): candidate z r of the products with w, z r inner with u
  Index size;

  explicit GruScratch(const RecurrentSizes& s) {
    const Index width = whole_slices(s.units);
    d_inner = s.rows * width;
    db = d_inner + s.rows * width;
    size = db + 6 * width;
  }
};

}  // namespace sonde::kernels
