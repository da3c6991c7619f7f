#pragma once
#include <optional>
#include <sonde/layer.hpp>
#include <sonde/size2d.hpp>

namespace sonde {

/// The greatest number of every window of `pool_size`, channel by channel.
/// (time, width, channels) → (time', width', channels). Keras: MaxPooling2D.
///   auto y = MaxPooling2D{.pool_size = {4, 1}}(x);
/// Two numbers are for time and width, one is for both. Windows lie along each axis as those of
/// MaxPooling1D. Padding never wins.
struct MaxPooling2D {
  static constexpr std::string_view type = "MaxPooling2D";
  Size2D pool_size = 2;
  std::optional<Size2D> strides = {};
  Padding padding = Padding::valid;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = MaxPooling2D;
    return fields_of(field("pool_size", &L::pool_size), field("strides", &L::strides),
                     field("padding", &L::padding), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
