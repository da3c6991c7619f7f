#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// What comes in, as it is; the loss gets l1 * sum of |x| + l2 * sum of x² over the batch, divided
/// by its samples. (…) → (…). Keras: ActivityRegularization.
///   auto h = ActivityRegularization{.l1 = 1e-4}(h);
/// Counts in the loss of training and of evaluate, padded steps included, as in Keras. The argument
/// `activity_regularizer` of other layers is the same without a layer. Factors are finite and not
/// negative.
struct ActivityRegularization {
  static constexpr std::string_view type = "ActivityRegularization";
  double l1 = 0.0;
  double l2 = 0.0;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = ActivityRegularization;
    return fields_of(field("l1", &L::l1), field("l2", &L::l2), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
