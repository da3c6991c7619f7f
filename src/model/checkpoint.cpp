#include "model/checkpoint.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sonde/error.hpp>

#include "base/file.hpp"

namespace sonde {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic = "SONDECP1";
constexpr std::size_t header_size = magic.size() + 2 * sizeof(std::uint64_t);

/// CRC-64 with ECMA-182's polynomial, lowest bit first.
std::uint64_t checksum(Bytes bytes) {
  static const std::array<std::uint64_t, 256> table = [] {
    std::array<std::uint64_t, 256> rows{};
    for (std::uint64_t i = 0; i < rows.size(); ++i) {
      rows[i] = i;
      for (int bit = 0; bit < 8; ++bit)
        rows[i] = (rows[i] >> 1) ^ ((rows[i] & 1) ? 0xC96C5795D7870F42ull : 0);
    }
    return rows;
  }();
  std::uint64_t sum = ~0ull;
  for (const std::byte each : bytes)
    sum = table[(sum ^ std::to_integer<std::uint64_t>(each)) & 0xFF] ^ (sum >> 8);
  return ~sum;
}

fs::path generation_before(fs::path path) { return path += ".before"; }
fs::path generation_after(fs::path path) { return path += ".next"; }

/// What a file holds, or nothing where it is not whole.
std::optional<std::vector<std::byte>> whole(const fs::path& path) {
  std::vector<std::byte> file = read_file(path, std::uint64_t{1} << 36);
  if (file.size() < header_size || text_of(file).substr(0, magic.size()) != magic)
    return std::nullopt;
  std::uint64_t numbers[2];
  std::memcpy(numbers, file.data() + magic.size(), sizeof numbers);
  file.erase(file.begin(), file.begin() + header_size);
  if (numbers[0] != file.size() || numbers[1] != checksum(file)) return std::nullopt;
  return file;
}

}  // namespace

void write_checkpoint(const fs::path& path, const std::vector<std::byte>& state) {
  const std::uint64_t numbers[2] = {state.size(), checksum(state)};
  const fs::path next = generation_after(path);
  write_file_atomically(next, {bytes_of(magic), std::as_bytes(std::span(numbers)), state});
  std::error_code error;
  if (fs::exists(path, error)) fs::rename(path, generation_before(path), error);
  if (!error) fs::rename(next, path, error);
  if (error)
    throw IoError(fmt::format("\"{}\" cannot be written: {}.", path.string(), error.message()));
}

void remove_checkpoint(const fs::path& path) {
  std::error_code ignored;
  for (const fs::path& each : {generation_after(path), path, generation_before(path)})
    fs::remove(each, ignored);
}

std::optional<std::vector<std::byte>> read_checkpoint(const fs::path& path) {
  // Newest first: a run that ends between two renames leaves the newest as ".next".
  bool found = false;
  for (const fs::path& each : {generation_after(path), path, generation_before(path)}) {
    std::error_code error;
    if (!fs::exists(each, error)) continue;
    found = true;
    if (auto state = whole(each)) return state;
  }
  if (!found) return std::nullopt;
  throw FormatError(fmt::format(
      "\"{}\": neither it nor the generation before it is a whole checkpoint. Start the "
      "run anew.",
      path.string()));
}

}  // namespace sonde
