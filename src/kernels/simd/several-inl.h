// Included once per instruction set, hence no ordinary guard.
#if defined(SONDE_SEVERAL_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SONDE_SEVERAL_INL_H
#undef SONDE_SEVERAL_INL_H
#else
#define SONDE_SEVERAL_INL_H
#endif

#include "kernels/simd/vector-inl.h"

/// Several vectors in lockstep. One sigmoid is a chain of some twenty operations that wait for each
/// other; written for four vectors at a time, they wait together. Functions on a template parameter
/// V take either one Vector or Several.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

template <int n>
struct Several {
  Vector v[n];
};

template <class V>
struct Splat {
  static HWY_INLINE Vector of(float value) { return hn::Set(tag, value); }
};
template <int n>
struct Splat<Several<n>> {
  static HWY_INLINE Several<n> of(float value) {
    Several<n> all;
    SONDE_UNROLL for (int i = 0; i < n; ++i) all.v[i] = hn::Set(tag, value);
    return all;
  }
};
template <class V>
HWY_INLINE V splat(float value) {
  return Splat<V>::of(value);
}

#define SONDE_TWO(name, operation)                                                   \
  HWY_INLINE Vector name(Vector a, Vector b) { return hn::operation(a, b); }         \
  template <int n>                                                                   \
  HWY_INLINE Several<n> name(Several<n> a, const Several<n>& b) {                    \
    SONDE_UNROLL for (int i = 0; i < n; ++i) a.v[i] = hn::operation(a.v[i], b.v[i]); \
    return a;                                                                        \
  }
#define SONDE_ONE(name, operation)                                           \
  HWY_INLINE Vector name(Vector a) { return hn::operation(a); }              \
  template <int n>                                                           \
  HWY_INLINE Several<n> name(Several<n> a) {                                 \
    SONDE_UNROLL for (int i = 0; i < n; ++i) a.v[i] = hn::operation(a.v[i]); \
    return a;                                                                \
  }
#define SONDE_THREE(name, operation)                                                         \
  HWY_INLINE Vector name(Vector a, Vector b, Vector c) { return hn::operation(a, b, c); }    \
  template <int n>                                                                           \
  HWY_INLINE Several<n> name(Several<n> a, const Several<n>& b, const Several<n>& c) {       \
    SONDE_UNROLL for (int i = 0; i < n; ++i) a.v[i] = hn::operation(a.v[i], b.v[i], c.v[i]); \
    return a;                                                                                \
  }
SONDE_ONE(absolute, Abs)
SONDE_ONE(negate, Neg)
SONDE_TWO(copy_sign, CopySign)
SONDE_TWO(add, Add)
SONDE_TWO(subtract, Sub)
SONDE_TWO(multiply, Mul)
SONDE_TWO(divide, Div)
#if HWY_ARCH_ARM
// As x86's: the second where one is no number. NEON's own would give the number.
#define SONDE_PICK(name, compare)                                                                \
  HWY_INLINE Vector name(Vector a, Vector b) { return hn::IfThenElse(hn::compare(a, b), a, b); } \
  template <int n>                                                                               \
  HWY_INLINE Several<n> name(Several<n> a, const Several<n>& b) {                                \
    SONDE_UNROLL for (int i = 0; i < n; ++i) a.v[i] = name(a.v[i], b.v[i]);                      \
    return a;                                                                                    \
  }
SONDE_PICK(minimum, Lt)
SONDE_PICK(maximum, Gt)
#undef SONDE_PICK
#else
SONDE_TWO(minimum, Min)
SONDE_TWO(maximum, Max)
#endif
SONDE_THREE(multiply_add, MulAdd)
SONDE_THREE(negative_multiply_add, NegMulAdd)
#undef SONDE_ONE
#undef SONDE_TWO
#undef SONDE_THREE

/// 2^n, for n from -126 to 127, where the last 9 bits of `bits` are n.
HWY_INLINE Vector power_of_two(Vector bits) {
  const hn::RebindToSigned<Tag> integers;
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(integers, bits));
  return hn::BitCast(tag, hn::Add(exponent, hn::Set(integers, 0x3f800000)));
}
template <int n>
HWY_INLINE Several<n> power_of_two(Several<n> bits) {
  SONDE_UNROLL for (int i = 0; i < n; ++i) bits.v[i] = power_of_two(bits.v[i]);
  return bits;
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
