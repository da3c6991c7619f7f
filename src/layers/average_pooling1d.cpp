#include <sonde/layers/average_pooling1d.hpp>

#include "layers/pooling.hpp"

namespace sonde {
namespace {

struct AveragePooling1DOp {
  Pooling pooling;

  template <class T>
  void forward(const View<T>& v) const {
    pooling.forward(v,
                    [](const T* x, Index steps, Index vector, T* y) { mean(x, steps, vector, y); });
  }
  template <class T>
  void backward(const View<T>& v) const {
    pooling.backward(v, [](const T*, Index steps, Index vector, const T*, const T* dy, T* dx) {
      for (Index s = 0; s < steps; ++s, dx += vector)
        for (Index i = 0; i < vector; ++i) dx[i] += dy[i] / static_cast<T>(steps);
    });
  }
};

}  // namespace

AnyOp AveragePooling1D::plan(Planner& planner) const {
  return AveragePooling1DOp{Pooling::plan(planner, pool_size, strides, padding)};
}

Tensor AveragePooling1D::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
