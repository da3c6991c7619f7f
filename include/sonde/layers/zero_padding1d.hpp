#pragma once
#include <sonde/layer.hpp>
#include <sonde/one_or_many.hpp>

namespace sonde {

/// Puts steps of zeros before and after the signal. (time, channels) → (before + time + after,
/// channels). Keras: ZeroPadding1D.
///   auto y = ZeroPadding1D{.padding = {7, 0}}(x);  // before, after
///   y = Conv1D{.filters = 32, .kernel_size = 8}(y);
/// One number stands for both ends.
struct ZeroPadding1D {
  static constexpr std::string_view type = "ZeroPadding1D";
  OneOrMany<Index> padding = 1;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = ZeroPadding1D;
    return fields_of(field("padding", &L::padding), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
