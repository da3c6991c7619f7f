#pragma once
#include <optional>
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// Several attentions beside each other, each over its own projections of query, key and value,
/// brought together by one more projection.
/// (time, a), (steps, b), (steps, c) → (time, a), or (time, output_shape). Keras:
/// MultiHeadAttention.
///   auto y = MultiHeadAttention{.num_heads = 4, .key_dim = 8}(x, x);  // over itself
///   auto z = MultiHeadAttention{.num_heads = 4, .key_dim = 8}(query, value, key);
/// Steps that are masked in value or key have no weight; the output has the mask of the query.
/// Every query step may read every value step, so it cannot stream. With `use_causal_mask` step t
/// reads the steps 0 … t only, with `sliding_window` those nearer than that. `value_dim` left out
/// is key_dim. `use_gate` multiplies what a head picks by a sigmoid of the query. The last two
/// arguments are those of Keras' call. `activity_regularizer` is a penalty on what each of the
/// projections gives, the last one too.
/// Weights: query/kernel (a, num_heads, key_dim), query/bias (num_heads, key_dim), the same of key
/// and, with value_dim, of gate and value; attention_output/kernel (num_heads, value_dim, output),
/// attention_output/bias (output,).
struct MultiHeadAttention {
  static constexpr std::string_view type = "MultiHeadAttention";
  static constexpr bool regularizes_parts = true;
  Required<Index> num_heads;
  Required<Index> key_dim;
  std::optional<Index> value_dim = {};
  double dropout = 0.0;
  bool use_bias = true;
  std::optional<Index> output_shape = {};
  std::optional<Index> sliding_window = {};
  Initializer kernel_initializer = GlorotUniform{};
  Initializer bias_initializer = Zeros{};
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  bool use_gate = false;
  std::optional<Index> seed = {};
  bool return_attention_scores = false;
  bool use_causal_mask = false;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = MultiHeadAttention;
    return fields_of(field("num_heads", &L::num_heads), field("key_dim", &L::key_dim),
                     field("value_dim", &L::value_dim), field("dropout", &L::dropout),
                     field("use_bias", &L::use_bias), field("output_shape", &L::output_shape),
                     field("sliding_window", &L::sliding_window),
                     field("kernel_initializer", &L::kernel_initializer),
                     field("bias_initializer", &L::bias_initializer),
                     field("kernel_regularizer", &L::kernel_regularizer),
                     field("bias_regularizer", &L::bias_regularizer),
                     field("activity_regularizer", &L::activity_regularizer),
                     field("kernel_constraint", &L::kernel_constraint),
                     field("bias_constraint", &L::bias_constraint), field("use_gate", &L::use_gate),
                     field("seed", &L::seed),
                     field("return_attention_scores", &L::return_attention_scores),
                     field("use_causal_mask", &L::use_causal_mask), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor query, Tensor value) const;
  Tensor operator()(Tensor query, Tensor value, Tensor key) const;
  /// {y}, or with `return_attention_scores` {y, scores}: also the weights, (num_heads, time,
  /// steps). `inputs` are query, value and, if it is another, key.
  std::vector<Tensor> outputs(std::vector<Tensor> inputs) const;
};

}  // namespace sonde
