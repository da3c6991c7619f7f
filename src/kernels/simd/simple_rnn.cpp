#include "kernels/reference/simple_rnn.hpp"

namespace sonde::kernels {

template <>
Index simple_rnn_packed_size<float>(const RecurrentSizes& s) {
  return reference::simple_rnn_packed_size(s);
}
template <>
Index simple_rnn_gates_size<float>(const RecurrentSizes& s) {
  return reference::simple_rnn_gates_size(s);
}
template <>
Index simple_rnn_scratch_size<float>(const RecurrentSizes&) {
  return 0;
}
void simple_rnn_pack(const RecurrentSizes& s, const float* w, const float* u, const float* b,
                     float* packed) {
  reference::simple_rnn_pack(s, w, u, b, packed);
}
void simple_rnn_forward(const RecurrentSizes& s, const RecurrentForward<float>& a) {
  reference::simple_rnn_forward(s, a);
}
void simple_rnn_backward(const RecurrentSizes& s, const RecurrentBackward<float>& a) {
  reference::simple_rnn_backward(s, a);
}

}  // namespace sonde::kernels
