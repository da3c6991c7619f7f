// Included once per instruction set, hence no ordinary guard.
#if defined(SONDE_VECTOR_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SONDE_VECTOR_INL_H
#undef SONDE_VECTOR_INL_H
#else
#define SONDE_VECTOR_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#include "kernels/simd/packed.hpp"

/// Unrolls the next loop wholly: arrays of vectors stay in registers only where every index is known.
#define SONDE_UNROLL _Pragma("GCC unroll 16")

#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// One vector holds a whole slice or a part of it, never more.
using Tag = hn::CappedTag<float, slice>;
using Vector = hn::Vec<Tag>;
inline constexpr Tag tag;
inline constexpr int lanes = static_cast<int>(hn::MaxLanes(Tag()));
inline constexpr int parts = static_cast<int>(slice) / lanes;

/// The first `count` numbers at p, zeros behind them; count may be below 0 or above the lanes.
HWY_INLINE Vector load_first(Index count, const float* p) {
  if (count >= lanes) return hn::LoadU(tag, p);
  if (count <= 0) return hn::Zero(tag);
  return hn::IfThenElseZero(hn::FirstN(tag, static_cast<size_t>(count)), hn::LoadU(tag, p));
}

HWY_INLINE void store_first(Vector v, Index count, float* p) {
  if (count >= lanes) {
    hn::StoreU(v, tag, p);
  } else if (count > 0) {
    hn::BlendedStore(v, hn::FirstN(tag, static_cast<size_t>(count)), tag, p);
  }
}

HWY_INLINE Vector set(float value) { return hn::Set(tag, value); }

/// Weights that are wanted soon and lie beyond the second-level cache. Work on those that are near
/// asks for a line of them in each turn of its loop: the wait for the third-level cache or memory is
/// then over when they are read.
struct Ahead {
  std::uintptr_t next = 0;  ///< an address, which may lie beyond what is there; 0: nothing is far
  std::uintptr_t step = 0;  ///< bytes for each turn

  Ahead() = default;
  Ahead(const float* from, Index scalars)
      : next(reinterpret_cast<std::uintptr_t>(from)),
        step(static_cast<std::uintptr_t>(scalars) * sizeof(float)) {}
  Ahead after(Index turns) const {
    Ahead later = *this;
    if (next) later.next += static_cast<std::uintptr_t>(turns) * step;
    return later;
  }
  /// Turn k.
  HWY_INLINE void ask(Index k) const {
    __builtin_prefetch(
        reinterpret_cast<const void*>(next + static_cast<std::uintptr_t>(k) * step), 0, 2);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
