#pragma once
#include <array>
#include <optional>
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// How Attention scores a query step against a key step.
enum class AttentionScoreMode {
  dot,     ///< their product
  concat,  ///< the sum of tanh(query + key)
};

constexpr auto enum_names(AttentionScoreMode) {
  return std::array<std::string_view, 2>{"dot", "concat"};
}

/// For every query step, the mean of the value steps, weighted by how well their keys match.
/// {(time, a), (steps, b), (steps, a)} → (time, b). Keras: Attention.
///   auto y = Attention{}({query, value});       // the value is the key as well
///   auto z = Attention{}({query, value, key});
/// Every query step may read every value step, so it cannot stream; with `use_causal_mask` step t
/// reads the steps 0 … t only. Masked query steps get 0; masked value steps weigh nothing or, where
/// all are masked, the same. The last two arguments are those of Keras' call.
/// Weights: scale () with use_scale, concat_score_weight () with concat, both beginning as 1.
struct Attention {
  using ScoreMode = AttentionScoreMode;
  static constexpr std::string_view type = "Attention";
  bool use_scale = false;
  ScoreMode score_mode = ScoreMode::dot;
  double dropout = 0.0;
  std::optional<Index> seed = {};
  bool return_attention_scores = false;
  bool use_causal_mask = false;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Attention;
    return fields_of(field("use_scale", &L::use_scale), field("score_mode", &L::score_mode),
                     field("dropout", &L::dropout), field("seed", &L::seed),
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
