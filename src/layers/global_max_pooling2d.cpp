#include <algorithm>
#include <sonde/layers/global_max_pooling2d.hpp>

namespace sonde {
namespace {

struct GlobalMaxPooling2DOp {
  Index channels;
  Slot ties;  // how many numbers are the greatest of their channel

  template <class T>
  void forward(const View<T>& v) const {
    const Chunk<const T> x = v.x();
    T* y = v.y().data;
    for (Index r = 0; r < x.rows; ++r)
      std::copy_n(x.data + r * x.width, channels, y + r * channels);
    each_number(x, [&](Index at, Index channel) {
      // NaN wins, so that it is seen.
      const T number = x.data[at];
      if (number > y[channel] || number != number) y[channel] = number;
    });
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const Chunk<const T> x = v.x();
    const T *y = v.y().data, *dy = v.dy().data;
    T *count = v[ties], *dx = v.dx().data;
    std::fill_n(count, v.y().size(), T(0));
    each_number(
        x, [&](Index at, Index channel) { count[channel] += x.data[at] == y[channel] ? 1 : 0; });
    each_number(x, [&](Index at, Index channel) {
      dx[at] = x.data[at] == y[channel] ? dy[channel] / count[channel] : T(0);
    });
  }
  /// Calls f(place in x, place of its channel in y).
  template <class T, class F>
  void each_number(const Chunk<T>& x, F f) const {
    Index at = 0;
    for (Index t = 0; t < x.steps; ++t)
      for (Index r = 0; r < x.rows; ++r)
        for (Index i = 0; i < x.width; ++i, ++at) f(at, r * channels + i % channels);
  }
};

}  // namespace

AnyOp GlobalMaxPooling2D::plan(Planner& planner) const {
  planner.expect_rank(3, "(time, width, channels)");
  planner.cannot_stream("the greatest number is known only when the signal ends.");
  const Index channels = planner.input()[2];
  planner.output(keepdims ? Shape{1, 1, channels} : Shape{channels});
  planner.keep_input();
  planner.keep_output();
  return GlobalMaxPooling2DOp{channels, planner.training() ? planner.scratch(channels) : Slot{}};
}

Tensor GlobalMaxPooling2D::operator()(Tensor x) const {
  return apply(*this, {std::move(x)}).front();
}

}  // namespace sonde
