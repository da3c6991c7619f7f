#include <algorithm>

#include "kernels/kernels.hpp"
#include "kernels/reference/activation.hpp"
#include "kernels/reference/gru.hpp"
#include "kernels/reference/lstm.hpp"
#include "kernels/reference/simple_rnn.hpp"
#include "kernels/reference/window.hpp"

/// The double kernels: the reference itself.
namespace sonde::kernels {

template <>
Index window_packed_size<double>(const Window& s) {
  return s.taps * s.channels * s.filters;
}

void window_pack(const Window& s, const double* w, double* packed) {
  for (Index k = 0; k < s.taps * s.channels; ++k) {
    packed = std::copy_n(w + k * s.w_pitch, s.filters, packed);
  }
}

void window_forward(const Window& s, const double* x, const double* packed, const double* b,
                    bool relu, double* y) {
  reference::window_forward(s, x, packed, b, relu, y);
}

void window_push(const Window& s, Index places, const double* x, const double* packed,
                 const double* b, bool relu, double* sums, double* y) {
  reference::window_push(s, places, x, packed, b, relu, sums, y);
}

void window_backward_input(const Window& s, const double* dy, const double* packed, double* dx) {
  reference::window_backward_input(s, dy, packed, dx);
}

void window_backward_weights(const Window& s, const double* x, const double* dy, double* dw,
                             double* db) {
  reference::window_backward_weights(s, x, dy, dw, db);
}

template <>
Index lstm_packed_size<double>(const RecurrentSizes& s) {
  return reference::lstm_packed_size(s);
}
template <>
Index lstm_gates_size<double>(const RecurrentSizes& s) {
  return reference::lstm_gates_size(s);
}
template <>
Index lstm_scratch_size<double>(const RecurrentSizes&) {
  return 0;
}
void lstm_pack(const RecurrentSizes& s, const double* w, const double* u, const double* b,
               double* packed) {
  reference::lstm_pack(s, w, u, b, packed);
}
void lstm_forward(const RecurrentSizes& s, std::span<const RecurrentForward<double>> shards,
                  const Share& share) {
  share.deal(shards, [&](const auto& a) { reference::lstm_forward(s, a); });
}
void lstm_backward(const RecurrentSizes& s, std::span<const RecurrentBackward<double>> shards,
                   const Share& share) {
  share.deal(shards, [&](const auto& a) { reference::lstm_backward(s, a); });
}

template <>
Index gru_packed_size<double>(const RecurrentSizes& s) {
  return reference::gru_packed_size(s);
}
template <>
Index gru_gates_size<double>(const RecurrentSizes& s) {
  return reference::gru_gates_size(s);
}
template <>
Index gru_scratch_size<double>(const RecurrentSizes& s) {
  return reference::gru_scratch_size(s);
}
void gru_pack(const RecurrentSizes& s, const double* w, const double* u, const double* b,
              double* packed) {
  reference::gru_pack(s, w, u, b, packed);
}
void gru_forward(const RecurrentSizes& s, const RecurrentForward<double>& a) {
  reference::gru_forward(s, a);
}
void gru_backward(const RecurrentSizes& s, const RecurrentBackward<double>& a) {
  reference::gru_backward(s, a);
}

template <>
Index simple_rnn_packed_size<double>(const RecurrentSizes& s) {
  return reference::simple_rnn_packed_size(s);
}
template <>
Index simple_rnn_gates_size<double>(const RecurrentSizes& s) {
  return reference::simple_rnn_gates_size(s);
}
template <>
Index simple_rnn_scratch_size<double>(const RecurrentSizes&) {
  return 0;
}
void simple_rnn_pack(const RecurrentSizes& s, const double* w, const double* u, const double* b,
                     double* packed) {
  reference::simple_rnn_pack(s, w, u, b, packed);
}
void simple_rnn_forward(const RecurrentSizes& s, const RecurrentForward<double>& a) {
  reference::simple_rnn_forward(s, a);
}
void simple_rnn_backward(const RecurrentSizes& s, const RecurrentBackward<double>& a) {
  reference::simple_rnn_backward(s, a);
}

void activation_forward(ActivationFunction f, Index count, Index width, const double* z,
                        double* y) {
  reference::activation_forward(f, count, width, z, y);
}
void activation_backward(ActivationFunction f, Index count, Index width, const double* z,
                         const double* y, const double* dy, double* dz) {
  reference::activation_backward(f, count, width, z, y, dy, dz);
}

bool activation_needs_input(ActivationFunction f) {
  return f == ActivationFunction::silu || f == ActivationFunction::gelu ||
         f == ActivationFunction::mish || f == ActivationFunction::hard_silu;
}

void exp(Index n, const double* z, double* y) {
  for (Index i = 0; i < n; ++i) y[i] = std::exp(z[i]);
}
void log(Index n, const double* z, double* y) {
  for (Index i = 0; i < n; ++i) y[i] = std::log(z[i]);
}
void sigmoid(Index n, const double* z, double* y) {
  for (Index i = 0; i < n; ++i) y[i] = reference::sigmoid(z[i]);
}
void tanh(Index n, const double* z, double* y) {
  for (Index i = 0; i < n; ++i) y[i] = std::tanh(z[i]);
}
void softplus(Index n, const double* z, double* y) {
  for (Index i = 0; i < n; ++i) y[i] = reference::softplus(z[i]);
}
void add(Index n, const double* x, double* sum) {
  for (Index i = 0; i < n; ++i) sum[i] += x[i];
}

}  // namespace sonde::kernels
