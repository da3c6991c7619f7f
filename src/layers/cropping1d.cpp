#include <algorithm>
#include <sonde/layers/cropping1d.hpp>

#include "layers/time_ends.hpp"

namespace sonde {
namespace {

struct Cropping1DOp {
  TimeEnds ends;
  Slot queue = {};     // stream: steps that may yet be the last ones
  Slot counters = {};  // stream: 0: steps in the queue, 1: steps of the signal still to drop

  template <class T>
  void forward(const View<T>& v) const {
    if (queue) stream(v);
    else std::copy_n(v.x().step(ends.before), v.y().size(), v.y().data);
  }
  template <class T>
  void stream(const View<T>& v) const {
    const Chunk<const T> x = v.x();
    const Index vector = x.rows * x.width;
    T* held = v[queue];
    Index* count = v.counters(counters);
    if (v.first()) {
      count[0] = 0;
      count[1] = ends.before;
    }
    const Index drop = std::min(count[1], x.steps);
    count[1] -= drop;
    std::copy_n(x.step(drop), (x.steps - drop) * vector, held + count[0] * vector);
    count[0] += x.steps - drop;
    const Index ready = std::max<Index>(0, count[0] - ends.after);
    std::copy_n(held, ready * vector, v.y().data);
    std::copy(held + ready * vector, held + count[0] * vector, held);
    count[0] -= ready;
    v.produce(ready);
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const Chunk<T> dx = v.dx();
    std::fill_n(dx.data, dx.size(), T(0));
    std::copy_n(v.dy().data, v.dy().size(), dx.step(ends.before));
  }
};

}  // namespace

AnyOp Cropping1D::plan(Planner& planner) const {
  planner.expect_rank(2, "(time, channels)");
  const auto ends = TimeEnds::of(planner, "cropping", cropping);
  const Index steps = planner.input()[0], channels = planner.input()[1];
  planner.timing({.left = -ends.before, .held_back = ends.after});
  Cropping1DOp op{.ends = ends};
  if (planner.streaming()) {
    op.queue = planner.state((ends.after + steps) * channels);
    op.counters = planner.counters(2);
    planner.output({steps, channels});
    return op;
  }
  const bool known = steps != dynamic;
  if (known && ends.before + ends.after >= steps)
    planner.refuse(fmt::format("cropping takes {} steps off, but the input has only {}.",
                               ends.before + ends.after, steps));
  planner.output({known ? steps - ends.before - ends.after : dynamic, channels});
  return op;
}

Tensor Cropping1D::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
