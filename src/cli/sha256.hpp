#pragma once
#include <string>

namespace sonde::cli {

/// The SHA-256 of a file's bytes (FIPS 180-4), 64 hexadecimal digits. Throws IoError.
std::string sha256_of_file(const std::string& path);

}  // namespace sonde::cli
