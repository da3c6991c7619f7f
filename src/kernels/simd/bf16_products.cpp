#include "kernels/simd/bf16_products.hpp"

namespace sonde::kernels {

TileProduct Bf16Products::panel_of(const PackedTiles& b, Index first) {
  TileProduct p{.tiles = std::min(tiles_beside, tiles_of(b.width) - first),
                .groups = b.groups,
                .b = b.first + first * b.groups * tile,
                .b_tile = tile,
                .count = {slice, slice, slice, slice}};
  p.b_group = p.tiles * tile;
  return p;
}

void Bf16Products::multiply(Index rows, const Bfloat16* a, Index a_row, const PackedTiles& b,
                            const Start& start, float* y, Index y_row, bool whole) {
  const Index all = tiles_of(b.width);
  // Rows inside: a panel of b stays in a cache near by while all rows use it.
  for (Index first = 0; first < all; first += tiles_beside) {
    const Index lane = first * slice;
    TileProduct p = panel_of(b, first);
    p.a_row = a_row;
    p.start_row = start.row, p.start_tile = start.tile;
    p.y_row = y_row;
    for (Index i = 0; i < p.tiles && !whole; ++i) {
      p.count[i] = std::min(slice, b.width - lane - i * slice);
    }
    for (Index r = 0; r < rows; r += slice) {
      p.rows = std::min(slice, rows - r);
      p.a = a + r * a_row;
      p.start = start.first + r * start.row + first * start.tile;
      p.y = y + r * y_row + lane;
      multiply(p);
    }
  }
}

}  // namespace sonde::kernels
