#pragma once
#include <sonde/activations.hpp>
#include <sonde/shape.hpp>

#include "kernels/recurrent.hpp"

/// The kernels that carry the work, each for float and double.
///
/// The float overloads of this header are the vector code of simd/, compiled once for each
/// instruction set and chosen when the process starts; the double ones are the readable text of
/// reference/, which is the truth for both. recurrent.hpp has those that walk time. Rules: pure
/// functions over pointers and sizes, no allocation, no thread, no exception; a row's result never
/// depends on the number of rows; inputs first, outputs last; `d` + name is a gradient. Activations
/// lie time-major: (steps, rows, width), where rows are the sequences of one shard. Buffers may be
/// over-read by one cache line.
namespace sonde::kernels {

/// One sliding product: `taps` products of `channels` numbers for each of `filters` outputs.
/// Output step t reads input steps t * stride - left + tap * dilation; steps outside are zeros.
/// Pitches are the scalars from one (step, row) to the next, so that a group of channels or
/// filters is a product of its own over the same memory. Dense is one tap over one step.
struct Window {
  Index steps_in = 1;
  Index steps_out = 1;
  Index rows = 1;
  Index channels = 1;
  Index filters = 1;
  Index taps = 1;
  Index stride = 1;
  Index dilation = 1;
  Index left = 0;
  Index x_pitch = 0;  ///< >= channels
  Index y_pitch = 0;  ///< >= filters
  Index w_pitch = 0;  ///< >= filters: scalars from one (tap, channel) row of w to the next
};

/// Scalars that the packed form of w takes, for both directions.
template <class T>
Index window_packed_size(const Window&);
/// w (taps, channels, filters) by w_pitch -> packed (opaque).
void window_pack(const Window&, const float* w, float* packed);
void window_pack(const Window&, const double* w, double* packed);

/// y (steps_out, rows, filters) = b (filters, or null) + x (steps_in, rows, channels) * w; with
/// `relu`, negative sums become 0. Each sum runs over taps, then channels, starting from b.
void window_forward(const Window&, const float* x, const float* packed, const float* b, bool relu,
                    float* y);
void window_forward(const Window&, const double* x, const double* packed, const double* b,
                    bool relu, double* y);
/// A stream's windows, one step x (rows, channels) at a time. Those that have begun wait in `sums`
/// (taps - 1, rows, filters by y_pitch), oldest first: the one in place p for its last p + 1 taps.
/// x adds one tap to each of the first `places`, which moves it to the place before: the oldest is
/// whole and goes to y (rows, filters), with `relu` as above. With as many places as taps, a window
/// begins with x. The bits are those of window_forward.
void window_push(const Window&, Index places, const float* x, const float* packed, const float* b,
                 bool relu, float* sums, float* y);
void window_push(const Window&, Index places, const double* x, const double* packed,
                 const double* b, bool relu, double* sums, double* y);
/// Whether they are: not where a window leaves steps out, or window_forward has another order.
bool window_can_push(const Window&);
/// dx (steps_in, rows, channels) = dy (steps_out, rows, filters) * w transposed. Overwrites dx.
void window_backward_input(const Window&, const float* dy, const float* packed, float* dx);
void window_backward_input(const Window&, const double* dy, const double* packed, double* dx);
/// dw (taps, channels, filters) by w_pitch += x transposed * dy; db (filters, or null) += sum of
/// dy. Each sum runs over steps, then rows.
void window_backward_weights(const Window&, const float* x, const float* dy, float* dw, float* db);
void window_backward_weights(const Window&, const double* x, const double* dy, double* dw,
                             double* db);

/// y = f(z) over `count` vectors of `width`; in place is allowed.
void activation_forward(ActivationFunction, Index count, Index width, const float* z, float* y);
void activation_forward(ActivationFunction, Index count, Index width, const double* z, double* y);
/// dz = f'(z) dy, from the value z or the result y, whichever activation_needs_input() asks for;
/// the other may be null. In place (dz = dy) is allowed.
void activation_backward(ActivationFunction, Index count, Index width, const float* z,
                         const float* y, const float* dy, float* dz);
void activation_backward(ActivationFunction, Index count, Index width, const double* z,
                         const double* y, const double* dy, double* dz);
/// True for functions whose derivative needs z (silu, gelu, mish, hard_silu), false where y is
/// enough.
bool activation_needs_input(ActivationFunction);

/// Element-wise functions of n numbers, for losses and metrics. In place is allowed.
/// The float ones are within 2 ULP (simd/math-inl.h states each) wherever the result is normal.
void exp(Index n, const float* z, float* y);
void exp(Index n, const double* z, double* y);
/// The natural logarithm; -infinity at 0, NaN below.
void log(Index n, const float* z, float* y);
void log(Index n, const double* z, double* y);
void sigmoid(Index n, const float* z, float* y);
void sigmoid(Index n, const double* z, double* y);
void tanh(Index n, const float* z, float* y);
void tanh(Index n, const double* z, double* y);
/// log(1 + e^z), without overflow and exact to the last bits for every z.
void softplus(Index n, const float* z, float* y);
void softplus(Index n, const double* z, double* y);
/// sum += x.
void add(Index n, const float* x, float* sum);
void add(Index n, const double* x, double* sum);

/// Does nothing but multiply-adds s = s * factor + (1 - factor) in registers, `rounds` for each of
/// as many sums as hide their latency, and returns how many: what the level in use could do. y (16)
/// gets their sums, so that nothing may be left out; 0 < factor < 1.
Index multiply_adds(Index rounds, float factor, float* y);

/// The instruction set in use: "AVX3", "AVX2", "NEON", … or "reference".
const char* level();

}  // namespace sonde::kernels
