#pragma once
#include <cstddef>
#include <string_view>
#include <vector>
#include "base/file.hpp"

namespace sonde::formats {

/// Unpacks a zlib stream (RFC 1950) that holds exactly `length` bytes. Empty text when all is well,
/// else what is wrong. Allocates `length` bytes: the caller has checked that.
struct Inflated {
  std::vector<std::byte> bytes;
  std::string_view fault = {};
};
Inflated inflate(Bytes packed, std::size_t length);
/// The first `most` bytes of a stream, fewer where it ends or breaks.
std::vector<std::byte> inflate_front(Bytes packed, std::size_t most);

}  // namespace sonde::formats
