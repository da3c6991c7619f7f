#pragma once
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// The axes in another order. (a, b) with dims {2, 1} → (b, a). Keras: Permute.
///   auto y = Permute{.dims = {{2, 1}}}(x);  // (400, 16) → (16, 400)
/// Axes count from 1, the first after the batch. Only with time in its place, dims = {1, …}, does
/// it stream.
struct Permute {
  static constexpr std::string_view type = "Permute";
  Required<std::vector<Index>> dims;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Permute;
    return fields_of(field("dims", &L::dims), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
