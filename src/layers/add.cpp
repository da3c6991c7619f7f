#include <algorithm>
#include <sonde/layers/add.hpp>

#include "layers/merge_masks.hpp"
#include "layers/merging.hpp"

namespace sonde {
namespace {

struct AddOp {
  Index inputs;
  MergedMask mask;

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    mask.write(v);
    const Index size = v.x().size();
    T* y = v.y().data;
    std::copy_n(v.x().data, size, y);
    for (Index i = 1; i < inputs; ++i) {
      const T* x = v.x(i).data;
      for (Index k = 0; k < size; ++k) y[k] += x[k];
    }
  }
  template <class T>
  void backward(const View<T>& v) const {
    for (Index i = 0; i < inputs; ++i)
      if (v.dx(i)) std::copy_n(v.dy().data, v.dy().size(), v.dx(i).data);
  }
};

}  // namespace

AnyOp Add::plan(Planner& planner) const {
  plan_merging(planner);
  return AddOp{planner.inputs(), MergedMask::plan(planner)};
}

Tensor Add::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

}  // namespace sonde
