#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// Makes a sequence of `n` steps out of one vector. (features,) → (n, features). Keras:
/// RepeatVector.
///   auto y = RepeatVector{.n = 400}(state);
/// Cannot stream: its input has no time.
struct RepeatVector {
  static constexpr std::string_view type = "RepeatVector";
  Required<Index> n;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = RepeatVector;
    return fields_of(field("n", &L::n), field("name", &L::name), field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
