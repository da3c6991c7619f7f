#include "tests/support/no_allocation.hpp"

#include <cstdlib>
#include <new>

namespace sonde::testing {
namespace {
thread_local Index count = 0;

void* allocate(std::size_t size, std::size_t alignment) {
  ++count;
  // aligned_alloc wants a multiple of the alignment.
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* p = std::aligned_alloc(alignment, rounded > 0 ? rounded : alignment);
  if (!p) throw std::bad_alloc();
  return p;
}

void release(void* p) {
  if (p) ++count;
  std::free(p);
}
}  // namespace

Index allocations() { return count; }

}  // namespace sonde::testing

using sonde::testing::allocate;
using sonde::testing::release;

// The nothrow and array forms of the standard library call these.
void* operator new(std::size_t size) { return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* p) noexcept { release(p); }
void operator delete(void* p, std::size_t) noexcept { release(p); }
void operator delete(void* p, std::align_val_t) noexcept { release(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { release(p); }
