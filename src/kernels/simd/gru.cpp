#include "kernels/reference/gru.hpp"

namespace sonde::kernels {

template <>
Index gru_packed_size<float>(const RecurrentSizes& s) {
  return reference::gru_packed_size(s);
}
template <>
Index gru_gates_size<float>(const RecurrentSizes& s) {
  return reference::gru_gates_size(s);
}
template <>
Index gru_scratch_size<float>(const RecurrentSizes& s) {
  return reference::gru_scratch_size(s);
}
void gru_pack(const RecurrentSizes& s, const float* w, const float* u, const float* b,
              float* packed) {
  reference::gru_pack(s, w, u, b, packed);
}
void gru_forward(const RecurrentSizes& s, const RecurrentForward<float>& a) {
  reference::gru_forward(s, a);
}
void gru_backward(const RecurrentSizes& s, const RecurrentBackward<float>& a) {
  reference::gru_backward(s, a);
}

}  // namespace sonde::kernels
