#pragma once
#include <optional>
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// Attention that scores by the sum of scale * tanh(query + key) in place of a product.
/// {(time, a), (steps, b), (steps, a)} → (time, b). Keras: AdditiveAttention.
///   auto y = AdditiveAttention{}({query, value});       // the value is the key as well
///   auto z = AdditiveAttention{}({query, value, key});
/// Every query step may read every value step, so it cannot stream; with `use_causal_mask` step t
/// reads the steps 0 … t only. The last two arguments are those of Keras' call.
/// Weights: scale (a,) with use_scale.
struct AdditiveAttention {
  static constexpr std::string_view type = "AdditiveAttention";
  bool use_scale = true;
  double dropout = 0.0;
  std::optional<Index> seed = {};
  bool return_attention_scores = false;
  bool use_causal_mask = false;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = AdditiveAttention;
    return fields_of(field("use_scale", &L::use_scale), field("dropout", &L::dropout),
                     field("seed", &L::seed),
                     field("return_attention_scores", &L::return_attention_scores),
                     field("use_causal_mask", &L::use_causal_mask), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(std::vector<Tensor> inputs) const;
  /// {y}, or with `return_attention_scores` {y, scores}: also the weights, (time, steps).
  std::vector<Tensor> outputs(std::vector<Tensor> inputs) const;
};

}  // namespace sonde
