#pragma once
#include <optional>
#include <sonde/layer.hpp>

namespace sonde {

/// The greatest of every `pool_size` steps, channel by channel.
/// (time, channels) → (time', channels). Keras: MaxPooling1D.
///   auto y = MaxPooling1D{.pool_size = 4}(x);
/// Windows begin `strides` steps apart; left out, `strides` is pool_size. time' is
/// (time - pool_size) / strides + 1 with `valid` (steps that fill no window are dropped) and
/// time / strides, rounded up, with `same`. Padding never wins. `causal` is refused, as in Keras.
struct MaxPooling1D {
  static constexpr std::string_view type = "MaxPooling1D";
  Index pool_size = 2;
  std::optional<Index> strides = {};
  Padding padding = Padding::valid;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = MaxPooling1D;
    return fields_of(field("pool_size", &L::pool_size), field("strides", &L::strides),
                     field("padding", &L::padding), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
