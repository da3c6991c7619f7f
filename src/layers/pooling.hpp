#pragma once
#include <algorithm>
#include <optional>

#include "layers/stream_window.hpp"

namespace sonde {

/// What maximum and average share: where the windows lie, over a whole sequence or in a stream, and
/// how a window becomes one vector.
struct Pooling {
  Index size = 1;
  Index stride = 1;
  Index left = 0;  ///< padding steps before the signal; padding is never part of a window
  bool streaming = false;
  StreamWindow stream = {};

  /// Checks the arguments, states output and timing.
  static Pooling plan(Planner& planner, Index pool_size, std::optional<Index> strides,
                      Padding padding);

  /// Calls reduce(first, steps, vector, y): y (vector) from `steps` vectors that begin at `first`.
  template <class T, class Reduce>
  void forward(const View<T>& v, Reduce reduce) const {
    const Index vector = v.x().rows * v.x().width;
    if (!streaming) {
      each_window(v.y().steps, -left, 0, v.x().steps, [&](Index t, Index from, Index steps) {
        reduce(v.x().data + from * vector, steps, vector, v.y().step(t));
      });
      return;
    }
    const auto held = stream.append(v, T(0));
    v.produce(held.outputs);
    each_window(held.outputs, 0, held.padding, held.steps - held.trailing,
                [&](Index t, Index from, Index steps) {
                  reduce(held.data + from * vector, steps, vector, v.y().step(t));
                });
    stream.release(v, held);
  }

  /// Calls spread(first, steps, vector, y, dy, dx), after dx has been zeroed: adds what dy (vector)
  /// gives to `steps` vectors of dx.
  template <class T, class Spread>
  void backward(const View<T>& v, Spread spread) const {
    if (!v.dx()) return;
    const Chunk<T> dx = v.dx();
    const Index vector = dx.rows * dx.width;
    std::fill_n(dx.data, dx.size(), T(0));
    each_window(v.dy().steps, -left, 0, dx.steps, [&](Index t, Index from, Index steps) {
      spread(v.x().data + from * vector, steps, vector, v.y().step(t), v.dy().step(t),
             dx.data + from * vector);
    });
  }

 private:
  /// Calls f(t, first step, steps) for each window, cut to the steps [begin, end) of the signal.
  template <class F>
  void each_window(Index windows, Index start, Index begin, Index end, F f) const {
    for (Index t = 0; t < windows; ++t) {
      const Index from = std::max(begin, start + t * stride);
      f(t, from, std::min(end, start + t * stride + size) - from);
    }
  }
};

/// y = the greatest of `steps` vectors. NaN wins, so that it is seen.
template <class T>
void greatest(const T* x,  // (steps, vector)
              Index steps, Index vector,
              T* y) {  // (vector)
  std::copy_n(x, vector, y);
  for (Index s = 1; s < steps; ++s) {
    x += vector;
    for (Index i = 0; i < vector; ++i) y[i] = x[i] > y[i] || x[i] != x[i] ? x[i] : y[i];
  }
}

/// y = the mean of `steps` vectors, summed from the first to the last.
template <class T>
void mean(const T* x,  // (steps, vector)
          Index steps, Index vector,
          T* y) {  // (vector)
  std::copy_n(x, vector, y);
  for (Index s = 1; s < steps; ++s) {
    x += vector;
    for (Index i = 0; i < vector; ++i) y[i] += x[i];
  }
  for (Index i = 0; i < vector; ++i) y[i] /= static_cast<T>(steps);
}

}  // namespace sonde
