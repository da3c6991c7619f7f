#pragma once
#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sonde {

/// While one lives, this thread takes and gives denormal numbers as zeros and rounds to nearest,
/// whatever the caller had set; then the caller's setting returns. Denormals cost up to a hundred
/// times a normal number, and states that fade towards zero are full of them.
class DenormalsAsZero {
 public:
#if defined(__x86_64__)
  // MXCSR: all exceptions masked, flush to zero, denormals are zero.
  DenormalsAsZero() : before_(_mm_getcsr()) { _mm_setcsr(0x1F80 | 0x8000 | 0x0040); }
  ~DenormalsAsZero() { _mm_setcsr(before_); }
#elif defined(__aarch64__)
  // FPCR: only FZ, which covers both directions.
  DenormalsAsZero() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    set(std::uint64_t{1} << 24);
  }
  ~DenormalsAsZero() { set(before_); }
#else
  DenormalsAsZero() {}
#endif
  DenormalsAsZero(const DenormalsAsZero&) = delete;
  DenormalsAsZero& operator=(const DenormalsAsZero&) = delete;

 private:
#if defined(__x86_64__)
  unsigned before_;
#elif defined(__aarch64__)
  static void set(std::uint64_t fpcr) { asm volatile("msr fpcr, %0" ::"r"(fpcr)); }
  std::uint64_t before_;
#endif
};

}  // namespace sonde
