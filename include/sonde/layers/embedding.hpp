#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// A learned vector for each of `input_dim` whole numbers. (time,) → (time, output_dim);
/// (time, n) → (time, n, output_dim). Keras: Embedding.
///   auto y = Embedding{.input_dim = 5, .output_dim = 8}(Input({400}, {.name = "activity"}));
/// Numbers come as floats, 0 to input_dim - 1; data of an Input that an Embedding reads is refused
/// where it holds others. A number that is out of range only while running gives NaN, and a
/// fraction is cut off, as in Keras. (time,) has no axis for a stream to run along; (time, 1) has.
/// Of all layers this one takes Input({dynamic}), sequences of numbers of any length.
/// Weights: embeddings (input_dim, output_dim).
struct Embedding {
  static constexpr std::string_view type = "Embedding";
  static constexpr bool takes_dynamic_vectors = true;
  Required<Index> input_dim;
  Required<Index> output_dim;
  Initializer embeddings_initializer = RandomUniform{};
  Regularizer embeddings_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint embeddings_constraint = {};
  bool mask_zero = false;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Embedding;
    return fields_of(field("input_dim", &L::input_dim), field("output_dim", &L::output_dim),
                     field("embeddings_initializer", &L::embeddings_initializer),
                     field("embeddings_regularizer", &L::embeddings_regularizer),
                     field("activity_regularizer", &L::activity_regularizer),
                     field("embeddings_constraint", &L::embeddings_constraint),
                     field("mask_zero", &L::mask_zero), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
