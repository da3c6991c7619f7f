#pragma once
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// The same numbers under another shape, in row-major order. (…) → target_shape. Keras: Reshape.
///   auto y = Reshape{.target_shape = {{-1, 4}}}(x);  // (400, 16) → (1600, 4)
/// One size may be -1: whatever is left. The batch is not part of it. A reshape that leaves time
/// alone, {-1, …} with as many numbers per step as before, also streams.
struct Reshape {
  static constexpr std::string_view type = "Reshape";
  Required<std::vector<Index>> target_shape;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Reshape;
    return fields_of(field("target_shape", &L::target_shape), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
