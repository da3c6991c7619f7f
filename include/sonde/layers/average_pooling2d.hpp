#pragma once
#include <optional>
#include <sonde/layer.hpp>
#include <sonde/size2d.hpp>

namespace sonde {

/// The mean of every window of `pool_size`, channel by channel.
/// (time, width, channels) → (time', width', channels). Keras: AveragePooling2D.
///   auto y = AveragePooling2D{.pool_size = {4, 1}}(x);
/// Windows are those of MaxPooling2D. Padding does not count: at the ends `same` divides by the
/// numbers that a window really holds.
struct AveragePooling2D {
  static constexpr std::string_view type = "AveragePooling2D";
  Required<Size2D> pool_size;
  std::optional<Size2D> strides = {};
  Padding padding = Padding::valid;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = AveragePooling2D;
    return fields_of(field("pool_size", &L::pool_size), field("strides", &L::strides),
                     field("padding", &L::padding), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
