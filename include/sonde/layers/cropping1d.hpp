#pragma once
#include <sonde/layer.hpp>
#include <sonde/one_or_many.hpp>

namespace sonde {

/// Takes steps off the beginning and the end of the signal. (time, channels) → (time - before -
/// after, channels). Keras: Cropping1D.
///   auto y = Cropping1D{.cropping = {7, 0}}(x);  // before, after
/// One number stands for both ends. In a stream, which may end any time, the last `after` steps
/// wait until later ones have come.
struct Cropping1D {
  static constexpr std::string_view type = "Cropping1D";
  OneOrMany<Index> cropping = {1, 1};
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Cropping1D;
    return fields_of(field("cropping", &L::cropping), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
