#include "kernels/simd/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/arrays.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/kernels.hpp"
#include "kernels/reference/activation.hpp"
#include "kernels/simd/math-inl.h"

/// exp, log, sigmoid, tanh and softplus of many numbers, and sums of two arrays.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

template <Vector (*function)(Vector)>
void map(Index n, const float* z, float* y) {
  for (Index i = 0; i < n; i += lanes) {
    store_first(function(load_first(n - i, z + i)), n - i, y + i);
  }
}

void exp_array(Index n, const float* z, float* y) { map<exp>(n, z, y); }
void log_array(Index n, const float* z, float* y) { map<log>(n, z, y); }
void sigmoid_array(Index n, const float* z, float* y) { map<sigmoid<Vector>>(n, z, y); }
void tanh_array(Index n, const float* z, float* y) { map<tanh<Vector>>(n, z, y); }
void softplus_array(Index n, const float* z, float* y) { map<softplus>(n, z, y); }

void add_array(Index n, const float* x, float* sum) {
  Index i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(hn::Add(hn::LoadU(tag, sum + i), hn::LoadU(tag, x + i)), tag, sum + i);
  for (; i < n; ++i) sum[i] += x[i];
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace sonde::kernels {
namespace {

template <float (*function)(float)>
void map(Index n, const float* z, float* y) {
  for (Index i = 0; i < n; ++i) y[i] = function(z[i]);
}

void add_each(Index n, const float* x, float* sum) {
  for (Index i = 0; i < n; ++i) sum[i] += x[i];
}

}  // namespace

void exp(Index n, const float* z, float* y) { SONDE_CHOOSE(exp_array, map<std::exp>)(n, z, y); }
void log(Index n, const float* z, float* y) { SONDE_CHOOSE(log_array, map<std::log>)(n, z, y); }
void sigmoid(Index n, const float* z, float* y) {
  SONDE_CHOOSE(sigmoid_array, map<reference::sigmoid>)(n, z, y);
}
void tanh(Index n, const float* z, float* y) { SONDE_CHOOSE(tanh_array, map<std::tanh>)(n, z, y); }
void softplus(Index n, const float* z, float* y) {
  SONDE_CHOOSE(softplus_array, map<reference::softplus>)(n, z, y);
}
void add(Index n, const float* x, float* sum) { SONDE_CHOOSE(add_array, add_each)(n, x, sum); }

}  // namespace sonde::kernels
#endif
