#pragma once
#include <algorithm>
#include <optional>
#include <sonde/size2d.hpp>

#include "layers/stream_window.hpp"

namespace sonde {

/// The numbers of one channel that a window holds: `steps` times `columns` of them.
template <class T>
struct Patch {
  T* first;
  Index steps, columns;
  Index step_pitch, column_pitch;

  T& at(Index step, Index column) const { return first[step * step_pitch + column * column_pitch]; }
};

/// What maximum and average share over time and width: where the windows lie, over a whole sequence
/// or in a stream, and how a window becomes one number.
struct Pooling2D {
  Size2D size = {}, stride = {};
  Index top = 0, left = 0;  ///< padding before the signal and before the first column; never counts
  Index width = 1, columns = 1;  ///< columns of the input and of the output
  Index channels = 1;
  bool streaming = false;
  StreamWindow stream = {};

  /// Checks the arguments, states output and timing.
  static Pooling2D plan(Planner& planner, Size2D pool_size, std::optional<Size2D> strides,
                        Padding padding);

  /// Calls reduce(patch, y) for each window and channel.
  template <class T, class Reduce>
  void forward(const View<T>& v, Reduce reduce) const {
    if (!streaming) {
      each_window(v.x().rows, v.y().steps, -top, 0, v.x().steps, v.x().data,
                  [&](Patch<const T> patch, Index y) { reduce(patch, v.y().data[y]); });
      return;
    }
    const auto held = stream.append(v, T(0));
    v.produce(held.outputs);
    each_window(v.x().rows, held.outputs, 0, held.padding, held.steps - held.trailing,
                static_cast<const T*>(held.data),
                [&](Patch<const T> patch, Index y) { reduce(patch, v.y().data[y]); });
    stream.release(v, held);
  }

  /// Calls spread(where the window lies in dx, number of its output), after dx has been zeroed.
  template <class T, class Spread>
  void backward(const View<T>& v, Spread spread) const {
    const Chunk<T> dx = v.dx();
    if (!dx) return;
    std::fill_n(dx.data, dx.size(), T(0));
    each_window(dx.rows, v.dy().steps, -top, 0, dx.steps, dx.data, spread);
  }

 private:
  /// Windows along time begin at start, start + stride, …; all are cut to the steps [begin, end)
  /// and to the columns that there are.
  template <class T, class F>
  void each_window(Index rows, Index windows, Index start, Index begin, Index end, T* x,
                   F f) const {
    const Index step_pitch = rows * width * channels;
    Index y = 0;
    for (Index t = 0; t < windows; ++t) {
      const Index from = std::max(begin, start + t * stride.height);
      const Index steps = std::min(end, start + t * stride.height + size.height) - from;
      for (Index r = 0; r < rows; ++r)
        for (Index column = 0; column < columns; ++column) {
          const Index near = column * stride.width - left;
          const Index first = std::max<Index>(0, near);
          const Index count = std::min(width, near + size.width) - first;
          T* corner = x + from * step_pitch + (r * width + first) * channels;
          for (Index c = 0; c < channels; ++c, ++y)
            f(Patch<T>{corner + c, steps, count, step_pitch, channels}, y);
        }
    }
  }
};

/// Calls f(number) for all numbers of a patch, step by step.
template <class T, class F>
void for_each_number(const Patch<T>& patch, F f) {
  for (Index s = 0; s < patch.steps; ++s)
    for (Index c = 0; c < patch.columns; ++c) f(patch.at(s, c));
}

}  // namespace sonde
