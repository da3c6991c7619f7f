#include <sonde/layers/max_pooling1d.hpp>

#include "layers/pooling.hpp"

namespace sonde {
namespace {

struct MaxPooling1DOp {
  Pooling pooling;

  template <class T>
  void forward(const View<T>& v) const {
    pooling.forward(
        v, [](const T* x, Index steps, Index vector, T* y) { greatest(x, steps, vector, y); });
  }
  template <class T>
  void backward(const View<T>& v) const {
    // Of steps that tie the first takes the gradient: what it took is gone from dy.
    pooling.backward(v, [](const T* x, Index steps, Index vector, const T* y, T* dy, T* dx) {
      for (Index s = 0; s < steps; ++s, x += vector, dx += vector)
        for (Index i = 0; i < vector; ++i) {
          const bool taken = x[i] == y[i];
          dx[i] += taken ? dy[i] : T(0);
          dy[i] = taken ? T(0) : dy[i];
        }
    });
  }
};

}  // namespace

AnyOp MaxPooling1D::plan(Planner& planner) const {
  MaxPooling1DOp op{Pooling::plan(planner, pool_size, strides, padding)};
  planner.keep_input();
  planner.keep_output();
  return op;
}

Tensor MaxPooling1D::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
