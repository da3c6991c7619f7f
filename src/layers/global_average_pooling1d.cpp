#include <algorithm>
#include <sonde/layers/global_average_pooling1d.hpp>

#include "layers/pooling.hpp"

namespace sonde {
namespace {

struct GlobalAveragePooling1DOp {
  bool masked = false;

  template <class T>
  void forward(const View<T>& v) const {
    const Chunk<const T> x = v.x();
    if (masked) return forward_masked(v);
    mean(x.data, x.steps, x.rows * x.width, v.y().data);
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const Chunk<T> dx = v.dx();
    const Index vector = dx.rows * dx.width;
    const T* dy = v.dy().data;
    for (Index t = 0; t < dx.steps; ++t)
      for (Index i = 0; i < vector; ++i) dx.step(t)[i] = dy[i] / static_cast<T>(dx.steps);
    if (!masked) return;
    for (Index r = 0; r < dx.rows; ++r) {
      const T share = static_cast<T>(dx.steps) / counted(v, r);
      for (Index t = 0; t < dx.steps; ++t)
        for (Index i = 0; i < dx.width; ++i)
          dx.step(t)[r * dx.width + i] *= share * v.mask().step(t)[r];
    }
  }

  /// The mean over the steps that count; 0 where none does.
  template <class T>
  void forward_masked(const View<T>& v) const {
    const Chunk<const T> x = v.x(), mask = v.mask();
    for (Index r = 0; r < x.rows; ++r) {
      T* y = v.y().data + r * x.width;
      std::fill_n(y, x.width, T(0));
      for (Index t = 0; t < x.steps; ++t)
        for (Index i = 0; i < x.width; ++i) y[i] += mask.step(t)[r] * x.step(t)[r * x.width + i];
      for (Index i = 0; i < x.width; ++i) y[i] /= counted(v, r);
    }
  }
  template <class T>
  static T counted(const View<T>& v, Index row) {
    T count = 0;
    for (Index t = 0; t < v.mask().steps; ++t) count += v.mask().step(t)[row];
    return std::max(count, T(1));
  }
};

}  // namespace

AnyOp GlobalAveragePooling1D::plan(Planner& planner) const {
  planner.expect_rank(2, "(time, channels)");
  planner.cannot_stream("the mean of all steps is known only when the signal ends.");
  const Index channels = planner.input()[1];
  planner.output(keepdims ? Shape{1, channels} : Shape{channels});
  planner.end_mask();
  return GlobalAveragePooling1DOp{planner.masked()};
}

Tensor GlobalAveragePooling1D::operator()(Tensor x) const {
  return apply(*this, {std::move(x)}).front();
}

}  // namespace sonde
