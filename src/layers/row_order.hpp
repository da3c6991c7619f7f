#pragma once
#include <algorithm>
#include <sonde/view.hpp>

namespace sonde {

/// Copies (steps, rows, width) into (steps', rows, width'), steps * width = steps' * width', so
/// that every row keeps its numbers in their order: a reshape of each row on its own.
template <class From, class To>
void copy_row_order(const Chunk<From>& from, const Chunk<To>& to) {
  if (from.width == to.width) {
    std::copy_n(from.data, from.size(), to.data);
    return;
  }
  for (Index row = 0; row < from.rows; ++row)
    for (Index i = 0; i < from.steps * from.width;) {
      const Index read = i % from.width, written = i % to.width;
      const Index run = std::min(from.width - read, to.width - written);
      std::copy_n(from.step(i / from.width) + row * from.width + read, run,
                  to.step(i / to.width) + row * to.width + written);
      i += run;
    }
}

/// The op of layers that give on what comes in, any number of steps, each with the same numbers.
struct CopyOp {
  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    std::copy_n(v.x().data, v.x().size(), v.y().data);
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (v.dx()) std::copy_n(v.dy().data, v.dy().size(), v.dx().data);
  }
};

/// The op of layers that only give each row's numbers another shape.
struct RowOrderOp {
  template <class T>
  void forward(const View<T>& v) const {
    copy_row_order(v.x(), v.y());
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (v.dx()) copy_row_order(v.dy(), v.dx());
  }
};

}  // namespace sonde
