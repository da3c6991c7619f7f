#pragma once
#include <sonde/fields.hpp>
#include <string_view>
#include <variant>

/// Penalties on weights, added to the loss, with Keras' names and defaults. Keras:
/// keras.regularizers.
///
///   Dense{.units = 4, .kernel_regularizer = L2{1e-4}}
///
/// A weight's penalty counts once per step of the optimizer, whatever the batch and its weights.
/// Factors are finite and not negative; others are refused before training.
namespace sonde {

/// l1 * sum of |w|.
struct L1 {
  static constexpr std::string_view type = "L1";
  double l1 = 0.01;

  static constexpr auto fields() { return fields_of(field("l1", &L1::l1)); }
  bool operator==(const L1&) const = default;
};

/// l2 * sum of w².
struct L2 {
  static constexpr std::string_view type = "L2";
  double l2 = 0.01;

  static constexpr auto fields() { return fields_of(field("l2", &L2::l2)); }
  bool operator==(const L2&) const = default;
};

/// l1 * sum of |w| + l2 * sum of w². Both factors default to nothing, unlike those of L1 and L2.
struct L1L2 {
  static constexpr std::string_view type = "L1L2";
  double l1 = 0.0;
  double l2 = 0.0;

  static constexpr auto fields() {
    return fields_of(field("l1", &L1L2::l1), field("l2", &L1L2::l2));
  }
  bool operator==(const L1L2&) const = default;
};

/// No penalty, or one of the above.
using Regularizer = std::variant<std::monostate, L1, L2, L1L2>;

}  // namespace sonde
