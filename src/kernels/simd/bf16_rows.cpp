#include "kernels/simd/bf16_products.hpp"

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
// GCC's own _mm512_undefined_epi32() is what it takes for an uninitialized number (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

/// How floats become the factors of tiles.
#define SONDE_AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define SONDE_UNROLL _Pragma("GCC unroll 16")

namespace sonde::kernels {
namespace {

__mmask16 lanes_below(Index count) {
  return static_cast<__mmask16>(count >= slice ? 0xffff : count <= 0 ? 0 : (1 << count) - 1);
}

/// 16 floats, zeros from `count` on, as numbers of 16 bits.
SONDE_AVX512_BF16 inline __m256i rounded(const float* from, Index count) {
  return reinterpret_cast<__m256i>(
      _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(lanes_below(count), from)));
}

/// Pairs: the even of `first`, the odd of `second`.
SONDE_AVX512_BF16 inline __m512i paired(__m256i first, __m256i second) {
  return _mm512_or_si512(_mm512_cvtepu16_epi32(first),
                         _mm512_slli_epi32(_mm512_cvtepu16_epi32(second), 16));
}

/// 16 x 16 numbers of 32 bits: pairs of neighbours, then of neighbouring pairs, and so on.
SONDE_AVX512_BF16 inline void transpose(__m512i (&m)[16]) {
  __m512i n[16];
  SONDE_UNROLL for (int i = 0; i < 16; i += 2) {
    n[i] = _mm512_unpacklo_epi32(m[i], m[i + 1]);
    n[i + 1] = _mm512_unpackhi_epi32(m[i], m[i + 1]);
  }
  SONDE_UNROLL for (int i = 0; i < 16; i += 4) {
    SONDE_UNROLL for (int j = 0; j < 2; ++j) {
      m[i + 2 * j] = _mm512_unpacklo_epi64(n[i + j], n[i + j + 2]);
      m[i + 2 * j + 1] = _mm512_unpackhi_epi64(n[i + j], n[i + j + 2]);
    }
  }
  // m[4 i + j]: in each quarter q, column 4 q + j of rows 4 i to 4 i + 3.
  SONDE_UNROLL for (int j = 0; j < 4; ++j) {
    const __m512i low = _mm512_shuffle_i32x4(m[j], m[4 + j], 0x88);
    const __m512i high = _mm512_shuffle_i32x4(m[8 + j], m[12 + j], 0x88);
    const __m512i odd_low = _mm512_shuffle_i32x4(m[j], m[4 + j], 0xdd);
    const __m512i odd_high = _mm512_shuffle_i32x4(m[8 + j], m[12 + j], 0xdd);
    n[j] = _mm512_shuffle_i32x4(low, high, 0x88);
    n[4 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
    n[8 + j] = _mm512_shuffle_i32x4(low, high, 0xdd);
    n[12 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
  }
  SONDE_UNROLL for (int i = 0; i < 16; ++i) m[i] = n[i];
}

}  // namespace

SONDE_AVX512_BF16 void round_rows(Index rows, Index width, const float* from, Index from_row,
                                  Bfloat16* to, Index to_row) {
  for (Index r = 0; r < rows; ++r, from += from_row, to += to_row) {
    for (Index i = 0; i < to_row; i += slice) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), rounded(from + i, width - i));
    }
  }
}

SONDE_AVX512_BF16 void transpose_rows(const float* const* rows, Index width, Bfloat16* to,
                                      Index to_tile) {
  for (Index i = 0; i < width; i += slice, to += to_tile) {
    __m512i pairs[16];
    SONDE_UNROLL for (int k = 0; k < 16; ++k) {
      const float *even = rows[2 * k], *odd = rows[2 * k + 1];
      pairs[k] = paired(even ? rounded(even + i, width - i) : _mm256_setzero_si256(),
                        odd ? rounded(odd + i, width - i) : _mm256_setzero_si256());
    }
    transpose(pairs);
    SONDE_UNROLL for (int k = 0; k < 16; ++k) _mm512_storeu_si512(to + k * group, pairs[k]);
  }
}

SONDE_AVX512_BF16 void pair_rows(Index rows, Index width, const Bfloat16* from, Index from_row,
                                 Bfloat16* to, Index to_tile) {
  const auto half = [&](Index r, Index i) SONDE_AVX512_BF16 {
    return r < rows ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + r * from_row + i))
                    : _mm256_setzero_si256();
  };
  for (Index i = 0; i < width; i += slice, to += to_tile) {
    for (Index r = 0; r < group; r += 2) {
      _mm512_storeu_si512(to + r * slice, paired(half(r, i), half(r + 1, i)));
    }
  }
}

SONDE_AVX512_BF16 void transpose_tile(const Bfloat16* from, Index from_row, Bfloat16* to) {
  __m512i pairs[16];
  SONDE_UNROLL for (int i = 0; i < 16; ++i) pairs[i] = _mm512_loadu_si512(from + i * from_row);
  transpose(pairs);
  SONDE_UNROLL for (int i = 0; i < 16; ++i) _mm512_storeu_si512(to + i * group, pairs[i]);
}

}  // namespace sonde::kernels
#else
// Nobody calls them: bf16_in_use() is none.
namespace sonde::kernels {

void round_rows(Index, Index, const float*, Index, Bfloat16*, Index) {}
void pair_rows(Index, Index, const Bfloat16*, Index, Bfloat16*, Index) {}
void transpose_tile(const Bfloat16*, Index, Bfloat16*) {}

}  // namespace sonde::kernels
#endif
