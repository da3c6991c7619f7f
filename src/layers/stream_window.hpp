#pragma once
#include <algorithm>
#include <sonde/layer.hpp>

namespace sonde {

/// The steps that a sliding window still needs from earlier chunks. Convolution and pooling stream
/// through it: append a chunk, use the windows that are whole, drop what no later window reads.
struct StreamWindow {
  Index window = 1;  ///< steps that one output reads, first to last
  Index stride = 1;
  Index left = 0;   ///< padding steps before the signal, fewer than a window
  Index right = 0;  ///< padding steps after it
  Slot steps = {};
  Slot counters = {};  ///< 0: steps held, 1: steps of the next chunk to drop, 2: padding steps held

  /// The most steps that are held at once, with chunks of up to `chunk` steps.
  Index capacity(Index chunk) const {
    // Between calls fewer steps than a window are held: less than one output.
    return window - 1 + chunk + right;
  }

  /// Books memory for chunks of the planned length; returns the most outputs of one call.
  Index plan(Planner& planner) {
    const Shape& input = planner.input();
    steps = planner.state(capacity(input[0]) * input.without_front().elements());
    counters = planner.counters(3);
    return (input[0] + right - 1) / stride + 1;
  }

  template <class T>
  struct Held {
    const T* data;   ///< (steps, rows, width)
    Index steps;     ///< held, this chunk and the padding at the end included
    Index outputs;   ///< whole windows among them
    Index padding;   ///< how many of the first held steps are padding before the signal
    Index trailing;  ///< how many of the last held steps are padding after the signal
  };

  /// Appends the chunk `v.x()` with `pad` outside the signal. Call release() when the outputs are
  /// made.
  template <class T>
  Held<T> append(const View<T>& v, T pad) const {
    const Chunk<const T> x = v.x();
    T* held = v[steps];
    Index* count = v.counters(counters);
    const Index vector = x.rows * x.width;
    if (v.first()) {
      std::fill_n(held, left * vector, pad);
      count[0] = count[2] = left;
      count[1] = 0;
    }
    const Index drop = std::min(count[1], x.steps);
    count[1] -= drop;
    std::copy_n(x.step(drop), (x.steps - drop) * vector, held + count[0] * vector);
    count[0] += x.steps - drop;
    const Index trailing = v.last() ? right : 0;
    std::fill_n(held + count[0] * vector, trailing * vector, pad);
    count[0] += trailing;
    const Index outputs = count[0] >= window ? (count[0] - window) / stride + 1 : 0;
    return {held, count[0], outputs, count[2], trailing};
  }

  template <class T>
  void release(const View<T>& v, const Held<T>& used) const {
    const Chunk<const T> x = v.x();
    T* held = v[steps];
    Index* count = v.counters(counters);
    const Index vector = x.rows * x.width;
    const Index passed = used.outputs * stride;
    const Index gone = std::min(passed, count[0]);
    std::copy(held + gone * vector, held + count[0] * vector, held);
    count[0] -= gone;
    count[1] += passed - gone;
    count[2] = std::max<Index>(0, count[2] - gone);
  }
};

}  // namespace sonde
