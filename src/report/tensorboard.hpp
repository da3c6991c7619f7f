#pragma once
#include <cstdint>
#include <span>

namespace sonde::report {

/// CRC-32C (Castagnoli), as in RFC 3720.
std::uint32_t crc32c(std::span<const std::byte> bytes);
/// As TFRecord files store it: rotated by 15 bits, plus a constant.
std::uint32_t masked_crc32c(std::span<const std::byte> bytes);

}  // namespace sonde::report
