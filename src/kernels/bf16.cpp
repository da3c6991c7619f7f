#include "kernels/bf16.hpp"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <atomic>
#include <cstdlib>
#include <string_view>

#include "kernels/level.hpp"

namespace sonde::kernels {
namespace {

#if defined(__x86_64__) && defined(__linux__)
/// One register of cpuid leaf 7.
struct Leaf {
  unsigned a = 0, b = 0, c = 0, d = 0;
  explicit Leaf(unsigned part) { __get_cpuid_count(7, part, &a, &b, &c, &d); }
};
bool bit(unsigned value, int number) { return (value >> number & 1) != 0; }

/// Whether threads of this process may use the tiles from now on: the system keeps their 8 KiB for
/// those only that ask (ARCH_REQ_XCOMP_PERM of XTILEDATA, Linux 5.16).
bool may_use_tiles() {
  unsigned low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if (!bit(low, 17) || !bit(low, 18)) return false;
  return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}

Bf16 best_bf16() {
  // Where the vectors may be used, xgetbv may too.
  if (!__builtin_cpu_supports("avx512f") || !bit(Leaf(1).a, 5)) return Bf16::none;
  const unsigned d = Leaf(0).d;
  return bit(d, 22) && bit(d, 24) && may_use_tiles() ? Bf16::amx : Bf16::avx512;
}
#else
Bf16 best_bf16() { return Bf16::none; }
#endif

Bf16 best() {
  static const Bf16 found = best_bf16();
  return found;
}

/// Processors that multiply pairs of bfloat16 in vectors at the rate of floats or better: AMD's,
/// from Zen 4 on.
bool has_fast_vectors() {
#if defined(__x86_64__)
  return __builtin_cpu_is("amd") != 0;
#else
  return false;
#endif
}

Bf16 first_bf16() {
  const char* wish = std::getenv("SONDE_BF16");
  for (Bf16 each : {Bf16::none, Bf16::avx512, Bf16::amx}) {
    if (wish && std::string_view(wish) == bf16_name(each) && each <= best()) return each;
  }
  return best() == Bf16::avx512 && !has_fast_vectors() ? Bf16::none : best();
}

std::atomic<Bf16>& chosen() {
  static std::atomic<Bf16> bf16 = first_bf16();
  return bf16;
}

}  // namespace

Bf16 bf16_in_use() {
  return level_in_use() == Level::avx3 ? chosen().load(std::memory_order_relaxed) : Bf16::none;
}

bool set_bf16(Bf16 bf16) {
  if (bf16 > best()) return false;
  chosen().store(bf16, std::memory_order_relaxed);
  return true;
}

const char* bf16_name(Bf16 bf16) {
  switch (bf16) {
    case Bf16::amx:
      return "AMX";
    case Bf16::avx512:
      return "AVX512";
    default:
      return "none";
  }
}

}  // namespace sonde::kernels
