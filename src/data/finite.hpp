#pragma once
#include <sonde/array.hpp>
#include <string_view>

namespace sonde {

/// Throws DataError when `array` holds NaN or infinity: how many, and where the first one is.
void check_finite(const Array& array, std::string_view what);

}  // namespace sonde
