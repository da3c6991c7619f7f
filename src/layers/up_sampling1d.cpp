#include <sonde/layers/up_sampling1d.hpp>

#include <algorithm>

namespace sonde {
namespace {

struct UpSampling1DOp {
  Index size;

  template <class T>
  void forward(const View<T>& v) const {
    const Chunk<const T> x = v.x();
    v.produce(x.steps * size);
    T* y = v.y().data;
    for (Index t = 0; t < x.steps; ++t)
      for (Index s = 0; s < size; ++s) y = std::copy_n(x.step(t), x.rows * x.width, y);
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const Chunk<T> dx = v.dx();
    const Index vector = dx.rows * dx.width;
    const T* dy = v.dy().data;
    for (Index t = 0; t < dx.steps; ++t) {
      std::copy_n(dy, vector, dx.step(t));
      dy += vector;
      for (Index s = 1; s < size; ++s, dy += vector)
        for (Index i = 0; i < vector; ++i) dx.step(t)[i] += dy[i];
    }
  }
};

}  // namespace

AnyOp UpSampling1D::plan(Planner& planner) const {
  planner.expect_rank(2, "(time, channels)");
  planner.at_least("size", size, 1);
  const Index steps = planner.input()[0];
  planner.output({steps == dynamic ? dynamic : steps * size, planner.input()[1]});
  planner.timing({.upsample = size});
  return UpSampling1DOp{size};
}

Tensor UpSampling1D::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
