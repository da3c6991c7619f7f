#include <sonde/layers/max_pooling2d.hpp>

#include "layers/pooling2d.hpp"

namespace sonde {
namespace {

struct MaxPooling2DOp {
  Pooling2D pooling;

  template <class T>
  void forward(const View<T>& v) const {
    // NaN wins, so that it is seen.
    pooling.forward(v, [](const Patch<const T>& patch, T& y) {
      y = *patch.first;
      for_each_number(patch, [&](T x) { y = x > y || x != x ? x : y; });
    });
  }
  template <class T>
  void backward(const View<T>& v) const {
    const T *x = v.x().data, *y = v.y().data, *dy = v.dy().data;
    const T* begin = v.dx().data;
    // Of numbers that tie the first takes the gradient.
    pooling.backward(v, [=](const Patch<T>& patch, Index window) {
      bool taken = false;
      for_each_number(patch, [&](T& dx) {
        if (taken || x[&dx - begin] != y[window]) return;
        dx += dy[window];
        taken = true;
      });
    });
  }
};

}  // namespace

AnyOp MaxPooling2D::plan(Planner& planner) const {
  MaxPooling2DOp op{Pooling2D::plan(planner, pool_size, strides, padding)};
  planner.keep_input();
  planner.keep_output();
  return op;
}

Tensor MaxPooling2D::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
