#include <algorithm>
#include <sonde/layers/zero_padding1d.hpp>

#include "layers/time_ends.hpp"

namespace sonde {
namespace {

struct ZeroPadding1DOp {
  TimeEnds ends;
  bool streaming;

  template <class T>
  void forward(const View<T>& v) const {
    const Chunk<const T> x = v.x();
    const Index vector = x.rows * x.width;
    const Index before = !streaming || v.first() ? ends.before : 0;
    const Index after = !streaming || v.last() ? ends.after : 0;
    v.produce(before + x.steps + after);
    T* y = std::fill_n(v.y().data, before * vector, T(0));
    y = std::copy_n(x.data, x.size(), y);
    std::fill_n(y, after * vector, T(0));
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (v.dx()) std::copy_n(v.dy().step(ends.before), v.dx().size(), v.dx().data);
  }
};

}  // namespace

AnyOp ZeroPadding1D::plan(Planner& planner) const {
  planner.expect_rank(2, "(time, channels)");
  const auto ends = TimeEnds::of(planner, "padding", padding);
  const Index steps = planner.input()[0];
  planner.output(
      {steps == dynamic ? dynamic : ends.before + steps + ends.after, planner.input()[1]});
  planner.timing({.left = ends.before});
  return ZeroPadding1DOp{ends, planner.streaming()};
}

Tensor ZeroPadding1D::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
