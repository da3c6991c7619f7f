// Included once per instruction set, hence no ordinary guard.
#if defined(SONDE_ACTIVATION_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SONDE_ACTIVATION_INL_H
#undef SONDE_ACTIVATION_INL_H
#else
#define SONDE_ACTIVATION_INL_H
#endif

#include "kernels/simd/math-inl.h"

/// The element-wise activations of one vector; reference/activation.hpp has the formulas.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

using Function = ActivationFunction;

inline constexpr float selu_scale = 1.05070098735548049342f;
inline constexpr float selu_alpha = 1.67326324235437728482f;

/// x where `test` is below 0, else y; NaN is not below 0.
HWY_INLINE Vector if_negative(Vector test, Vector x, Vector y) {
  return hn::IfThenElse(hn::Lt(test, hn::Zero(tag)), x, y);
}

HWY_INLINE Vector clamp(Vector x, float low, float high) {
  return at_least(low, at_most(high, x));
}

/// tanh(softplus(x)) = n / (n + 2) with n = e (e + 2), e = e^x: no logarithm, no cancellation.
/// `slope` is 1 - gate^2 = q (2 - q), q = 2 / (n + 2).
struct MishGate {
  Vector gate, slope;
};
HWY_INLINE MishGate mish_gate(Vector e) {
  const Vector two = set(2.0f), n = hn::Mul(e, hn::Add(e, two)), below = hn::Add(n, two);
  const Vector q = hn::Div(two, below);
  return {hn::Div(n, below), hn::Mul(q, hn::Sub(two, q))};
}

/// e^x for mish, whose gate is 1 in float long before 20.
HWY_INLINE Vector exp_for_mish(Vector x) { return exp(at_most(20.0f, x)); }

template <Function f>
HWY_INLINE Vector activate(Vector z) {
  const Vector one = set(1.0f);
  if constexpr (f == Function::relu) return if_negative(z, hn::Zero(tag), z);
  if constexpr (f == Function::tanh) return tanh(z);
  if constexpr (f == Function::sigmoid) return sigmoid(z);
  if constexpr (f == Function::hard_sigmoid) {
    return clamp(hn::Add(hn::Div(z, set(6.0f)), set(0.5f)), 0.0f, 1.0f);
  }
  if constexpr (f == Function::elu) return if_negative(z, expm1(z), z);
  if constexpr (f == Function::selu) {
    const Vector below = hn::Mul(set(selu_alpha), expm1(z));
    return hn::Mul(set(selu_scale), if_negative(z, below, z));
  }
  if constexpr (f == Function::softplus) return softplus(z);
  if constexpr (f == Function::softsign) return hn::Div(z, hn::Add(one, hn::Abs(z)));
  if constexpr (f == Function::silu) return hn::Mul(z, sigmoid(z));
  if constexpr (f == Function::gelu) return hn::Mul(z, normal(z).mass);
  if constexpr (f == Function::exponential) return exp(z);
  if constexpr (f == Function::leaky_relu) return if_negative(z, hn::Mul(z, set(0.2f)), z);
  if constexpr (f == Function::relu6) return clamp(z, 0.0f, 6.0f);
  if constexpr (f == Function::mish) return hn::Mul(z, mish_gate(exp_for_mish(z)).gate);
  if constexpr (f == Function::hard_silu) {
    return hn::Mul(z, clamp(hn::Add(hn::Div(z, set(6.0f)), set(0.5f)), 0.0f, 1.0f));
  }
  return z;  // linear
}

/// The derivative, from z where activation_needs_input(f), else from y.
template <Function f>
HWY_INLINE Vector derivative(Vector from) {
  const Vector zero = hn::Zero(tag), one = set(1.0f), y = from, z = from;
  if constexpr (f == Function::relu) {
    return hn::IfThenElseZero(hn::Gt(y, zero), one);
  }
  if constexpr (f == Function::tanh) return hn::NegMulAdd(y, y, one);
  if constexpr (f == Function::sigmoid) return hn::Mul(y, hn::Sub(one, y));
  if constexpr (f == Function::hard_sigmoid) {
    const auto inside = hn::And(hn::Gt(y, zero), hn::Lt(y, one));
    return hn::IfThenElseZero(inside, set(1.0f / 6));
  }
  if constexpr (f == Function::elu) {
    return hn::IfThenElse(hn::Gt(y, zero), one, hn::Add(one, y));
  }
  if constexpr (f == Function::selu) {
    const Vector below = hn::Add(y, set(selu_scale * selu_alpha));
    return hn::IfThenElse(hn::Gt(y, zero), set(selu_scale), below);
  }
  if constexpr (f == Function::softplus) return hn::Neg(expm1(hn::Neg(y)));
  if constexpr (f == Function::softsign) {
    const Vector left = hn::Sub(one, hn::Abs(y));
    return hn::Mul(left, left);
  }
  if constexpr (f == Function::silu) {
    const Vector s = sigmoid(z);
    return hn::Mul(s, hn::MulAdd(z, hn::Sub(one, s), one));
  }
  if constexpr (f == Function::gelu) {
    const Normal n = normal(z);
    return hn::MulAdd(z, n.density, n.mass);
  }
  if constexpr (f == Function::exponential) return y;
  if constexpr (f == Function::leaky_relu) return if_negative(y, set(0.2f), one);
  if constexpr (f == Function::relu6) {
    const auto inside = hn::And(hn::Gt(y, zero), hn::Lt(y, set(6.0f)));
    return hn::IfThenElseZero(inside, one);
  }
  if constexpr (f == Function::mish) {
    const Vector e = exp_for_mish(z);
    const MishGate m = mish_gate(e);
    const Vector s = hn::Div(e, hn::Add(e, one));  // softplus' = sigmoid
    return hn::MulAdd(hn::Mul(z, s), m.slope, m.gate);
  }
  if constexpr (f == Function::hard_silu) {
    const Vector inside = hn::Add(hn::Div(z, set(3.0f)), set(0.5f));
    const Vector upper = hn::IfThenElse(hn::Ge(z, set(3.0f)), one, inside);
    return hn::IfThenZeroElse(hn::Le(z, set(-3.0f)), upper);
  }
  return one;  // linear
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
