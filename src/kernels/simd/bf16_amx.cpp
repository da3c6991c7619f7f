#include "kernels/simd/bf16_products.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>

/// Products of tiles by AMX. Tile registers: 0 to 3 the sums, 4 of a, 5 and 6 in turn of b. One
/// product takes 16 cycles and a load 8 or more, so 5 loads for 4 products keep ahead of them.
#define SONDE_AMX __attribute__((target("amx-tile,amx-bf16,avx512f")))

namespace sonde::kernels {
namespace {

/// What ldtilecfg reads.
struct alignas(64) Configuration {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t bytes[16] = {};  ///< of each row
  std::uint8_t rows[16] = {};
};

SONDE_AMX void configure(Index rows) {
  Configuration c;
  for (int i = 0; i < 7; ++i) {
    c.bytes[i] = 64;
    c.rows[i] = i < 5 ? static_cast<std::uint8_t>(rows) : 16;
  }
  // GCC's intrinsic says that it reads 8 bytes, and the others would never be written.
  __asm__ volatile("ldtilecfg %0" : : "m"(c));
}

SONDE_AMX void release() { _tile_release(); }

/// Stores the sums of tile i, fewer than 16 lanes by way of `whole`.
#define SONDE_STORE(i)                                                              \
  do {                                                                              \
    if (p.count[i] >= slice) {                                                      \
      _tile_stored(i, p.y + (i)*p.y_tile, y_row);                                   \
      break;                                                                        \
    }                                                                               \
    _tile_stored(i, whole, sizeof(float) * slice);                                  \
    for (Index r = 0; r < p.rows; ++r) {                                            \
      std::copy_n(whole + r * slice, p.count[i], p.y + (i)*p.y_tile + r * p.y_row); \
    }                                                                               \
  } while (false)

template <int tiles>
SONDE_AMX void multiply_tiles(const TileProduct& p) {
  const auto start_row = static_cast<std::size_t>(p.start_row) * sizeof(float);
  const auto a_row = static_cast<std::size_t>(p.a_row) * sizeof(Bfloat16);
  const auto y_row = static_cast<std::size_t>(p.y_row) * sizeof(float);
  // GCC's loads do not say that they read memory.
  __asm__ volatile("" : : : "memory");
  _tile_loadd(0, p.start, start_row);
  if constexpr (tiles > 1) _tile_loadd(1, p.start + p.start_tile, start_row);
  if constexpr (tiles > 2) _tile_loadd(2, p.start + 2 * p.start_tile, start_row);
  if constexpr (tiles > 3) _tile_loadd(3, p.start + 3 * p.start_tile, start_row);
  const Bfloat16* a = p.a;
  const Bfloat16* b = p.b;
  for (Index g = p.groups; g > 0; --g, a += p.a_group, b += p.b_group) {
    _tile_loadd(4, a, a_row);
    _tile_loadd(5, b, 64);
    _tile_dpbf16ps(0, 4, 5);
    if constexpr (tiles > 1) {
      _tile_loadd(6, b + p.b_tile, 64);
      _tile_dpbf16ps(1, 4, 6);
    }
    if constexpr (tiles > 2) {
      _tile_loadd(5, b + 2 * p.b_tile, 64);
      _tile_dpbf16ps(2, 4, 5);
    }
    if constexpr (tiles > 3) {
      _tile_loadd(6, b + 3 * p.b_tile, 64);
      _tile_dpbf16ps(3, 4, 6);
    }
  }
  alignas(64) float whole[slice * slice];
  SONDE_STORE(0);
  if constexpr (tiles > 1) SONDE_STORE(1);
  if constexpr (tiles > 2) SONDE_STORE(2);
  if constexpr (tiles > 3) SONDE_STORE(3);
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

const Bf16Path& bf16_amx() {
  static constexpr Bf16Path path = {&configure, &multiply, &release};
  return path;
}

}  // namespace sonde::kernels
#endif
