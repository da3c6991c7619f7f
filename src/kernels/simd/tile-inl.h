// Included once per instruction set, hence no ordinary guard.
#if defined(SONDE_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SONDE_TILE_INL_H
#undef SONDE_TILE_INL_H
#else
#define SONDE_TILE_INL_H
#endif

#include <hwy/cache_control.h>

#include "kernels/simd/vector-inl.h"

/// The one product under all window kernels and most of the LSTM's: a tile of outputs, some rows by
/// some vectors, stays in registers while it sums numbers of x, each spread over a vector, times
/// vectors of w. Start reading here.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// The tile's greatest size. Registers: 32 of AVX-512 hold 8 x 2 sums, 2 of w, 1 of x and leave room;
/// 16 of AVX2 hold 6 x 2, 2 and 1; 32 of NEON hold 5 x 4, 4 and 1. All keep at least 12 sums on the
/// way, more than the 8 to 10 that two multiply-adds per cycle with 4 to 5 cycles' latency need.
inline constexpr int tile_rows = parts == 1 ? 8 : parts == 2 ? 6 : 5;
inline constexpr int tile_vectors = parts == 4 ? 4 : 2;
inline constexpr Index tile_lanes = static_cast<Index>(tile_vectors) * lanes;

/// y[row] (lanes) = start + sum over `outer`, then `inner`, of x[row][...] * w[...] (lanes).
struct Sum {
  Index outer = 1;
  Index inner = 0;
  Index x_outer = 0;  ///< scalars of x from one outer step to the next
  Index x_inner = 1;
  Index w_outer = 0;
  Index w_inner = 0;
  const float* b = nullptr;  ///< (lanes): the start of every row; null: zeros
  bool add = false;          ///< start from y instead
  bool relu = false;         ///< negative sums become 0
  Index y_vector = lanes;    ///< scalars of y from one vector to the next
  Ahead ahead = {};          ///< of `inner` turns for each tile
  Index count[tile_vectors] = {};  ///< lanes of each vector that are written; the last has the fewest
};

template <int rows, int vectors, bool asks = false>
HWY_NOINLINE void sum_tile(const Sum& s, const float* const* x_rows, const float* w,
                           float* const* y_rows) {
  const float* x[rows];
  Vector sum[rows][vectors];
  SONDE_UNROLL for (int r = 0; r < rows; ++r) {
    x[r] = x_rows[r];
    SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
      sum[r][v] = s.add ? hn::LoadU(tag, y_rows[r] + v * s.y_vector)
                  : s.b ? hn::LoadU(tag, s.b + v * lanes)
                        : hn::Zero(tag);
    }
  }
  for (Index i = 0; i < s.outer; ++i) {
    const float* wk = w + i * s.w_outer;
    Index k = i * s.x_outer;
    for (Index n = s.inner; n > 0; --n) {
      if constexpr (asks) s.ahead.ask(n - 1);
      Vector wv[vectors];
      SONDE_UNROLL for (int v = 0; v < vectors; ++v) wv[v] = hn::LoadU(tag, wk + v * lanes);
      SONDE_UNROLL for (int r = 0; r < rows; ++r) {
        const Vector xk = set(x[r][k]);
        SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
          sum[r][v] = hn::MulAdd(xk, wv[v], sum[r][v]);
        }
      }
      wk += s.w_inner;
      k += s.x_inner;
    }
  }
  if (s.relu) {
    SONDE_UNROLL for (int r = 0; r < rows; ++r) {
      SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
        const auto negative = hn::Lt(sum[r][v], hn::Zero(tag));
        sum[r][v] = hn::IfThenZeroElse(negative, sum[r][v]);
      }
    }
  }
  const Index y_vector = s.y_vector;
  if (s.count[vectors - 1] >= lanes) {
    SONDE_UNROLL for (int r = 0; r < rows; ++r) {
      SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
        hn::StoreU(sum[r][v], tag, y_rows[r] + v * y_vector);
      }
    }
    return;
  }
  SONDE_UNROLL for (int v = 0; v < vectors; ++v) {
    const Index count = s.count[v];
    SONDE_UNROLL for (int r = 0; r < rows; ++r) {
      store_first(sum[r][v], count, y_rows[r] + v * y_vector);
    }
  }
}

using TileFunction = void (*)(const Sum&, const float* const*, const float*, float* const*);

template <int vectors>
HWY_INLINE TileFunction tile_of_rows(Index rows) {
  switch (rows) {
    case 1: return &sum_tile<1, vectors>;
    case 2: return &sum_tile<2, vectors>;
    case 3: return &sum_tile<3, vectors>;
    case 4: return &sum_tile<4, vectors>;
    case 5: return &sum_tile<5, vectors>;
    case 6: return &sum_tile<tile_rows < 6 ? 1 : 6, vectors>;
    case 7: return &sum_tile<tile_rows < 8 ? 1 : 7, vectors>;
    default: return &sum_tile<tile_rows < 8 ? 1 : 8, vectors>;
  }
}

/// The tile for 1 to tile_rows rows and 1 to tile_vectors vectors.
inline TileFunction tile_of(Index rows, Index vectors) {
  if (vectors == 1) return tile_of_rows<1>(rows);
  if (vectors == 2) return tile_of_rows<2>(rows);
  if (vectors == 3) return tile_of_rows<tile_vectors < 4 ? 1 : 3>(rows);
  return tile_of_rows<tile_vectors < 4 ? 1 : 4>(rows);
}

/// Sets how many lanes are written, of `left`; returns the number of vectors that takes.
HWY_INLINE Index set_counts(Sum& s, Index left) {
  for (int v = 0; v < tile_vectors; ++v) s.count[v] = left - v * lanes;
  return std::min<Index>(tile_vectors, (left + lanes - 1) / lanes);
}

/// Where a tile's rows lie: `steps` times `rows` of them.
struct Rows {
  Index steps = 0;
  Index rows = 0;
  Index x_step = 0;
  Index x_row = 0;
  Index y_step = 0;
  Index y_row = 0;
};

/// Runs `s` over all rows, in tiles of nearly equal size: a last tile of one row would wait for its
/// own sums.
inline void sum_rows(const Sum& s, Index vectors, const Rows& p, const float* x, const float* w,
                     float* y) {
  const float* x_rows[tile_rows];
  float* y_rows[tile_rows];
  Index left = p.steps * p.rows, r = 0;
  for (Index tiles = (left + tile_rows - 1) / tile_rows; tiles > 0; --tiles) {
    const Index size = (left + tiles - 1) / tiles;
    for (Index i = 0; i < size; ++i) {
      x_rows[i] = x + r * p.x_row;
      y_rows[i] = y + r * p.y_row;
      if (++r == p.rows) {
        r = 0;
        x += p.x_step;
        y += p.y_step;
      }
    }
    if (s.add && left > size) {  // the next tile's sums are on their way meanwhile
      const Index next = std::min(size, p.rows - r);
      for (Index i = r; i < r + next; ++i) {
        hwy::Prefetch(y + i * p.y_row);
        hwy::Prefetch(y + i * p.y_row + s.y_vector);
      }
    }
    tile_of(size, vectors)(s, x_rows, w, y_rows);
    left -= size;
  }
}

/// Rows that lie anywhere.
struct RowList {
  static constexpr Index most = 256;
  const float* x[most];
  float* y[most];
  Index count = 0;
};

/// The same over such rows: of x from number `x_from` on, of y from `y_from` on. Tiles ask for
/// s.ahead one after the other.
inline void sum_rows(Sum s, Index vectors, const RowList& list, Index x_from, const float* w,
                     Index y_from) {
  const float* x_rows[tile_rows];
  float* y_rows[tile_rows];
  Index r = 0;
  for (Index tiles = (list.count + tile_rows - 1) / tile_rows; tiles > 0; --tiles) {
    // Only whole tiles ask: then as many of them as there can be.
    const Index left = list.count - r;
    const Index size = s.ahead.next ? std::min<Index>(left, tile_rows) : (left + tiles - 1) / tiles;
    for (Index i = 0; i < size; ++i, ++r) {
      x_rows[i] = list.x[r] + x_from;
      y_rows[i] = list.y[r] + y_from;
    }
    const bool asks = s.ahead.next && size == tile_rows && vectors == tile_vectors;
    const TileFunction tile =
        asks ? &sum_tile<tile_rows, tile_vectors, true> : tile_of(size, vectors);
    tile(s, x_rows, w, y_rows);
    s.ahead = s.ahead.after(s.inner);
  }
}

/// Lays `vectors` vectors of each of `count` rows beside each other, tile_lanes from one row to the
/// next, for rows of a product that all read them: w's lie `w_row` and `w_vector` apart.
HWY_INLINE void lay_together(Index count, const float* w, Index w_row, Index w_vector,
                             Index vectors, float* to) {
  for (Index i = 0; i < count; ++i) {
    for (Index v = 0; v < vectors; ++v)
      hn::Store(hn::LoadU(tag, w + i * w_row + v * w_vector), tag, to + i * tile_lanes + v * lanes);
  }
}

/// A packed matrix and what of it is summed: `outer` times `inner` of its `sums` rows, from row `k`
/// on, `k_outer` rows from one outer step to the next.
struct Matrix {
  const float* packed;
  Index sums;
  Index width;
  Index k;
  Index k_outer;
};

/// y = b + x * m for all rows of p; s says how x is walked and how y begins and ends.
inline void multiply(Sum s, const Matrix& m, const Rows& p, const float* x, const float* b,
                     float* y) {
  // Beyond 2048 sums (256 KiB of a panel, a quarter to a half of a second-level cache) the sum is
  // made in parts that wait in y, so that many rows share each part while it is near.
  constexpr Index most = 2048;
  const bool whole = s.outer * s.inner <= most || p.steps * p.rows <= 2 * tile_rows;
  const Index outer_part = whole ? std::max<Index>(s.outer, 1) : std::max<Index>(1, most / s.inner);
  const Index inner_part = whole ? std::max<Index>(s.inner, 1) : std::min(most, s.inner);
  const bool relu = s.relu;
  const Sum all = s;
  for (Index lane = 0; lane < m.width; lane += tile_lanes) {
    const Packed w = packed_lanes(m.packed, m.sums, m.width, lane);
    const Index vectors = set_counts(s, m.width - lane);
    s.w_inner = w.pitch;
    s.w_outer = m.k_outer * w.pitch;
    s.b = b ? b + lane : nullptr;
    s.add = false;
    Index i = 0;
    do {
      s.outer = std::min(outer_part, all.outer - i);
      Index j = 0;
      do {
        s.inner = std::min(inner_part, all.inner - j);
        s.relu = relu && i + s.outer >= all.outer && j + s.inner >= all.inner;
        sum_rows(s, vectors, p, x + i * all.x_outer + j * all.x_inner,
                 w.first + (m.k + i * m.k_outer + j) * w.pitch, y + lane);
        s.add = true;
        j += inner_part;
      } while (j < all.inner);
      i += outer_part;
    } while (i < all.outer);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
