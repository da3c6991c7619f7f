#include <sonde/layers/additive_attention.hpp>

#include "layers/additive_scores.hpp"
#include "layers/attention.hpp"

namespace sonde {

AnyOp AdditiveAttention::plan(Planner& planner) const {
  auto op = plan_attention<AdditiveScores>(planner, *this);
  if (use_scale) op.score.each = planner.weight("scale", {planner.input(0)[1]}, {GlorotUniform{}});
  return op;
}

Tensor AdditiveAttention::operator()(std::vector<Tensor> inputs) const {
  return outputs(std::move(inputs)).front();
}

std::vector<Tensor> AdditiveAttention::outputs(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs));
}

}  // namespace sonde
