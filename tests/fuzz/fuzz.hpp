#pragma once
#include <unistd.h>
#include <cstdint>
#include <filesystem>
#include <sonde/error.hpp>
#include <sonde/keras.hpp>
#include <string>
#include "base/file.hpp"

/// What the targets for libFuzzer share. Each says in fuzz_one what is done with the bytes: any
/// of our errors is a good answer, everything else that happens is a finding.
namespace sonde::fuzz {

void fuzz_one(Bytes bytes);

/// Limits that keep a single try short.
inline LoadOptions options() {
  return {.limits = {.file = 1 << 24, .weights = 1 << 22, .json = 1 << 20, .layers = 500}};
}

/// A folder in memory where there is one, for readers that open files by name.
inline const std::filesystem::path& folder() {
  static const std::filesystem::path made = [] {
    const bool has_memory = std::filesystem::is_directory("/dev/shm");
    const auto root =
        has_memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
    const auto path = root / ("sonde-fuzz-" + std::to_string(getpid()));
    std::filesystem::create_directories(path);
    return path;
  }();
  return made;
}

/// The bytes before and after the first zero byte.
inline std::pair<Bytes, Bytes> split(Bytes bytes) {
  const std::size_t at = text_of(bytes).find('\0');
  if (at == std::string_view::npos) return {bytes, {}};
  return {bytes.first(at), bytes.subspan(at + 1)};
}

}  // namespace sonde::fuzz

// Not inline: nothing here calls it, and Clang would leave it out.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    sonde::fuzz::fuzz_one(std::as_bytes(std::span(data, size)));
  } catch (const sonde::Error&) {
  }
  return 0;
}
