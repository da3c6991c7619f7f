// Included once per instruction set, hence no ordinary guard.
#if defined(SONDE_FEW_ROWS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SONDE_FEW_ROWS_INL_H
#undef SONDE_FEW_ROWS_INL_H
#else
#define SONDE_FEW_ROWS_INL_H
#endif

#include <type_traits>

#include "kernels/simd/tile-inl.h"

/// Tiles for the few rows of one step of a walk over time, which cannot wait for more of them: where
/// rows are few, a tile is wide. The matrix lies in slices, (slices, sums, 16), so that a tile may be
/// as wide as it likes.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// Registers, for up to 4 rows: 32 of AVX-512 and NEON hold 4 x 4 sums, 4 of x and one of w; 16 of
/// AVX2 hold 4 x 2, 4 and one, or 2 x 4, 2 and one. 8 sums just hide a latency of 4 cycles, 16 also
/// what a step waits for.
inline constexpr int few_rows = 4;
inline constexpr int few_vectors(int rows) { return parts == 2 && rows > 2 ? 2 : 4; }

/// sum[row] += the sum over n numbers of x[row], `x_inner` apart, times rows of w.
template <int rows, int vectors>
HWY_INLINE void add_numbers(Index n, const float* const (&x)[rows], Index x_inner,
                            const float* const (&w)[vectors], Vector (&sum)[rows][vectors]) {
  Index k = 0, from = 0;
  for (; n > 0; --n) {
    Vector xk[rows];
    SONDE_UNROLL for (int r = 0; r < rows; ++r) xk[r] = set(x[r][k]);
    SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
      const Vector wk = hn::LoadU(tag, w[v] + from);
      SONDE_UNROLL for (int r = 0; r < rows; ++r) sum[r][v] = hn::MulAdd(xk[r], wk, sum[r][v]);
    }
    k += x_inner;
    from += slice;
  }
}

/// Where the vectors of a tile from `lane` on begin, in a matrix (slices, sums, 16).
template <int vectors>
HWY_INLINE void find_vectors(const float* matrix, Index sums, Index lane,
                             const float* (&w)[vectors]) {
  SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
    const Index at = lane + v * lanes;
    w[v] = matrix + at / slice * sums * slice + at % slice;
  }
}

/// Calls tile(rows, vectors, r, lane), the first two as constants, until all of `width` lanes of the
/// rows first to end - 1 are done.
template <int rows, int vectors, class Tile>
HWY_INLINE void walk_lanes(Index r, Index lane, Index width, const Tile& tile) {
  const std::integral_constant<int, rows> height{};
  for (; lane + (vectors - 1) * lanes < width; lane += vectors * lanes) {
    tile(height, std::integral_constant<int, vectors>(), r, lane);
  }
  if constexpr (vectors > 1) walk_lanes<rows, vectors / 2>(r, lane, width, tile);
}
template <class Tile>
HWY_INLINE void walk_few_rows(Index first, Index end, Index width, const Tile& tile) {
  for (Index tiles = (end - first + few_rows - 1) / few_rows; tiles > 0; --tiles) {
    const Index rows = (end - first + tiles - 1) / tiles;
    switch (rows) {
      case 1: walk_lanes<1, few_vectors(1)>(first, 0, width, tile); break;
      case 2: walk_lanes<2, few_vectors(2)>(first, 0, width, tile); break;
      case 3: walk_lanes<3, few_vectors(3)>(first, 0, width, tile); break;
      default: walk_lanes<few_rows, few_vectors(few_rows)>(first, 0, width, tile);
    }
    first += rows;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
