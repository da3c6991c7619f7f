#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// Masks the steps whose channels all equal `mask_value`: what follows skips them, and they count
/// in no loss and no metric. The masked steps become 0. (time, channels) → the same shape. Keras:
/// Masking.
///   auto y = LSTM{.units = 32, .return_sequences = true}(Masking{}(x));  // padded with zeros
struct Masking {
  static constexpr std::string_view type = "Masking";
  float mask_value = 0;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Masking;
    return fields_of(field("mask_value", &L::mask_value), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
