#include <sonde/layers/global_max_pooling1d.hpp>

#include "layers/pooling.hpp"

namespace sonde {
namespace {

struct GlobalMaxPooling1DOp {
  Slot ties;  // how many steps hold the greatest number of a channel

  template <class T>
  void forward(const View<T>& v) const {
    const Chunk<const T> x = v.x();
    greatest(x.data, x.steps, x.rows * x.width, v.y().data);
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const Chunk<const T> x = v.x();
    const Index vector = x.rows * x.width;
    const T *y = v.y().data, *dy = v.dy().data;
    T* count = v[ties];
    std::fill_n(count, vector, T(0));
    for (Index t = 0; t < x.steps; ++t)
      for (Index i = 0; i < vector; ++i) count[i] += x.step(t)[i] == y[i] ? T(1) : T(0);
    for (Index t = 0; t < x.steps; ++t)
      for (Index i = 0; i < vector; ++i)
        v.dx().step(t)[i] = x.step(t)[i] == y[i] ? dy[i] / count[i] : T(0);
  }
};

}  // namespace

AnyOp GlobalMaxPooling1D::plan(Planner& planner) const {
  planner.expect_rank(2, "(time, channels)");
  planner.cannot_stream("the greatest step is known only when the signal ends.");
  const Index channels = planner.input()[1];
  planner.output(keepdims ? Shape{1, channels} : Shape{channels});
  planner.keep_input();
  planner.keep_output();
  return GlobalMaxPooling1DOp{planner.training() ? planner.scratch(channels) : Slot{}};
}

Tensor GlobalMaxPooling1D::operator()(Tensor x) const {
  return apply(*this, {std::move(x)}).front();
}

}  // namespace sonde
