#pragma once
#include <sonde/error.hpp>

namespace sonde::formats {

/// What read() gives. Containers that hold models as well as data throw FormatError; of a file of
/// data that is a DataError, for the command line's exit code says which.
template <class F>
auto as_data(F&& read) {
  try {
    return read();
  } catch (const FormatError& error) {
    throw DataError(error.what());
  }
}

}  // namespace sonde::formats
