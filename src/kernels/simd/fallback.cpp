#include <algorithm>

#include "kernels/kernels.hpp"
#include "kernels/reference/activation.hpp"
#include "kernels/reference/lstm.hpp"
#include "kernels/reference/window.hpp"

/// Stands in until simd is written.
namespace sonde::kernels {

void activation_forward(ActivationFunction f, Index count, Index width, const float* z,
                        float* y) {
  reference::activation_forward(f, count, width, z, y);
}
void activation_backward(ActivationFunction f, Index count, Index width, const float* z,
                         const float* y, const float* dy, float* dz) {
  reference::activation_backward(f, count, width, z, y, dy, dz);
}


}  // namespace sonde::kernels
