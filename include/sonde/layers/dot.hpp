#pragma once
#include <sonde/layer.hpp>
#include <sonde/one_or_many.hpp>
#include <vector>

namespace sonde {

/// Products of two tensors, summed over one axis of each. (a, n), (b, n) with axes 2 → (a, b);
/// (n,), (n,) with axes 1 → (1,). Keras: Dot.
///   auto scores = Dot{.axes = 2}({queries, keys});
///   auto cosine = Dot{.axes = 1, .normalize = true}({left, right});
/// `axes` counts the batch as 0, as in Keras; two numbers are for the two tensors. The result has
/// the other axes of the first, then those of the second. `normalize` first brings the summed axis
/// to length 1. It needs all steps of both: cannot stream.
struct Dot {
  static constexpr std::string_view type = "Dot";
  Required<OneOrMany<Index>> axes;
  bool normalize = false;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("axes", &Dot::axes), field("normalize", &Dot::normalize),
                     field("name", &Dot::name), field("trainable", &Dot::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(std::vector<Tensor> inputs) const;
};

}  // namespace sonde
