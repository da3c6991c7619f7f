// Included once per instruction set, hence no ordinary guard.
#if defined(SONDE_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SONDE_MATH_INL_H
#undef SONDE_MATH_INL_H
#else
#define SONDE_MATH_INL_H
#endif

#include "kernels/simd/several-inl.h"

/// Vector mathematics. One algorithm for all instruction sets: multiply-adds, IEEE division, no
/// estimates, no tables; so all give the same bits. NaN in, NaN out. tools/derive_coefficients.py
/// makes the polynomials; tests/kernels/math_test.cpp sweeps the stated bounds, in units in the last
/// place (ULP) against libm in double, over all floats with a normal result.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

using IntTag = hn::RebindToSigned<Tag>;
using IntVector = hn::Vec<IntTag>;
inline constexpr IntTag int_tag;

/// Limits that let NaN through: x86's minimum and maximum return their second operand at a NaN.
template <class V>
HWY_INLINE V at_least(float low, V x) {
  return maximum(splat<V>(low), x);
}
template <class V>
HWY_INLINE V at_most(float high, V x) {
  return minimum(splat<V>(high), x);
}

/// x = n ln 2 + r with |r| <= ln 2 / 2; the last bits of `bits` are n.
template <class V>
struct Reduced {
  V n, r, bits;
};

/// For |x| below 2^21. Adding 1.5 * 2^23 rounds to an integer and leaves it in the last bits.
/// With `exact`, r is right to its last bit; without, n * ln 2 carries the rounding of ln 2 (n * 1e-8).
template <bool exact, class V>
HWY_INLINE Reduced<V> reduce(V x) {
  const V magic = splat<V>(12582912.0f);
  const V bits = multiply_add(x, splat<V>(1.44269504f), magic);
  const V n = subtract(bits, magic);
  V r = negative_multiply_add(n, splat<V>(0x1.62e43p-1f), x);
  if constexpr (exact) r = negative_multiply_add(n, splat<V>(-0x1.05c610p-29f), r);
  return {n, r, bits};
}

/// e^r - 1 for |r| <= ln 2 / 2.
template <class V>
HWY_INLINE V expm1_polynomial(V r) {
  const V square = multiply(r, r);
  V q = multiply_add(splat<V>(0x1.6bec06p-10f), r, splat<V>(0x1.122776p-7f));
  q = multiply_add(q, r, splat<V>(0x1.555674p-5f));
  q = multiply_add(q, r, splat<V>(0x1.5554b0p-3f));
  q = multiply_add(q, r, splat<V>(0x1.fffffep-2f));
  return multiply_add(square, q, r);
}

/// 1 / (1 + e^-x). 2.5 ULP.
template <class V>
HWY_INLINE V sigmoid(V x) {
  const V one = splat<V>(1.0f);
  const Reduced<V> a = reduce<true>(at_least(-87.0f, at_most(88.0f, negate(x))));
  const V scale = power_of_two(a.bits);
  return divide(one, multiply_add(expm1_polynomial(a.r), scale, add(scale, one)));
}

/// (e^2x - 1) / (e^2x + 1), right near 0 as well and never beyond 1. 3 ULP.
template <class V>
HWY_INLINE V tanh(V x) {
  // Beyond 9.1 the result is 1 in float. Numbers above 0 need one limit where others need two.
  const V size = absolute(x);
  const Reduced<V> a = reduce<false>(at_most(18.2f, add(size, size)));
  const V scale = power_of_two(a.bits);
  const V e = multiply_add(expm1_polynomial(a.r), scale, subtract(scale, splat<V>(1.0f)));
  return copy_sign(divide(e, add(e, splat<V>(2.0f))), x);
}

/// e^x; infinity above 88.72, 0 below -103.97. 1.1 ULP.
HWY_INLINE Vector exp(Vector x) {
  const Reduced<Vector> a = reduce<true>(at_least(-105.0f, at_most(89.0f, x)));
  const Vector p = expm1_polynomial(a.r);
  // 2^n in two factors, because it can lie outside the normal numbers where the result does not.
  const IntVector n = hn::ConvertTo(int_tag, a.n);
  const IntVector half = hn::ShiftRight<1>(n);
  const Vector first = power_of_two(hn::BitCast(tag, half));
  const Vector second = power_of_two(hn::BitCast(tag, hn::Sub(n, half)));
  return hn::Mul(hn::MulAdd(p, first, first), second);
}

/// e^x - 1, right near 0 as well. 2 ULP.
HWY_INLINE Vector expm1(Vector x) {
  const Reduced<Vector> a = reduce<true>(at_least(-87.0f, at_most(89.0f, x)));
  const Vector p = expm1_polynomial(a.r);
  // 2^n = 2 * 2^(n - 1): n can be 128.
  const Vector half = power_of_two(hn::Sub(a.bits, set(1.0f)));
  const Vector y = hn::MulAdd(p, half, hn::Sub(half, set(0.5f)));
  return hn::Add(y, y);
}

/// log(1 + f) for 1 + f from sqrt(1/2) to sqrt(2), plus n ln 2.
HWY_INLINE Vector log1p_polynomial(Vector f, Vector n) {
  Vector q = set(-0x1.38b57cp-4f);
  q = hn::MulAdd(q, f, set(0x1.055b68p-3f));
  q = hn::MulAdd(q, f, set(-0x1.0d8542p-3f));
  q = hn::MulAdd(q, f, set(0x1.22da1ep-3f));
  q = hn::MulAdd(q, f, set(-0x1.547244p-3f));
  q = hn::MulAdd(q, f, set(0x1.99a008p-3f));
  q = hn::MulAdd(q, f, set(-0x1.000226p-2f));
  q = hn::MulAdd(q, f, set(0x1.555554p-2f));
  const Vector square = hn::Mul(f, f);
  // From small to great: f^3 q, n times the low part of ln 2, f^2 / 2, f, n times its high part.
  Vector y = hn::MulAdd(n, set(0x1.7f7d1cp-20f), hn::Mul(hn::Mul(square, f), q));
  y = hn::MulAdd(square, set(-0.5f), y);
  return hn::MulAdd(n, set(0x1.62e4p-1f), hn::Add(f, y));
}

/// The natural logarithm; -infinity at 0, NaN below. 1 ULP.
HWY_INLINE Vector log(Vector x) {
  const auto subnormal = hn::Lt(x, set(0x1p-126f));
  const Vector scaled = hn::IfThenElse(subnormal, hn::Mul(x, set(0x1p23f)), x);
  // Counting from sqrt(1/2), the exponent is n and the rest is 1 + f.
  const IntVector root = hn::Set(int_tag, 0x3f3504f3);
  const IntVector bits = hn::Sub(hn::BitCast(int_tag, scaled), root);
  Vector n = hn::ConvertTo(tag, hn::ShiftRight<23>(bits));
  n = hn::Add(n, hn::IfThenElseZero(subnormal, set(-23.0f)));
  const IntVector mantissa = hn::Add(hn::And(bits, hn::Set(int_tag, 0x7fffff)), root);
  Vector y = log1p_polynomial(hn::Sub(hn::BitCast(tag, mantissa), set(1.0f)), n);
  // Infinity and NaN are their own logarithms; x - x makes both NaN, below 0 too.
  const Vector infinity = hn::Inf(tag);
  y = hn::IfThenElse(hn::Lt(x, infinity), y, x);
  y = hn::IfThenElse(hn::Lt(x, hn::Zero(tag)), hn::NaN(tag), y);
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(tag)), hn::Neg(infinity), y);
  return hn::IfThenElse(hn::Ne(x, x), x, y);
}

/// log(1 + e) for e from 0 to 1. 2 ULP.
HWY_INLINE Vector log1p_of_fraction(Vector e) {
  // From sqrt(2) - 1 on through 1 + e = 2 (1 + f).
  const auto great = hn::Gt(e, set(0.41421356f));
  const Vector f = hn::IfThenElse(great, hn::Mul(hn::Sub(e, set(1.0f)), set(0.5f)), e);
  return log1p_polynomial(f, hn::IfThenElseZero(great, set(1.0f)));
}

/// log(1 + e^x). 2 ULP.
HWY_INLINE Vector softplus(Vector x) {
  const Vector y = log1p_of_fraction(exp(hn::Neg(hn::Abs(x))));
  return hn::Add(hn::Max(hn::Zero(tag), x), y);
}

/// The normal distribution at x: its mass below x, and its density.
struct Normal {
  Vector mass, density;
};

/// mass: 5 ULP; density: 3 ULP.
HWY_INLINE Normal normal(Vector x) {
  const Vector t = at_most(15.0f, hn::Abs(x));
  // e^(-t^2 / 2) with the rounding of t^2 put back: it would count t^2 / 2 times.
  const Vector square = hn::Mul(t, t);
  const Vector lost = hn::MulSub(t, t, square);
  Vector bell = exp(hn::Mul(square, set(-0.5f)));
  bell = hn::MulAdd(hn::Mul(bell, lost), set(-0.5f), bell);
  // The tail beyond t is bell * v q(v), v = 1 / (1 + t / 3).
  const Vector v = hn::Div(set(3.0f), hn::Add(t, set(3.0f)));
  Vector q = set(-0x1.74f74ap-6f);
  q = hn::MulAdd(q, v, set(0x1.09690ep-3f));
  q = hn::MulAdd(q, v, set(-0x1.15ca06p-2f));
  q = hn::MulAdd(q, v, set(0x1.c06b9ap-3f));
  q = hn::MulAdd(q, v, set(-0x1.b538f2p-5f));
  q = hn::MulAdd(q, v, set(0x1.eb2d5ep-4f));
  q = hn::MulAdd(q, v, set(0x1.cc76c2p-4f));
  q = hn::MulAdd(q, v, set(0x1.118fd6p-3f));
  q = hn::MulAdd(q, v, set(0x1.104aa6p-3f));
  const Vector tail = hn::Mul(hn::Mul(bell, v), q);
  const Vector mass = hn::IfThenElse(hn::Lt(x, hn::Zero(tag)), tail, hn::Sub(set(1.0f), tail));
  return {mass, hn::Mul(bell, set(0.39894228f))};
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
