#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/gru_forward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/simd/cell-inl.h"
#include "kernels/simd/gru.hpp"

/// The GRU forward: one walk over time, tile by tile as in the LSTM. Where the reset gate acts
/// before the candidate's product with h, a second walk over the tiles of a step follows, when r is
/// known.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// One step of some rows: every pointer at its first row.
struct GruCell {
  Index channels, units;
  const float* x;        ///< (rows, channels)
  const float* h;        ///< (rows, units), or one zero
  Index h_row, h_inner;  ///< both 0 where h is one zero
  float* y;              ///< (rows, units)
  float* gates;          ///< (rows, slices, 4, 16), or null
  Index gates_row;
};

HWY_INLINE GruCell at_row(GruCell a, Index r) {
  a.x += r * a.channels;
  a.h += r * a.h_row;
  a.y += r * a.units;
  if (a.gates) a.gates += r * a.gates_row;
  return a;
}

/// What a step reads beside its numbers.
struct GruTables {
  const float* w;        ///< (slices, channels, 3, 16)
  const float* u;        ///< (slices, units, 3 or 2, 16)
  const float* u_inner;  ///< (slices, units, 16)
  const float* b;        ///< (slices, 4, 16)
};

/// The numbers of h at a tile; what lies behind the units is never stored.
template <int rows, int vectors>
HWY_INLINE Several<rows * vectors> h_of(const GruCell& a, Index unit) {
  auto h = splat<Several<rows * vectors>>(0.0f);
  if (a.h_inner == 0) return h;
  SONDE_UNROLL for (int i = 0; i < rows * vectors; ++i) {
    h.v[i] = hn::LoadU(tag, a.h + i / vectors * a.h_row + unit_of(unit, i % vectors));
  }
  return h;
}

/// Where vector i of a tile has its gates.
template <int vectors>
HWY_INLINE float* gates_of(const GruCell& a, Index unit, int i) {
  return a.gates + i / vectors * a.gates_row +
         in_slices(unit_of(unit, i % vectors), gates_of_slice);
}

/// y = z h + (1 - z) candidate.
template <int rows, int vectors>
HWY_INLINE void store_y(const GruCell& a, Index unit, const Several<rows * vectors>& z,
                        const Several<rows * vectors>& candidate) {
  const auto h = h_of<rows, vectors>(a, unit);
  const auto y = multiply_add(z, subtract(h, candidate), candidate);
  SONDE_UNROLL for (int i = 0; i < rows * vectors; ++i) {
    const Index from = unit_of(unit, i % vectors);
    store_first(y.v[i], a.units - from, a.y + i / vectors * a.units + from);
  }
}

/// The reset gate acts after the product: from the sums (4, rows * vectors, lanes) to y.
template <int rows, int vectors>
HWY_NOINLINE void finish_after(const GruCell& a, Index unit, const float* sums) {
  constexpr int n = rows * vectors;
  using All = Several<n>;
  const All r = sigmoid(take_sums<n>(sums, place_r)), inner = take_sums<n>(sums, place_inner);
  const All candidate = tanh(multiply_add(r, inner, take_sums<n>(sums, place_candidate)));
  const All z = sigmoid(take_sums<n>(sums, place_z));
  store_y<rows, vectors>(a, unit, z, candidate);
  if (!a.gates) return;
  SONDE_UNROLL for (int i = 0; i < n; ++i) {
    float* gates = gates_of<vectors>(a, unit, i);
    hn::StoreU(candidate.v[i], tag, gates + place_candidate * slice);
    hn::StoreU(z.v[i], tag, gates + place_z * slice);
    hn::StoreU(r.v[i], tag, gates + place_r * slice);
    hn::StoreU(inner.v[i], tag, gates + place_inner * slice);
  }
}

/// The reset gate acts before the product: z, r and r h; the candidate's sum waits in its place.
template <int rows, int vectors>
HWY_NOINLINE void finish_before(const GruCell& a, Index unit, const float* sums) {
  constexpr int n = rows * vectors;
  using All = Several<n>;
  const All z = sigmoid(take_sums<n>(sums, place_z)), r = sigmoid(take_sums<n>(sums, place_r));
  const All candidate = take_sums<n>(sums, place_candidate);
  const All inner = multiply(r, h_of<rows, vectors>(a, unit));
  SONDE_UNROLL for (int i = 0; i < n; ++i) {
    float* gates = gates_of<vectors>(a, unit, i);
    hn::StoreU(candidate.v[i], tag, gates + place_candidate * slice);
    hn::StoreU(z.v[i], tag, gates + place_z * slice);
    hn::StoreU(r.v[i], tag, gates + place_r * slice);
    hn::StoreU(inner.v[i], tag, gates + place_inner * slice);
  }
}

/// The products with x and h.
template <bool reset_after, int rows, int vectors>
HWY_NOINLINE void gru_cell(const GruCell& a, Index unit, const GruTables& tables) {
  constexpr int n = rows * vectors, gates_u = reset_after ? 3 : 2;
  Gates<n> sum;
  SONDE_UNROLL for (int g = 0; g < 4; ++g) {
    SONDE_UNROLL for (int i = 0; i < n; ++i) {
      const Index from = in_slices(unit_of(unit, i % vectors), gates_of_slice) + g * slice;
      sum[g].v[i] = hn::LoadU(tag, tables.b + from);
    }
  }
  const Index of_w = a.channels * 3 * slice, of_u = a.units * gates_u * slice;
  add_gates<place_candidate, 3, rows, vectors>(a.channels, a.x, a.channels, 1,
                                               tables.w + in_slices(unit, of_w),
                                               next_in_slices(unit, of_w), sum);
  add_gates<place_z, gates_u, rows, vectors>(a.units, a.h, a.h_row, a.h_inner,
                                             tables.u + in_slices(unit, of_u),
                                             next_in_slices(unit, of_u), sum);
  HWY_ALIGN float sums[4 * n * lanes];
  put_sums(sum, sums);
  if constexpr (reset_after) finish_after<rows, vectors>(a, unit, sums);
  else finish_before<rows, vectors>(a, unit, sums);
}

/// The candidate's product with r h, and y.
template <int rows, int vectors>
HWY_NOINLINE void gru_candidate(const GruCell& a, Index unit, const GruTables& tables) {
  constexpr int n = rows * vectors;
  Gates<n> sum;
  SONDE_UNROLL for (int i = 0; i < n; ++i) {
    sum[0].v[i] = hn::LoadU(tag, gates_of<vectors>(a, unit, i) + place_candidate * slice);
  }
  const Index of_u = a.units * slice, u_next = next_in_slices(unit, of_u);
  const float* u = tables.u_inner + in_slices(unit, of_u);
  const float* inner = a.gates + place_inner * slice;
  for (Index k = 0; k < a.units; k += slice) {
    add_gates<0, 1, rows, vectors>(std::min(slice, a.units - k), inner, a.gates_row, 1, u, u_next,
                                   sum);
    inner += gates_of_slice;
    u += slice * slice;
  }
  const Several<n> candidate = tanh(sum[0]);
  Several<n> z;
  SONDE_UNROLL for (int i = 0; i < n; ++i) {
    float* gates = gates_of<vectors>(a, unit, i);
    z.v[i] = hn::LoadU(tag, gates + place_z * slice);
    hn::StoreU(candidate.v[i], tag, gates + place_candidate * slice);
  }
  store_y<rows, vectors>(a, unit, z, candidate);
}

/// Rows first to end - 1 of one step.
void gru_rows(const GruCell& a, const GruTables& tables, bool reset_after, Index first, Index end) {
  if (reset_after) {
    const auto tile = [&](auto rows, auto vectors, Index r, Index unit) HWY_ATTR {
      gru_cell<true, rows(), vectors()>(at_row(a, r), unit, tables);
    };
    walk_tiles(first, end, a.units, tile);
    return;
  }
  const auto tile = [&](auto rows, auto vectors, Index r, Index unit) HWY_ATTR {
    gru_cell<false, rows(), vectors()>(at_row(a, r), unit, tables);
  };
  walk_tiles(first, end, a.units, tile);
  const auto candidate = [&](auto rows, auto vectors, Index r, Index unit) HWY_ATTR {
    gru_candidate<rows(), vectors()>(at_row(a, r), unit, tables);
  };
  walk_tiles(first, end, a.units, candidate);
}

void gru_forward_walk(const RecurrentSizes& s, const RecurrentForward<float>& a) {
  static constexpr float zero = 0.0f;
  const GruPacked at(s);
  const GruTables tables{a.packed + at.w, a.packed + at.u, a.packed + at.u_inner,
                         a.packed + at.bias};
  const Index step = s.rows * s.units, kept = gru_gates_size<float>(s);
  for (Index n = 0; n < s.steps; ++n) {
    const Index t = s.backwards ? s.steps - 1 - n : n;
    const float* h = n > 0 ? a.y + (s.backwards ? t + 1 : t - 1) * step : a.h0;
    const GruCell now{.channels = s.channels,
                      .units = s.units,
                      .x = a.x + t * s.rows * s.channels,
                      .h = h ? h : &zero,
                      .h_row = h ? s.units : 0,
                      .h_inner = h ? 1 : 0,
                      .y = a.y + t * step,
                      .gates = a.gates         ? a.gates + t * s.rows * kept
                               : s.reset_after ? nullptr
                                               : a.scratch,
                      .gates_row = kept};
    const auto use = [&](Index first, Index end) {
      gru_rows(now, tables, s.reset_after, first, end);
    };
    const auto skip = [&](Index r) {
      reference::carry(s.units, h ? h + r * s.units : nullptr, now.y + r * s.units);
      if (a.gates) std::fill_n(now.gates + r * kept, kept, 0.0f);  // backward sums over them
    };
    for_runs(a.mask ? a.mask + t * s.rows : nullptr, s.rows, use, skip);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

void gru_forward(const RecurrentSizes& s, const RecurrentForward<float>& a) {
  if (!is_default(s, a.dropout)) return reference::gru_forward(s, a);
  SONDE_CHOOSE(gru_forward_walk, &reference::gru_forward<float>)(s, a);
}

}  // namespace sonde::kernels
#endif
