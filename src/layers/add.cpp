#include <fmt/format.h>

#include <algorithm>
#include <sonde/layers/add.hpp>

#include "layers/merge_masks.hpp"

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
  if (planner.inputs() < 2)
    planner.refuse(fmt::format("takes at least two inputs, got {}.", planner.inputs()));
  Shape output = planner.input();
  for (Index i = 1; i < planner.inputs(); ++i) {
    Shape shape = planner.input(i);
    // A stream brings the inputs in step, whatever each could hold.
    if (planner.streaming()) output[0] = shape[0] = std::max(output[0], shape[0]);
    if (shape == output) continue;
    planner.refuse(fmt::format("all inputs must have one shape, got {} and {}. {}",
                               to_string(planner.input()), to_string(planner.input(i)),
                               shape.rank() == output.rank() && shape[0] != output[0]
                                   ? "A convolution or pooling on one side may need padding = same."
                                   : "A Dense layer can bring them to the same width."));
  }
  planner.output(output);
  return AddOp{planner.inputs(), MergedMask::plan(planner, MergedMask::Rule::any)};
}

}  // namespace sonde
