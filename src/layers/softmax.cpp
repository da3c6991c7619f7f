#include <sonde/layers/activation.hpp>
#include <sonde/layers/softmax.hpp>

#include "layers/one_input.hpp"

namespace sonde {

AnyOp Softmax::plan(Planner& planner) const {
  expect_one_input(planner);
  const Shape& input = planner.input();
  if (axis != -1 && axis != input.rank())
    planner.refuse(
        fmt::format("axis must be the last one, -1 or {} for an input of shape {}, got {}. "
                    "Permute can bring an axis there.",
                    input.rank(), to_string(input), axis));
  return Activation{.activation = Activation::softmax}.plan(planner);
}

Tensor Softmax::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
