#include "kernels/simd/bf16_products.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

/// Products of tiles by AVX512_BF16: 4 rows by 4 tiles of sums in registers, 4 vectors of b, and a
/// pair of a spread over a vector while it is loaded.
#define SONDE_AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define SONDE_UNROLL _Pragma("GCC unroll 16")

namespace sonde::kernels {
namespace {

inline constexpr Index rows_beside = 4;

SONDE_AVX512_BF16 inline __m512bh pairs_at(const Bfloat16* p) {
  return reinterpret_cast<__m512bh>(_mm512_loadu_si512(p));
}
SONDE_AVX512_BF16 inline __m512bh spread_pair_at(const Bfloat16* p) {
  int pair;
  __builtin_memcpy(&pair, p, sizeof pair);
  return reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
}

/// Rows `first` and on.
template <int rows, int tiles>
SONDE_AVX512_BF16 __attribute__((noinline)) void multiply_rows(const TileProduct& p, Index first) {
  __m512 sum[rows][tiles];
  SONDE_UNROLL for (int r = 0; r < rows; ++r) {
    SONDE_UNROLL for (int i = 0; i < tiles; ++i) {
      sum[r][i] = _mm512_loadu_ps(p.start + (first + r) * p.start_row + i * p.start_tile);
    }
  }
  for (Index g = 0; g < p.groups; ++g) {
    const Bfloat16* a = p.a + first * p.a_row + g * p.a_group;
    const Bfloat16* b = p.b + g * p.b_group;
    for (Index k = 0; k < group; k += 2, a += 2, b += 2 * slice) {
      __m512bh pairs[tiles];
      SONDE_UNROLL for (int i = 0; i < tiles; ++i) pairs[i] = pairs_at(b + i * p.b_tile);
      SONDE_UNROLL for (int r = 0; r < rows; ++r) {
        const __m512bh pair = spread_pair_at(a + r * p.a_row);
        SONDE_UNROLL for (int i = 0; i < tiles; ++i) {
          sum[r][i] = _mm512_dpbf16_ps(sum[r][i], pair, pairs[i]);
        }
      }
    }
  }
  SONDE_UNROLL for (int i = 0; i < tiles; ++i) {
    const Index count = p.count[i];
    const auto lanes = static_cast<__mmask16>(count >= slice ? 0xffff : (1 << count) - 1);
    SONDE_UNROLL for (int r = 0; r < rows; ++r) {
      _mm512_mask_storeu_ps(p.y + (first + r) * p.y_row + i * p.y_tile, lanes, sum[r][i]);
    }
  }
}

template <int tiles>
void multiply_tiles(const TileProduct& p) {
  for (Index r = 0; r < p.rows; r += rows_beside) {
    switch (p.rows - r) {
      case 1:
        multiply_rows<1, tiles>(p, r);
        break;
      case 2:
        multiply_rows<2, tiles>(p, r);
        break;
      case 3:
        multiply_rows<3, tiles>(p, r);
        break;
      default:
        multiply_rows<rows_beside, tiles>(p, r);
    }
  }
}

void multiply(const TileProduct& p) {
  switch (p.tiles) {
    case 1:
      return multiply_tiles<1>(p);
    case 2:
      return multiply_tiles<2>(p);
    case 3:
      return multiply_tiles<3>(p);
    default:
      return multiply_tiles<4>(p);
  }
}

}  // namespace

const Bf16Path& bf16_avx512() {
  static constexpr Bf16Path path = {[](Index) {}, &multiply, [] {}};
  return path;
}

}  // namespace sonde::kernels
#endif
