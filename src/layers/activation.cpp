#include <fmt/format.h>

#include <sonde/layers/activation.hpp>

#include "layers/final_activation.hpp"

namespace sonde {
namespace {

struct ActivationOp {
  ActivationFunction function;
  Index width;  // of the last axis, over which softmax runs

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    kernels::activation_forward(function, v.x().size() / width, width, v.x().data, v.y().data);
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const bool from_input = kernels::activation_needs_input(function);
    kernels::activation_backward(function, v.y().size() / width, width,
                                 from_input ? v.x().data : nullptr,
                                 from_input ? nullptr : v.y().data, v.dy().data, v.dx().data);
  }
};

}  // namespace

AnyOp Activation::plan(Planner& planner) const {
  if (planner.inputs() != 1)
    planner.refuse(fmt::format("takes one input, got {}.", planner.inputs()));
  if (kernels::activation_needs_input(*activation)) planner.keep_input();
  else planner.keep_output();
  planner.output(planner.input());
  planner.pass_mask();
  return ActivationOp{*activation, planner.input().last()};
}

Tensor Activation::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
