#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

// Preloaded into a program, it counts the calls that change files (standard streams apart), and at
// number SONDE_TEST_FAIL_AT does what SONDE_TEST_FAIL_HOW says:
//   kill   the program dies before the call
//   torn   it dies after half of what the call should have written
//   full   the call, and every later one that writes, finds the disk full
//   error  the call fails once (EIO), whatever it is
// When the program ends it writes into the file SONDE_TEST_COUNT_INTO how many such calls there
// were.
namespace {

enum class Fate { pass, torn, fail };

long count = 0;

[[noreturn]] void die() {
  ::kill(::getpid(), SIGKILL);
  ::pause();
  std::abort();
}

Fate fate(bool writes) {
  static const char* at = std::getenv("SONDE_TEST_FAIL_AT");
  static const char* how = std::getenv("SONDE_TEST_FAIL_HOW");
  if (at == nullptr || how == nullptr) return Fate::pass;
  ++count;
  const long number = std::atol(at);
  if (std::strcmp(how, "full") == 0) {
    errno = ENOSPC;
    return writes && count >= number ? Fate::fail : Fate::pass;
  }
  if (count != number) return Fate::pass;
  if (std::strcmp(how, "error") == 0) {
    errno = EIO;
    return Fate::fail;
  }
  if (writes && std::strcmp(how, "torn") == 0) return Fate::torn;
  die();
}

[[gnu::destructor]] void tell() {
  const char* path = std::getenv("SONDE_TEST_COUNT_INTO");
  const int file = path == nullptr ? -1 : ::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file >= 0) ::dprintf(file, "%ld", count);
}

template <class F>
F next(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* data, std::size_t size) {
  static const auto real = next<ssize_t (*)(int, const void*, std::size_t)>("write");
  if (file <= STDERR_FILENO) return real(file, data, size);
  switch (fate(true)) {
    case Fate::fail:
      return -1;
    case Fate::torn:
      static_cast<void>(real(file, data, size / 2));
      die();
    case Fate::pass:
      break;
  }
  return real(file, data, size);
}

ssize_t writev(int file, const iovec* parts, int parts_count) {
  static const auto real = next<ssize_t (*)(int, const iovec*, int)>("writev");
  if (file <= STDERR_FILENO) return real(file, parts, parts_count);
  switch (fate(true)) {
    case Fate::fail:
      return -1;
    case Fate::torn:
      static_cast<void>(real(file, parts, std::min(parts_count, 1)));
      die();
    case Fate::pass:
      break;
  }
  return real(file, parts, parts_count);
}

std::size_t fwrite(const void* data, std::size_t each, std::size_t items, FILE* file) {
  static const auto real =
      next<std::size_t (*)(const void*, std::size_t, std::size_t, FILE*)>("fwrite");
  if (::fileno(file) <= STDERR_FILENO) return real(data, each, items, file);
  switch (fate(true)) {
    case Fate::fail:
      return 0;
    case Fate::torn:
      real(data, 1, each * items / 2, file);
      ::fflush(file);
      die();
    case Fate::pass:
      break;
  }
  return real(data, each, items, file);
}

int fsync(int file) {
  static const auto real = next<int (*)(int)>("fsync");
  switch (fate(true)) {
    case Fate::fail:
      return -1;
    case Fate::torn:
      die();
    case Fate::pass:
      break;
  }
  return real(file);
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = next<int (*)(const char*, const char*)>("rename");
  return fate(false) == Fate::fail ? -1 : real(from, to);
}

int remove(const char* path) noexcept {
  static const auto real = next<int (*)(const char*)>("remove");
  return fate(false) == Fate::fail ? -1 : real(path);
}

int unlink(const char* path) noexcept {
  static const auto real = next<int (*)(const char*)>("unlink");
  return fate(false) == Fate::fail ? -1 : real(path);
}

int ftruncate(int file, off_t size) noexcept {
  static const auto real = next<int (*)(int, off_t)>("ftruncate");
  return fate(false) == Fate::fail ? -1 : real(file, size);
}

}  // extern "C"
