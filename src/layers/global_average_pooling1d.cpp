#include <sonde/layers/global_average_pooling1d.hpp>

#include "layers/pooling.hpp"

namespace sonde {
namespace {

struct GlobalAveragePooling1DOp {
  template <class T>
  void forward(const View<T>& v) const {
    const Chunk<const T> x = v.x();
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
  }
};

}  // namespace

AnyOp GlobalAveragePooling1D::plan(Planner& planner) const {
  planner.expect_rank(2, "(time, channels)");
  planner.cannot_stream("the mean of all steps is known only when the signal ends.");
  const Index channels = planner.input()[1];
  planner.output(keepdims ? Shape{1, channels} : Shape{channels});
  return GlobalAveragePooling1DOp{};
}

}  // namespace sonde
