#include "data/finite.hpp"

#include <fmt/format.h>

#include <cmath>
#include <sonde/error.hpp>
#include <string>

namespace sonde {
namespace {

/// "sample 3, step 17, channel 2" for a place in an array of rank 3; an index list otherwise.
std::string place_name(const Shape& shape, Index at) {
  std::string text;
  const char* names[] = {"sample", "step", "channel"};
  Index rest = at, size = shape.elements();
  for (Index axis = 0; axis < shape.rank(); ++axis) {
    size /= shape[axis];
    if (axis > 0) text += ", ";
    text += shape.rank() == 3 ? fmt::format("{} {}", names[axis], rest / size)
                              : fmt::format("{}", rest / size);
    rest %= size;
  }
  return shape.rank() == 3 ? text : "index (" + text + ")";
}

}  // namespace

void check_finite(const Array& array, std::string_view what) {
  Index count = 0, first = -1;
  const float* values = array.data();
  for (Index i = 0; i < array.size(); ++i)
    if (!std::isfinite(values[i])) {
      if (count++ == 0) first = i;
    }
  if (count > 0)
    throw DataError(fmt::format(
        "{} {}: {} of {} numbers are NaN or infinite, the first at {}. Replace them, or leave "
        "those samples out.",
        what, to_string(array.shape()), count, array.size(), place_name(array.shape(), first)));
}

}  // namespace sonde
