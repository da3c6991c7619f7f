#include <algorithm>
#include <sonde/layers/global_average_pooling2d.hpp>

namespace sonde {
namespace {

struct GlobalAveragePooling2DOp {
  Index channels;

  template <class T>
  void forward(const View<T>& v) const {
    const Chunk<const T> x = v.x();
    const Chunk<T> y = v.y();
    std::fill_n(y.data, y.size(), T(0));
    for (Index t = 0; t < x.steps; ++t)
      for (Index r = 0; r < x.rows; ++r)
        for (Index i = 0; i < x.width; ++i)
          y.data[r * channels + i % channels] += x.step(t)[r * x.width + i];
    for (Index i = 0; i < y.size(); ++i) y.data[i] /= count<T>(x.steps, x.width);
  }
  template <class T>
  void backward(const View<T>& v) const {
    const Chunk<T> dx = v.dx();
    if (!dx) return;
    const T* dy = v.dy().data;
    for (Index t = 0; t < dx.steps; ++t)
      for (Index r = 0; r < dx.rows; ++r)
        for (Index i = 0; i < dx.width; ++i)
          dx.step(t)[r * dx.width + i] =
              dy[r * channels + i % channels] / count<T>(dx.steps, dx.width);
  }
  template <class T>
  T count(Index steps, Index width) const {
    const Index places = width / channels;
    return static_cast<T>(steps * places);
  }
};

}  // namespace

AnyOp GlobalAveragePooling2D::plan(Planner& planner) const {
  planner.expect_rank(3, "(time, width, channels)");
  planner.cannot_stream("the mean of all steps is known only when the signal ends.");
  const Index channels = planner.input()[2];
  planner.output(keepdims ? Shape{1, 1, channels} : Shape{channels});
  return GlobalAveragePooling2DOp{channels};
}

Tensor GlobalAveragePooling2D::operator()(Tensor x) const {
  return apply(*this, {std::move(x)}).front();
}

}  // namespace sonde
