#pragma once
#include <initializer_list>
#include <sonde/fields.hpp>
#include <string_view>
#include <variant>
#include <vector>

/// What a weight must satisfy after each step of the optimizer. Keras: keras.constraints.
///
///   Dense{.units = 4, .kernel_constraint = MaxNorm{.max_value = 1.0}}
///
/// A norm runs over `axis`. Of a kernel (in, out), axis 0 gives each output unit a norm of its own;
/// of a convolution (taps, channels, filters) it takes Axes{0, 1} to give each filter one.
namespace sonde {

/// One axis or several; negative ones count from the end.
class Axes {
 public:
  Axes(Index axis) : axes_{axis} {}
  Axes(std::initializer_list<Index> axes) : axes_(axes) {}
  explicit Axes(std::vector<Index> axes) : axes_(std::move(axes)) {}

  auto begin() const { return axes_.begin(); }
  auto end() const { return axes_.end(); }
  bool operator==(const Axes&) const = default;

 private:
  std::vector<Index> axes_;
};

/// A single axis is a number in Keras' config, several are a list.
Value to_value(const Axes& axes);
void from_value(const Value& value, const Where& where, Axes& out);

/// Scales down what has a norm above `max_value`.
struct MaxNorm {
  static constexpr std::string_view type = "MaxNorm";
  double max_value = 2;
  Axes axis = 0;

  static constexpr auto fields() {
    return fields_of(field("max_value", &MaxNorm::max_value), field("axis", &MaxNorm::axis));
  }
  bool operator==(const MaxNorm&) const = default;
};

/// Negative weights become 0.
struct NonNeg {
  static constexpr std::string_view type = "NonNeg";
  static constexpr auto fields() { return fields_of(); }
  bool operator==(const NonNeg&) const = default;
};

/// Scales every norm to 1.
struct UnitNorm {
  static constexpr std::string_view type = "UnitNorm";
  Axes axis = 0;

  static constexpr auto fields() { return fields_of(field("axis", &UnitNorm::axis)); }
  bool operator==(const UnitNorm&) const = default;
};

/// Moves a norm outside [min_value, max_value] towards it, by the share `rate` of the way.
struct MinMaxNorm {
  static constexpr std::string_view type = "MinMaxNorm";
  double min_value = 0.0;
  double max_value = 1.0;
  double rate = 1.0;
  Axes axis = 0;

  static constexpr auto fields() {
    return fields_of(field("min_value", &MinMaxNorm::min_value),
                     field("max_value", &MinMaxNorm::max_value), field("rate", &MinMaxNorm::rate),
                     field("axis", &MinMaxNorm::axis));
  }
  bool operator==(const MinMaxNorm&) const = default;
};

/// No constraint, or one of the above.
using Constraint = std::variant<std::monostate, MaxNorm, NonNeg, UnitNorm, MinMaxNorm>;

}  // namespace sonde
