#include <fcntl.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>

// Preloaded into a program, it counts the calls that ask for at least 4 KiB, and lets number
// SONDE_TEST_FAIL_AT find none left. Smaller ones are left alone: JSON's destructors ask for some
// of them, and cannot say that there is none. When the program ends it writes into the file
// SONDE_TEST_COUNT_INTO how many such calls there were.
namespace {

std::atomic<long> count{0};

[[gnu::destructor]] void tell() {
  const char* path = std::getenv("SONDE_TEST_COUNT_INTO");
  const int file = path == nullptr ? -1 : ::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file >= 0) ::dprintf(file, "%ld", count.load());
}

void* given(std::size_t size, std::size_t alignment) {
  static const char* at = std::getenv("SONDE_TEST_FAIL_AT");
  static const long number = at == nullptr ? 0 : std::atol(at);
  if (size >= 4096 && ++count == number) throw std::bad_alloc();
  void* memory = alignment == 0 ? std::malloc(size == 0 ? 1 : size)
                                : std::aligned_alloc(
                                      alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return given(size, 0); }
void* operator new[](std::size_t size) { return given(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return given(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return given(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
