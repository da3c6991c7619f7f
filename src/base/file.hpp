#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace sonde {

using Bytes = std::span<const std::byte>;

/// The bytes of `text`, for writing.
inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
/// `bytes` read as text.
inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads a regular file from front to back, so that large data need not lie in memory twice.
class FileReader {
 public:
  /// IoError when `path` cannot be opened or is no regular file.
  explicit FileReader(std::filesystem::path path);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  /// The length of the file in bytes when it was opened.
  std::uint64_t size() const { return size_; }
  /// Fills `into` with the bytes that follow. IoError when fewer are there.
  void read(std::span<std::byte> into);

 private:
  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

/// All bytes of a regular file. IoError when it cannot be read, LimitError above `limit` bytes.
std::vector<std::byte> read_file(const std::filesystem::path& path,
                                 std::uint64_t limit = std::numeric_limits<std::uint64_t>::max());

/// Makes `path` hold `parts`, one after the other, or leaves it as it was: writes a temporary file
/// beside it, flushes that to the disk, renames it. Missing folders are not made. A pipe or device
/// (/dev/stdout) is written straight. IoError says when the disk is full.
void write_file_atomically(const std::filesystem::path& path, std::initializer_list<Bytes> parts);
void write_file_atomically(const std::filesystem::path& path, Bytes bytes);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace sonde
