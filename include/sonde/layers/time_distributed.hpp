#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// Applies a layer to every time step by itself. (time, …) → (time, what the layer makes of one
/// step). Keras: TimeDistributed.
///   auto y = TimeDistributed{.layer = LSTM{.units = 8}}(x);  // (400, 16, 4) → (400, 8)
/// All steps run at once, as rows of a larger batch. The layer's weights are shared by all steps;
/// its dropout draws anew for each.
struct TimeDistributed {
  static constexpr std::string_view type = "TimeDistributed";
  Required<AnyLayer> layer;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = TimeDistributed;
    return fields_of(field("layer", &L::layer), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  std::vector<Tensor> expand(Expansion& expansion) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
