#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// The greatest of all steps and columns, channel by channel.
/// (time, width, channels) → (channels,), or (1, 1, channels) with `keepdims`. Keras:
/// GlobalMaxPooling2D.
///   auto y = GlobalMaxPooling2D{}(x);
/// Numbers that tie share the gradient evenly. Needs the whole signal: cannot stream.
struct GlobalMaxPooling2D {
  static constexpr std::string_view type = "GlobalMaxPooling2D";
  bool keepdims = false;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = GlobalMaxPooling2D;
    return fields_of(field("keepdims", &L::keepdims), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
