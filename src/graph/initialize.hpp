#pragma once
#include <cstdint>
#include <sonde/initializers.hpp>
#include <span>
#include <string_view>

namespace sonde {

struct Fans {
  double in = 1;
  double out = 1;
};

/// The fans of a weight; the axes given in the initializer win over the usual rule.
/// Throws ArgumentError (starting with `where`) for axes the shape does not have.
Fans fans(const Shape& shape, const FanAxes& input_axes, const FanAxes& output_axes,
          std::string_view where);

/// Writes the first values of a weight of `shape` into `out`, row-major. They depend on `seed`,
/// `weight_name` and the initializer alone. Throws ArgumentError for an initializer that cannot
/// fill such a shape.
void initialize(const Initializer& initializer, const Shape& shape, std::uint64_t seed,
                std::string_view weight_name, std::span<float> out);

}  // namespace sonde
