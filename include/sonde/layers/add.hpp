#pragma once
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// The sum of two or more tensors, number by number. (…), (…) → (…). Keras: Add.
///   auto y = Add{}({x, Conv1D{.filters = 32, .kernel_size = 8, .padding = Padding::same}(x)});
/// Axes of size 1, and those that are missing behind the batch, are repeated: (time, a) with (a,).
struct Add {
  static constexpr std::string_view type = "Add";
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("name", &Add::name), field("trainable", &Add::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(std::vector<Tensor> inputs) const;
};

}  // namespace sonde
