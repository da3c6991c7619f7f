#include <sonde/layers/repeat_vector.hpp>

#include <algorithm>

namespace sonde {
namespace {

struct RepeatVectorOp {
  template <class T>
  void forward(const View<T>& v) const {
    const Chunk<T> y = v.y();
    for (Index t = 0; t < y.steps; ++t) std::copy_n(v.x().data, y.rows * y.width, y.step(t));
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const Chunk<T> dy = v.dy();
    const Index vector = dy.rows * dy.width;
    T* dx = v.dx().data;
    std::copy_n(dy.data, vector, dx);
    for (Index t = 1; t < dy.steps; ++t)
      for (Index i = 0; i < vector; ++i) dx[i] += dy.step(t)[i];
  }
};

}  // namespace

AnyOp RepeatVector::plan(Planner& planner) const {
  planner.expect_rank(1, "(features,)");
  planner.at_least("n", *n, 1);
  planner.cannot_stream("it makes a sequence of n steps out of one vector.");
  planner.output({*n, planner.input()[0]});
  return RepeatVectorOp{};
}

Tensor RepeatVector::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
