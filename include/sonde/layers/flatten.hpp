#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// All numbers of a sequence as one vector. (time, …) → (time * …,). Keras: Flatten.
///   auto y = Flatten{}(x);
/// Time ends here: cannot stream, and needs a known number of steps.
struct Flatten {
  static constexpr std::string_view type = "Flatten";
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("name", &Flatten::name), field("trainable", &Flatten::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
