#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// The mean of all steps and columns, channel by channel.
/// (time, width, channels) → (channels,), or (1, 1, channels) with `keepdims`. Keras:
/// GlobalAveragePooling2D.
///   auto y = GlobalAveragePooling2D{}(x);
/// Needs the whole signal: cannot stream.
struct GlobalAveragePooling2D {
  static constexpr std::string_view type = "GlobalAveragePooling2D";
  bool keepdims = false;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = GlobalAveragePooling2D;
    return fields_of(field("keepdims", &L::keepdims), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
