#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sonde::cli {

/// SHA-256 (FIPS 180-4) of what is added, piece by piece.
class Sha256 {
 public:
  void add(const void* data, std::size_t size);
  /// 64 hexadecimal digits; nothing can be added afterwards.
  std::string digits();

 private:
  void block(const unsigned char* bytes);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> rest_ = {};
  std::size_t held_ = 0;
  std::uint64_t length_ = 0;
};

/// The SHA-256 of a file's bytes. Throws IoError.
std::string sha256_of_file(const std::string& path);

}  // namespace sonde::cli
