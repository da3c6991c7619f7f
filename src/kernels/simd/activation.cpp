#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/activation.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/kernels.hpp"
#include "kernels/reference/activation.hpp"
#include "kernels/simd/activation-inl.h"
#include "kernels/simd/softmax-inl.h"

/// The activations, forward and backward.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

template <ActivationFunction f>
void forward_all(Index n, const float* z, float* y) {
  for (Index i = 0; i < n; i += lanes) {
    store_first(activate<f>(load_first(n - i, z + i)), n - i, y + i);
  }
}

/// `from` is z or y, whichever the derivative asks for.
template <ActivationFunction f>
void backward_all(Index n, const float* from, const float* dy, float* dz) {
  for (Index i = 0; i < n; i += lanes) {
    const Vector slope = derivative<f>(load_first(n - i, from + i));
    store_first(hn::Mul(load_first(n - i, dy + i), slope), n - i, dz + i);
  }
}

#define SONDE_EACH_ACTIVATION(case_of)                                                            \
  case_of(linear) case_of(relu) case_of(tanh) case_of(sigmoid) case_of(hard_sigmoid) case_of(elu) \
      case_of(selu) case_of(softplus) case_of(softsign) case_of(silu) case_of(gelu)               \
          case_of(exponential) case_of(leaky_relu) case_of(relu6) case_of(mish) case_of(hard_silu)

void activation_forward_vectors(ActivationFunction f, Index count, Index width, const float* z,
                                float* y) {
  switch (f) {
#define SONDE_FORWARD(name)      \
  case ActivationFunction::name: \
    return forward_all<ActivationFunction::name>(count * width, z, y);
    SONDE_EACH_ACTIVATION(SONDE_FORWARD)
    case ActivationFunction::softmax:
      return softmax_forward(false, count, width, z, y);
    case ActivationFunction::log_softmax:
      return softmax_forward(true, count, width, z, y);
  }
}

void activation_backward_vectors(ActivationFunction f, Index count, Index width, const float* z,
                                 const float* y, const float* dy, float* dz) {
  const float* from = activation_needs_input(f) ? z : y;
  switch (f) {
#define SONDE_BACKWARD(name)     \
  case ActivationFunction::name: \
    return backward_all<ActivationFunction::name>(count * width, from, dy, dz);
    SONDE_EACH_ACTIVATION(SONDE_BACKWARD)
    case ActivationFunction::softmax:
      return softmax_backward(false, count, width, y, dy, dz);
    case ActivationFunction::log_softmax:
      return softmax_backward(true, count, width, y, dy, dz);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {

void activation_forward(ActivationFunction f, Index count, Index width, const float* z, float* y) {
  SONDE_CHOOSE(activation_forward_vectors, &reference::activation_forward<float>)
  (f, count, width, z, y);
}

void activation_backward(ActivationFunction f, Index count, Index width, const float* z,
                         const float* y, const float* dy, float* dz) {
  SONDE_CHOOSE(activation_backward_vectors, &reference::activation_backward<float>)
  (f, count, width, z, y, dy, dz);
}

}  // namespace sonde::kernels
#endif
