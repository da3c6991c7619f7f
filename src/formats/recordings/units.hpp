#pragma once
#include <string>

#include "formats/recordings/tracks.hpp"

namespace sonde::formats {

/// Brings the values to another unit of the same kind: "uV" to "mV", "V" to "µV". A track without
/// a unit gets it. DataError, beginning with `where`, for units of other kinds.
void convert(Track& track, const std::string& unit, const std::string& where);

}  // namespace sonde::formats
