#pragma once
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// Puts several tensors side by side along one axis; their other sizes agree.
/// (time, a), (time, b) → (time, a + b). Keras: Concatenate.
///   auto y = Concatenate{}({left, right});
/// `axis` counts the batch as 0, as in Keras: 1 is time, -1 is the last axis. Over time it cannot
/// stream.
struct Concatenate {
  static constexpr std::string_view type = "Concatenate";
  Index axis = -1;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Concatenate;
    return fields_of(field("axis", &L::axis), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(std::vector<Tensor> inputs) const;
};

}  // namespace sonde
