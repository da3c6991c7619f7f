#include <sonde/layers/average_pooling2d.hpp>

#include "layers/pooling2d.hpp"

namespace sonde {
namespace {

struct AveragePooling2DOp {
  Pooling2D pooling;

  template <class T>
  void forward(const View<T>& v) const {
    pooling.forward(v, [](const Patch<const T>& patch, T& y) {
      T sum = 0;
      for_each_number(patch, [&](T x) { sum += x; });
      y = sum / static_cast<T>(patch.steps * patch.columns);
    });
  }
  template <class T>
  void backward(const View<T>& v) const {
    pooling.backward(v, [dy = v.dy().data](const Patch<T>& patch, Index y) {
      const T share = dy[y] / static_cast<T>(patch.steps * patch.columns);
      for_each_number(patch, [&](T& dx) { dx += share; });
    });
  }
};

}  // namespace

AnyOp AveragePooling2D::plan(Planner& planner) const {
  return AveragePooling2DOp{Pooling2D::plan(planner, *pool_size, strides, padding)};
}

Tensor AveragePooling2D::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
