#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sonde/error.hpp>
#include <sonde/mapped_array.hpp>

#include "base/mapped_file.hpp"
#include "base/read_ahead.hpp"

namespace sonde {

MappedArray::MappedArray(const std::filesystem::path& path, std::uint64_t offset, Shape shape)
    : shape_(std::move(shape)) {
  const auto fail = [&](const char* what) {
    throw IoError(fmt::format("\"{}\": {}: {}.", path.string(), what, std::strerror(errno)));
  };
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail("cannot be opened");
  struct Close {
    int file;
    ~Close() { ::close(file); }
  } const close{file};
  struct stat about = {};
  if (::fstat(file, &about) != 0) fail("cannot be looked at");
  const auto length = static_cast<std::uint64_t>(about.st_size);
  std::uint64_t needed = sizeof(float);
  bool too_many = offset % sizeof(float) != 0 || offset > length;
  for (const Index size : shape_)
    too_many |= __builtin_mul_overflow(needed, static_cast<std::uint64_t>(size), &needed);
  if (too_many || needed > length - offset)
    throw DataError(fmt::format("\"{}\": {} bytes from {} on are no array {} of float32.",
                                path.string(), length, offset, to_string(shape_)));
  if (needed == 0) return;
  const auto bytes = static_cast<std::size_t>(length);
  void* begin = map_file(file, bytes, false);
  if (begin == nullptr) fail("cannot be mapped");
  mapping_ = std::shared_ptr<const void>(
      begin, [bytes](const void* p) { unmap_file(const_cast<void*>(p), bytes); });
  // Samples are read in any order: reading ahead of each would fetch what nobody asked for.
  ::madvise(begin, bytes, MADV_RANDOM);
  data_ = reinterpret_cast<const float*>(static_cast<const char*>(begin) + offset);
}

void MappedArray::will_need(Index begin, Index end) const noexcept {
  if (data_ != nullptr) read_ahead(data_ + begin, data_ + end);
}

}  // namespace sonde
