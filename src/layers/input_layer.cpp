#include <sonde/layers/input_layer.hpp>

namespace sonde {
namespace {

/// The plan's caller writes the input's buffer itself.
struct InputOp {
  template <class T>
  void forward(const View<T>&) const {}
  template <class T>
  void backward(const View<T>&) const {}
};

}  // namespace

AnyOp InputLayer::plan(Planner& planner) const {
  const Shape& sizes = *shape;
  if (sizes.rank() == 0)
    planner.refuse("needs a shape, such as {400, 16} for 400 steps of 16 channels.");
  for (Index axis = 0; axis < sizes.rank(); ++axis)
    if (!(sizes[axis] == dynamic && axis == 0))
      planner.at_least("every size", sizes[axis], 1,
                       "Only the number of time steps may be dynamic.");
  planner.output(sizes);
  return InputOp{};
}

Tensor Input(Shape shape, InputOptions options) {
  return apply(InputLayer{.shape = std::move(shape), .name = std::move(options.name)}, {}).front();
}

}  // namespace sonde
