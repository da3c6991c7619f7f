#pragma once
#include <cstdint>

#include "kernels/bf16.hpp"
#include "kernels/simd/packed.hpp"

/// Products of bfloat16 with float sums, in tiles. Start reading at TileProduct: it is all that the
/// two paths, AMX and AVX512_BF16, do differently.
///
/// Sums go in groups of 32 products, zeros where there are fewer. Within a path the order of a sum
/// is fixed and hangs on no number of rows or tiles. The paths differ in it: AMX sums the even and
/// the odd products of a group by themselves and adds both to what was before; AVX512_BF16 adds one
/// pair after the other. Both take denormal numbers for zeros.
namespace sonde::kernels {

/// The upper half of a float. Lies in memory that is floats for the rest of the program.
using Bfloat16 [[gnu::may_alias]] = std::uint16_t;

inline constexpr Index group = 32;            ///< products of a tile's sum
inline constexpr Index tile = slice * group;  ///< numbers of one tile of factors
inline constexpr Index tiles_beside = 4;      ///< that share what is loaded of a
inline constexpr Index lanes_beside = tiles_beside * slice;

inline Index groups_of(Index n) { return (n + group - 1) / group; }
inline Index tiles_of(Index n) { return whole_slices(n) / slice; }

/// y (rows, tiles, 16) = start + a (rows, groups, 32) * b (tiles, groups, 16 pairs, 16, 2). All
/// pitches count numbers of their pointer's type.
struct TileProduct {
  Index rows = 0;   ///< 1 to 16, as configured
  Index tiles = 0;  ///< 1 to tiles_beside
  Index groups = 0;
  const Bfloat16* a = nullptr;
  Index a_row = 0, a_group = group;
  const Bfloat16* b = nullptr;
  Index b_tile = 0, b_group = tile;
  const float* start = nullptr;  ///< may be y; a pitch of 0 repeats one row
  Index start_row = 0, start_tile = slice;
  float* y = nullptr;
  Index y_row = 0, y_tile = slice;
  Index count[tiles_beside] = {};  ///< lanes of each tile that are written; 16 are read of start
};

/// Where the sums of a product begin: at a (rows, width), y itself as well, one row for all, or
/// zeros.
struct Start {
  const float* first = nullptr;
  Index row = 0, tile = slice;
};
inline Start from_row(const float* row) { return {row}; }
inline Start from_zeros() {
  alignas(64) static constexpr float zeros[slice] = {};
  return {zeros, 0, 0};
}

/// What a path does. Between configure and release a thread's tiles are in use.
struct Bf16Path {
  void (*configure)(Index rows);  ///< before products of as many rows
  void (*multiply)(const TileProduct&);
  void (*release)();
};
const Bf16Path& bf16_amx();
const Bf16Path& bf16_avx512();

/// A packed matrix (sums, width): panels of 4 tiles beside each other, the last of as many as are
/// left, each (groups, tiles, 16 pairs, 16, 2).
struct PackedTiles {
  const Bfloat16* first = nullptr;
  Index groups = 0;
  Index width = 0;
};

/// Numbers of a packed matrix (sums, width).
inline Index packed_tiles_size(Index sums, Index width) {
  return groups_of(sums) * tiles_of(width) * tile;
}
/// Where the tile of a group of sums and of lanes from 16 * column on lies in it.
inline Index packed_tile(Index sums, Index width, Index group_of_sums, Index column) {
  const Index panel = column / tiles_beside * tiles_beside;
  const Index beside = std::min(tiles_beside, tiles_of(width) - panel);
  return (panel * groups_of(sums) + group_of_sums * beside + column - panel) * tile;
}

/// (rows, width) -> (rows, to_row), zeros behind.
void round_rows(Index rows, Index width, const float* from, Index from_row, Bfloat16* to,
                Index to_row);
/// 32 rows of `width` numbers, null for zeros -> (tiles, 16, 32) of them transposed, `to_tile` from
/// tile to tile: a of a product over rows.
void transpose_rows(const float* const* rows, Index width, Bfloat16* to, Index to_tile);
/// Up to 32 rows -> (tiles, 16 pairs, 16, 2), zeros behind the rows: b of a product over rows.
/// width: a multiple of 16.
void pair_rows(Index rows, Index width, const Bfloat16* from, Index from_row, Bfloat16* to,
               Index to_tile);

/// 16 rows of 32 numbers -> (16 pairs, 16, 2): a tile of b whose sums run along the rows.
void transpose_tile(const Bfloat16* from, Index from_row, Bfloat16* to);

/// The products of one walk of one thread, on the path in use.
class Bf16Products {
 public:
  Bf16Products() : path_(bf16_in_use() == Bf16::amx ? bf16_amx() : bf16_avx512()) {}
  ~Bf16Products() { path_.release(); }
  Bf16Products(const Bf16Products&) = delete;
  Bf16Products& operator=(const Bf16Products&) = delete;

  void multiply(const TileProduct& p) {
    if (p.rows != rows_) path_.configure(rows_ = p.rows);
    path_.multiply(p);
  }
  /// y (rows, width) = start + a (rows, groups, 32) * b. With `whole`, y has room for whole tiles.
  void multiply(Index rows, const Bfloat16* a, Index a_row, const PackedTiles& b,
                const Start& start, float* y, Index y_row, bool whole);
  /// The same where the sums lie in no constant pitch, for up to 16 rows and 64 lanes at a time.
  /// begin(z, lane, r, count) returns where those of rows r to r + count - 1 and of lanes from
  /// `lane` on start; it may copy them to z (count, 64) and return that. end(z, lane, r, count)
  /// takes the results from z; lanes beyond b's tiles are undefined.
  template <class Begin, class End>
  void multiply(Index rows, const Bfloat16* a, Index a_row, const PackedTiles& b,
                const Begin& begin, const End& end) {
    alignas(64) float z[slice * lanes_beside];
    for (Index first = 0; first < tiles_of(b.width); first += tiles_beside) {
      TileProduct p = panel_of(b, first);
      p.a_row = a_row;
      p.y = z;
      p.y_row = lanes_beside;
      for (Index r = 0; r < rows; r += slice) {
        p.rows = std::min(slice, rows - r);
        p.a = a + r * a_row;
        const Start start = begin(z, first * slice, r, p.rows);
        p.start = start.first, p.start_row = start.row, p.start_tile = start.tile;
        multiply(p);
        end(z, first * slice, r, p.rows);
      }
    }
  }

 private:
  /// The product with the tiles from `first` on that lie beside each other, whole in every lane.
  static TileProduct panel_of(const PackedTiles& b, Index first);

  const Bf16Path& path_;
  Index rows_ = 0;
};

}  // namespace sonde::kernels
