#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <sonde/error.hpp>
#include <utility>
#include "base/file.hpp"

namespace sonde {
namespace {

namespace fs = std::filesystem;

/// One system call moves at most this much: Linux stops at 2^31 - 4096, and a signal comes sooner.
constexpr std::size_t largest_move = std::size_t{1} << 30;

/// Closes itself; a file descriptor of this process.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0)
      : number_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  /// A network disk may report a failed write only here.
  bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

[[noreturn]] void refuse(const fs::path& path, std::string_view deed, int error) {
  const std::string where = fmt::format("\"{}\"", path.string());
  if (error == ENOSPC || error == EDQUOT)
    throw IoError(fmt::format(
        "{}: the disk is full. Nothing was changed; free some space or choose another folder.",
        where));
  if (error == ENOENT && deed == "written")
    throw IoError(fmt::format("{}: the folder does not exist. Make it first.", where));
  throw IoError(fmt::format("{} cannot be {}: {}.", where, deed, std::strerror(error)));
}

void write_all(int descriptor, std::initializer_list<Bytes> parts, const fs::path& path) {
  for (Bytes rest : parts)
    while (!rest.empty()) {
      const auto n = ::write(descriptor, rest.data(), std::min(rest.size(), largest_move));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) refuse(path, "written", errno);
      rest = rest.subspan(static_cast<std::size_t>(n));
    }
}

/// The new name must survive a power cut too. Some file systems cannot flush a folder; the file
/// itself is safe by then, so that is no failure.
void flush_folder(const fs::path& folder) {
  const Descriptor descriptor(folder, O_RDONLY | O_DIRECTORY);
  if (descriptor.is_open()) ::fsync(descriptor.number());
}

/// The file that a chain of symbolic links ends in, so that a rename does not replace the link.
fs::path behind_links(const fs::path& path) {
  std::error_code failed;
  if (!fs::is_symlink(path, failed)) return path;
  const fs::path target = fs::weakly_canonical(path, failed);
  return failed ? path : target;
}

}  // namespace

FileReader::FileReader(fs::path path)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
  if (descriptor_ < 0) refuse(path_, "opened", errno);
  struct stat status {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (known && S_ISREG(status.st_mode)) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    return;
  }
  ::close(descriptor_);
  throw IoError(fmt::format("\"{}\" is a {}, expected a file.", path_.string(),
                            S_ISDIR(status.st_mode) ? "folder" : "pipe or device"));
}

FileReader::~FileReader() { ::close(descriptor_); }

void FileReader::read(std::span<std::byte> into) {
  while (!into.empty()) {
    const auto n = ::read(descriptor_, into.data(), std::min(into.size(), largest_move));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse(path_, "read", errno);
    if (n == 0)
      throw IoError(fmt::format("\"{}\" became shorter while it was read.", path_.string()));
    into = into.subspan(static_cast<std::size_t>(n));
  }
}

std::vector<std::byte> read_file(const fs::path& path, std::uint64_t limit) {
  FileReader file(path);
  if (file.size() > limit)
    throw LimitError(fmt::format("\"{}\" holds {} bytes, more than the limit of {}.", path.string(),
                                 file.size(), limit));
  std::vector<std::byte> bytes(file.size());
  file.read(bytes);
  return bytes;
}

void write_file_atomically(const fs::path& given, std::initializer_list<Bytes> parts) {
  const fs::path path = behind_links(given);
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    throw IoError(fmt::format("\"{}\" is a folder, expected a file name.", given.string()));
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) {
    Descriptor stream(path, O_WRONLY);
    if (!stream.is_open()) refuse(given, "written", errno);
    return write_all(stream.number(), parts, given);
  }

  static std::atomic<unsigned> count{0};
  fs::path temporary = path;
  temporary += fmt::format(".{}-{}.tmp", ::getpid(), count++);
  Descriptor file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!file.is_open()) refuse(given, "written", errno);
  try {
    // A file that is replaced keeps its permissions.
    struct stat old {};
    if (::stat(path.c_str(), &old) == 0)
      static_cast<void>(::fchmod(file.number(), old.st_mode & 07777));
    write_all(file.number(), parts, given);
    if (::fsync(file.number()) != 0) refuse(given, "written", errno);
    if (!file.close()) refuse(given, "written", errno);
    if (::rename(temporary.c_str(), path.c_str()) != 0) refuse(given, "written", errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  flush_folder(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

void write_file_atomically(const fs::path& path, Bytes bytes) {
  write_file_atomically(path, {bytes});
}

void write_file_atomically(const fs::path& path, std::string_view text) {
  write_file_atomically(path, {bytes_of(text)});
}

}  // namespace sonde
