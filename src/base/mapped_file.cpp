#include "base/mapped_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <mutex>
#include <shared_mutex>

namespace sonde {
namespace {

struct Mapping {
  std::size_t size;
  bool ours;
  std::shared_ptr<const DirectFile> file;
};
std::shared_mutex mappings_lock;
std::map<std::uintptr_t, Mapping>& mappings() {
  static auto& all = *new std::map<std::uintptr_t, Mapping>;  // arrays may outlive all else
  return all;
}

/// An eighth of the files that this process may have open: the others are the program's.
std::size_t most_files() {
  rlimit limit = {};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur / 8 : 0;
}

std::uintptr_t number_of(const void* address) { return reinterpret_cast<std::uintptr_t>(address); }

}  // namespace

DirectFile::~DirectFile() { ::close(file_); }

std::size_t DirectFile::read(std::uint64_t offset, std::size_t size, void* to) const noexcept {
  ssize_t got = 0;
  do got = ::pread(file_, to, size, static_cast<off_t>(offset));
  while (got < 0 && errno == EINTR);
  return static_cast<std::size_t>(std::max<ssize_t>(got, 0));
}

void* map_file(int file, std::size_t size, bool writable) noexcept {
  void* begin = ::mmap(nullptr, size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, file, 0);
  if (begin == MAP_FAILED) return nullptr;
  try {
    static const std::size_t most = most_files();
    const std::unique_lock lock(mappings_lock);
    if (mappings().size() >= most) return begin;
    // The same file once more, also where it has no name.
    const std::string name = fmt::format("/proc/self/fd/{}", file);
    const int direct = ::open(name.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (direct < 0) return begin;
    mappings()[number_of(begin)] = {size, writable, std::make_shared<DirectFile>(direct)};
  } catch (const std::bad_alloc&) {  // then it is only mapped
  }
  return begin;
}

void unmap_file(void* begin, std::size_t size) noexcept {
  {
    const std::unique_lock lock(mappings_lock);
    mappings().erase(number_of(begin));
  }
  ::munmap(begin, size);
}

FilePlace place_in_file(const void* address, std::size_t cached) noexcept {
  const std::shared_lock lock(mappings_lock);
  auto after = mappings().upper_bound(number_of(address));
  if (after == mappings().begin()) return {};
  const auto& [begin, mapping] = *--after;
  const std::uintptr_t offset = number_of(address) - begin;
  if (offset >= mapping.size || (!mapping.ours && mapping.size <= cached)) return {};
  return {mapping.file, offset};
}

bool is_cached(const void* begin, const void* end) noexcept {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  std::array<unsigned char, 256> pages;
  const std::uintptr_t last = number_of(end);
  for (std::uintptr_t from = number_of(begin) / page * page; from < last;) {
    const std::uintptr_t size = std::min(last - from, pages.size() * page);
    if (::mincore(reinterpret_cast<void*>(from), size, pages.data()) != 0) return false;
    const auto count = static_cast<std::ptrdiff_t>((size + page - 1) / page);
    if (!std::all_of(pages.begin(), pages.begin() + count, [](unsigned char p) { return p & 1; }))
      return false;
    from += size;
  }
  return true;
}

}  // namespace sonde
