#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// The greatest of all steps, channel by channel.
/// (time, channels) → (channels,), or (1, channels) with `keepdims`. Keras: GlobalMaxPooling1D.
///   auto y = GlobalMaxPooling1D{}(x);
/// Steps that tie share the gradient evenly. Needs the whole signal: cannot stream.
struct GlobalMaxPooling1D {
  static constexpr std::string_view type = "GlobalMaxPooling1D";
  bool keepdims = false;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = GlobalMaxPooling1D;
    return fields_of(field("keepdims", &L::keepdims), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
