// Included once per instruction set, hence no ordinary guard.
#if defined(SONDE_CELL_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SONDE_CELL_INL_H
#undef SONDE_CELL_INL_H
#else
#define SONDE_CELL_INL_H
#endif

#include <type_traits>

#include "kernels/simd/math-inl.h"
#include "kernels/simd/recurrent.hpp"

/// The forward tile of LSTM and GRU: the sums of all four gates of some rows and one slice stay in
/// registers until h comes out of them.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// A tile is 4 gates of `rows` rows and `vectors` vectors beside each other. Registers: 32 of
/// AVX-512 and NEON hold the 16 sums of 4 rows, 4 of x and one of w; 16 of AVX2 the 12 of 3 rows.
/// One or two rows would wait for their own sums, so they take two vectors where there are two.
inline constexpr int cell_rows = parts == 2 ? 3 : 4;
inline constexpr int cell_vectors(int rows) {
  return rows == 1 || (rows == 2 && parts != 2) ? 2 : 1;
}

/// sum[row * vectors + v] of one gate.
template <int n>
using Gates = Several<n>[4];

/// Adds sum over k of in[row][k] * w[k] to `count` gates from `first` on. w: (n, count, 16); the
/// second vector is `w_next` on. With `asks`, `ahead` is asked for meanwhile.
template <int first, int count, int rows, int vectors, bool asks = false>
HWY_INLINE void add_gates(Index n, const float* in, Index in_row, Index in_inner, const float* w,
                          Index w_next, Gates<rows * vectors>& sum, Ahead ahead = {}) {
  const float* x[rows];
  SONDE_UNROLL for (int r = 0; r < rows; ++r) x[r] = in + r * in_row;
  Index k = 0;
  for (; n > 0; --n) {
    if constexpr (asks) ahead.ask(n - 1);
    Vector xk[rows];
    SONDE_UNROLL for (int r = 0; r < rows; ++r) xk[r] = set(x[r][k]);
    SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
      SONDE_UNROLL for (int g = 0; g < count; ++g) {
        const Vector wk = hn::LoadU(tag, w + v * w_next + g * slice);
        SONDE_UNROLL for (int r = 0; r < rows; ++r) {
          Vector& s = sum[first + g].v[r * vectors + v];
          s = hn::MulAdd(xk[r], wk, s);
        }
      }
    }
    k += in_inner;
    w += count * slice;
  }
}

/// Where vector v of a tile that begins at unit `unit` lies: in (units), and in (slices, row).
HWY_INLINE Index unit_of(Index unit, int v) { return unit + static_cast<Index>(v) * lanes; }
HWY_INLINE Index in_slices(Index unit, Index row) { return unit / slice * row + unit % slice; }
/// How far apart two neighbouring vectors of a tile lie there.
HWY_INLINE Index next_in_slices(Index unit, Index row) {
  return in_slices(unit_of(unit, 1), row) - in_slices(unit, row);
}

/// Stores sums and takes them back: sums and the functions' constants together are more than the
/// registers. z: (4, n, lanes).
template <int n>
HWY_INLINE void put_sums(const Gates<n>& sum, float* z) {
  SONDE_UNROLL for (int g = 0; g < 4; ++g) {
    SONDE_UNROLL for (int i = 0; i < n; ++i) hn::Store(sum[g].v[i], tag, z + (g * n + i) * lanes);
  }
}
template <int n>
HWY_INLINE Several<n> take_sums(const float* z, int gate) {
  Several<n> all;
  SONDE_UNROLL for (int i = 0; i < n; ++i) all.v[i] = hn::Load(tag, z + (gate * n + i) * lanes);
  return all;
}

/// Calls tile(rows, vectors, r, unit), the first two as constants, until the units `unit` to end - 1
/// of some rows are done.
template <int rows, class Tile>
HWY_INLINE void walk_units(Index r, Index unit, Index end, const Tile& tile) {
  constexpr int vectors = cell_vectors(rows);
  const std::integral_constant<int, rows> height{};
  for (; vectors > 1 && unit + lanes < end; unit += 2 * lanes) {
    tile(height, std::integral_constant<int, vectors>(), r, unit);
  }
  for (; unit < end; unit += lanes) tile(height, std::integral_constant<int, 1>(), r, unit);
}
/// Two slices at a time share what they load of x; more would push each other's weights out of a
/// small first-level cache before the next rows come.
inline constexpr Index near_units = 2 * slice;
/// The same for those of the units from `unit` on that are near, of the rows first to end - 1.
template <class Tile>
HWY_INLINE void walk_near(Index first, Index end, Index unit, Index units, const Tile& tile) {
  const Index unit_end = std::min(units, unit + near_units);
  Index r = first;
  for (Index tiles = (end - r + cell_rows - 1) / cell_rows; tiles > 0; --tiles) {
    // With 16 registers 3 rows and 1, whose tile takes two vectors, are faster than 2 and 2.
    const Index rows =
        parts == 2 ? std::min<Index>(cell_rows, end - r) : (end - r + tiles - 1) / tiles;
    switch (rows) {
      case 1: walk_units<1>(r, unit, unit_end, tile); break;
      case 2: walk_units<2>(r, unit, unit_end, tile); break;
      case 3: walk_units<3>(r, unit, unit_end, tile); break;
      default: walk_units<cell_rows>(r, unit, unit_end, tile);
    }
    r += rows;
  }
}
template <class Tile>
HWY_INLINE void walk_tiles(Index first, Index end, Index units, const Tile& tile) {
  for (Index unit = 0; unit < units; unit += near_units) walk_near(first, end, unit, units, tile);
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
