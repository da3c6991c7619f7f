#include <sonde/layers/attention.hpp>

#include "layers/additive_scores.hpp"
#include "layers/attention.hpp"

namespace sonde {
namespace {

/// scale * query * key transposed; scale left out is 1.
struct DotScores {
  HeadProduct key;
  Slot scale;
  Slot unscaled;  // scores of one row

  static DotScores plan(Planner& planner, Index query_steps, Index key_steps, Index width) {
    DotScores s;
    s.key = HeadProduct::plan(planner, query_steps, key_steps, width);
    return s;
  }
  Index size() const { return key.window.steps_in * key.window.channels; }

  template <class T>
  void forward(const View<T>& v, Steps<const T> queries, Steps<const T> keys, T* scores) const {
    key.pack(v, keys);
    key.to_scores(v, queries, scores);
    if (scale)
      for (Index i = 0; i < size(); ++i) scores[i] *= *v[scale];
  }
  template <class T>
  void backward(const View<T>& v, Steps<const T> queries, Steps<const T> keys, T* dscores,
                Steps<T> dqueries, Steps<T> dkeys) const {
    key.pack(v, keys);
    if (scale) {
      T* products = v[unscaled];
      key.to_scores(v, queries, products);
      double sum = 0;
      for (Index i = 0; i < size(); ++i) {
        sum += static_cast<double>(dscores[i] * products[i]);
        dscores[i] *= *v[scale];
      }
      *v.gradient(scale) += static_cast<T>(sum);
    }
    if (dqueries.data) key.to_queries<T>(v, dscores, dqueries);
    if (dkeys.data) key.add_to_values<T>(dscores, queries, dkeys);
  }
};

}  // namespace

AnyOp Attention::plan(Planner& planner) const {
  const auto factor = [&](const char* weight) { return planner.weight(weight, {}, {Ones{}}); };
  if (score_mode == AttentionScoreMode::concat) {
    auto op = plan_attention<AdditiveScores>(planner, *this);
    if (use_scale) op.score.inner = factor("scale");
    op.score.outer = factor("concat_score_weight");
    return op;
  }
  auto op = plan_attention<DotScores>(planner, *this);
  if (use_scale) {
    op.score.scale = factor("scale");
    const bool known = planner.input(0)[0] != dynamic && planner.input(1)[0] != dynamic;
    if (planner.training()) op.score.unscaled = planner.scratch(0, known ? op.score.size() : 0);
  }
  return op;
}

Tensor Attention::operator()(std::vector<Tensor> inputs) const {
  return outputs(std::move(inputs)).front();
}

std::vector<Tensor> Attention::outputs(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs));
}

}  // namespace sonde
