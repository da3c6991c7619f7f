#include <algorithm>
#include <sonde/layers/add.hpp>

#include "layers/merge_masks.hpp"
#include "layers/merging.hpp"

namespace sonde {
namespace {

struct AddOp {
  MergedInputs inputs;
  MergedMask mask;

  template <class T>
  void forward(const View<T>& v) const {
    inputs.begin(v);
    mask.write(v);
    inputs.add_up(v);
  }
  template <class T>
  void backward(const View<T>& v) const {
    for (Index i = 0; i < inputs.count; ++i)
      if (T* dx = inputs.dx(v, i)) std::copy_n(v.dy().data, v.dy().size(), dx);
    inputs.narrow(v);
  }
};

}  // namespace

AnyOp Add::plan(Planner& planner) const {
  MergedInputs inputs = MergedInputs::plan(planner);
  return AddOp{std::move(inputs), MergedMask::plan(planner)};
}

Tensor Add::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

}  // namespace sonde
