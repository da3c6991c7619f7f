#include "kernels/level.hpp"

#include <atomic>
#include <cstdlib>
#include <string_view>

#include "kernels/kernels.hpp"

namespace sonde::kernels {
namespace {

/// The best level of this processor. The lists are what the compiler may emit for each level.
Level best_level() {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool avx3 = avx2 && __builtin_cpu_supports("avx512f") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return avx3 ? Level::avx3 : avx2 ? Level::avx2 : Level::reference;
#elif defined(__aarch64__)
  return Level::neon;
#else
  return Level::reference;
#endif
}

bool is_available(Level level) {
  const Level best = best_level();
  return level == Level::reference || level == best ||
         (level == Level::avx2 && best == Level::avx3);
}

Level first_level() {
  const Level best = best_level();
  const char* wish = std::getenv("SONDE_KERNELS");
  for (Level level : {Level::reference, Level::neon, Level::avx2, Level::avx3}) {
    if (wish && std::string_view(wish) == level_name(level) && is_available(level)) return level;
  }
  return best;
}

std::atomic<Level>& chosen() {
  static std::atomic<Level> level = first_level();
  return level;
}

}  // namespace

Level level_in_use() { return chosen().load(std::memory_order_relaxed); }

bool set_level(Level level) {
  if (!is_available(level)) return false;
  chosen().store(level, std::memory_order_relaxed);
  return true;
}

const char* level_name(Level level) {
  switch (level) {
    case Level::avx3:
      return "AVX3";
    case Level::avx2:
      return "AVX2";
    case Level::neon:
      return "NEON";
    default:
      return "reference";
  }
}

const char* level() { return level_name(level_in_use()); }

}  // namespace sonde::kernels
