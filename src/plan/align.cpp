#include "plan/align.hpp"

#include <algorithm>

namespace sonde {
namespace {

struct AlignOp {
  std::vector<Slot> queues;
  Slot held;  // steps in each queue

  template <class T>
  void forward(const View<T>& v) const {
    Index* count = v.counters(held);
    const Index inputs = static_cast<Index>(queues.size());
    Index ready = -1;
    for (Index i = 0; i < inputs; ++i) {
      const Chunk<const T> x = v.x(i);
      const Index vector = x.rows * x.width;
      std::copy_n(x.data, x.steps * vector,
                  v[queues[static_cast<std::size_t>(i)]] + count[i] * vector);
      count[i] += x.steps;
      ready = ready < 0 ? count[i] : std::min(ready, count[i]);
    }
    for (Index i = 0; i < inputs; ++i) {
      const Index vector = v.x(i).rows * v.x(i).width;
      T* queue = v[queues[static_cast<std::size_t>(i)]];
      std::copy_n(queue, ready * vector, v.y(i).data);
      std::copy(queue + ready * vector, queue + count[i] * vector, queue);
      count[i] -= ready;
      v.produce(ready, i);
    }
  }
  template <class T>
  void backward(const View<T>&) const {}
};

}  // namespace

AnyOp plan_align(Planner& planner, Index delay) {
  AlignOp op;
  Index most = 0;
  for (Index i = 0; i < planner.inputs(); ++i) most = std::max(most, planner.input(i)[0]);
  for (Index i = 0; i < planner.inputs(); ++i) {
    Shape shape = planner.input(i);
    // What waits is at most the largest delay and one call's steps of any branch.
    shape[0] = most + delay + planner.input(i)[0] + 1;
    op.queues.push_back(planner.state(shape.elements()));
    shape[0] = most + delay + 1;
    planner.output(shape);
  }
  op.held = planner.counters(planner.inputs());
  return op;
}

}  // namespace sonde
