#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// The mean of all steps, channel by channel.
/// (time, channels) → (channels,), or (1, channels) with `keepdims`. Keras: GlobalAveragePooling1D.
///   auto y = GlobalAveragePooling1D{}(x);
/// Needs the whole signal: cannot stream.
struct GlobalAveragePooling1D {
  static constexpr std::string_view type = "GlobalAveragePooling1D";
  bool keepdims = false;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = GlobalAveragePooling1D;
    return fields_of(field("keepdims", &L::keepdims), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
