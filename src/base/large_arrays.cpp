#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <sonde/array.hpp>
#include <sonde/error.hpp>
#include <sonde/large_arrays.hpp>

#include "base/fetch.hpp"
#include "base/mapped_file.hpp"

namespace sonde {
namespace {

constexpr std::size_t least_file = std::size_t{1} << 18;  // smaller arrays are not worth one
constexpr std::size_t must_file = std::size_t{1} << 26;   // smaller ones stay where there is none

std::atomic<std::size_t> limit{0}, in_memory{0}, on_disk{0};
std::mutex folder_lock;
std::filesystem::path chosen_folder;

/// Files in some file systems are memory.
bool is_memory(int file) {
  constexpr auto tmpfs = 0x01021994UL, ramfs = 0x858458f6UL;
  struct statfs about = {};
  if (::fstatfs(file, &about) != 0) return false;
  const auto type = static_cast<unsigned long>(about.f_type) & 0xffffffffUL;
  return type == tmpfs || type == ramfs;
}

/// A file without a name; -1 and errno where there can be none.
int open_file(const std::filesystem::path& folder) {
  int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {  // a file system without such files
    std::string name = (folder / "sonde-XXXXXX").string();
    file = ::mkostemp(name.data(), O_CLOEXEC);
    if (file >= 0) ::unlink(name.c_str());
  }
  return file;
}

/// A file of so many bytes that the disk has set aside.
int make_file(std::size_t bytes) {
  std::filesystem::path folder;
  {
    const std::lock_guard<std::mutex> lock(folder_lock);
    folder = chosen_folder;
  }
  const bool chosen = !folder.empty();
  const char* wish = std::getenv("TMPDIR");
  if (!chosen) folder = wish != nullptr && *wish != '\0' ? wish : "/var/tmp";
  int file = open_file(folder);
  if (!chosen && file >= 0 && is_memory(file)) {
    ::close(file);
    file = open_file(folder = "/var/tmp");
  }
  const auto fail = [&](const char* what, int error) {
    throw IoError(
        fmt::format("\"{}\": {} for an array of {} bytes, which is more than memory may hold: {}. "
                    "Set TMPDIR to "
                    "a folder on a disk with more room, or allow more memory.",
                    folder.string(), what, bytes, std::strerror(error)));
  };
  if (file < 0) fail("no file can be made", errno);
  // Now, not when a page is written: then a full disk would end the process.
  int error = 0;
  do error = ::posix_fallocate(file, 0, static_cast<off_t>(bytes));
  while (error == EINTR);
  if (error != 0) {
    ::close(file);
    fail("there is no room", error);
  }
  return file;
}

detail::Numbers on_a_disk(std::size_t bytes) {
  const int file = make_file(bytes);
  void* begin = map_file(file, bytes, true);
  const int error = errno;
  ::close(file);
  if (begin == nullptr)
    throw IoError(
        fmt::format("{} bytes of a file cannot be mapped: {}.", bytes, std::strerror(error)));
  on_disk += bytes;
  return {begin, {.mapped = bytes}};
}

/// Counts an array of so many bytes, if memory may hold it.
bool fits(std::size_t bytes) {
  std::size_t before = in_memory;
  do
    if (limit > 0 && before + bytes > limit) return false;
  while (!in_memory.compare_exchange_weak(before, before + bytes));
  return true;
}

}  // namespace

void keep_large_arrays_on_disk(LargeArrays large) {
  const std::lock_guard<std::mutex> lock(folder_lock);
  chosen_folder = std::move(large.folder);
  limit = static_cast<std::size_t>(std::max<Index>(large.memory, 0));
}

Index bytes_on_disk() { return static_cast<Index>(on_disk.load()); }

namespace detail {

Numbers room_for_data(std::size_t bytes) {
  if (bytes < least_file) return {zeroed(bytes), {}};
  if (!fits(bytes)) {
    try {
      return on_a_disk(bytes);
    } catch (const IoError&) {
      if (bytes >= must_file) throw;
      in_memory += bytes;  // weights, for one, in the middle of training
    }
  }
  try {
    return {zeroed(bytes), {.counted = bytes}};
  } catch (...) {
    in_memory -= bytes;
    throw;
  }
}

void* zeroed(std::size_t bytes) {
  void* begin = ::operator new (bytes, std::align_val_t{alignment});
  return std::memset(begin, 0, bytes);
}

void FreeNumbers::operator()(void* begin) const noexcept {
  in_memory -= counted;
  on_disk -= mapped;
  if (mapped > 0) unmap_file(begin, mapped);
  else ::operator delete (begin, std::align_val_t{alignment});
}

}  // namespace detail

void fetch(const void* begin, const void* end) noexcept {
  // The system takes no more than this of one request.
  constexpr std::uintptr_t piece = 128 * 1024;
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto last = reinterpret_cast<std::uintptr_t>(end);
  for (std::uintptr_t from = reinterpret_cast<std::uintptr_t>(begin) / page * page; from < last;
       from += piece)
    ::madvise(reinterpret_cast<void*>(from), std::min(piece, last - from), MADV_WILLNEED);
}

}  // namespace sonde
