#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace sonde {

/// A file without the system's cache: what is read from it takes no page of memory but those it is
/// read into.
class DirectFile {
 public:
  /// Offsets, sizes and memory of reads are multiples of this.
  static constexpr std::size_t block = 4096;

  explicit DirectFile(int file) : file_(file) {}
  ~DirectFile();
  DirectFile(const DirectFile&) = delete;
  DirectFile& operator=(const DirectFile&) = delete;

  /// At most `size` bytes from `offset` on: how many there were. Fewer at the end, 0 after errors.
  std::size_t read(std::uint64_t offset, std::size_t size, void* to) const noexcept;

 private:
  int file_;
};

/// Maps the first `size` bytes of an open file, which may be closed afterwards. Null and errno
/// where it cannot be.
void* map_file(int file, std::size_t size, bool writable) noexcept;
void unmap_file(void* begin, std::size_t size) noexcept;

/// Where an address lies; no file where it is not in one that map_file() mapped and could open
/// directly as well: not all file systems can, and a process may have only so many open files.
struct FilePlace {
  std::shared_ptr<const DirectFile> file = {};
  std::uint64_t offset = 0;
};
/// No file either where a file that was not made for us, and so may fit into memory, has at most
/// `cached` bytes: the system's cache serves it better.
FilePlace place_in_file(const void* address, std::size_t cached = 0) noexcept;

/// Whether the system's cache holds all of what is mapped at [begin, end). True, too, of files that
/// belong to somebody else: the system does not say.
bool is_cached(const void* begin, const void* end) noexcept;

}  // namespace sonde
