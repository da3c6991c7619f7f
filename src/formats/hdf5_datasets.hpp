#pragma once
#include <string>
#include <vector>
#include "formats/hdf5.hpp"

namespace sonde::formats {

/// The paths of everything in a file that is no group, sorted within each group. Groups may hold
/// each other, so depth and number are bounded: LimitError beyond.
std::vector<std::string> datasets_of(const Hdf5Reader& file);

}  // namespace sonde::formats
