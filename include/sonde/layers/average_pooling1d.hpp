#pragma once
#include <optional>
#include <sonde/layer.hpp>

namespace sonde {

/// The mean of every `pool_size` steps, channel by channel.
/// (time, channels) → (time', channels). Keras: AveragePooling1D.
///   auto y = AveragePooling1D{.pool_size = 4}(x);
/// Windows and time' are those of MaxPooling1D. Padding does not count: at the ends `same` divides
/// by the steps that a window really holds.
struct AveragePooling1D {
  static constexpr std::string_view type = "AveragePooling1D";
  Index pool_size = 2;
  std::optional<Index> strides = {};
  Padding padding = Padding::valid;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = AveragePooling1D;
    return fields_of(field("pool_size", &L::pool_size), field("strides", &L::strides),
                     field("padding", &L::padding), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
