#include "base/thread_pool.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <system_error>

#include "base/denormals.hpp"
#include "base/signals_blocked.hpp"
#if defined(__linux__)
#include <sched.h>
#endif

namespace sonde {
namespace {

inline void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("isb");  // `yield` is no pause on most cores
#endif
}

/// Waits until `value` is no longer `old`. Sleeping and waking costs two system calls and some
/// 10 to 50 µs, as much as a whole step of a small network; so whoever may, spins that long first.
void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old, bool patient) noexcept {
  using namespace std::chrono;
  if (patient) {
    const auto end = steady_clock::now() + microseconds(50);
    do {
      for (int i = 0; i < 32; ++i) {
        if (value.load(std::memory_order_acquire) != old) return;
        pause();
      }
    } while (steady_clock::now() < end);
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

}  // namespace

int available_cores() {
#if defined(__linux__)
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) return std::max(1, CPU_COUNT(&mask));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void Team::barrier() noexcept {
  if (size_ == 1) return;
  const std::uint32_t phase = phase_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<std::uint32_t>(size_)) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1, std::memory_order_release);
    phase_.notify_all();
  } else {
    wait_while(phase_, phase, patient_);
  }
}

ThreadPool::ThreadPool(int threads, Cap cap) : team_(1) {
  const int cores = available_cores();
  if (threads <= 0) threads = cores;
  if (cap == Cap::cores) threads = std::min(threads, cores);
  team_.patient_ = threads <= cores;
  threads_.reserve(static_cast<std::size_t>(threads - 1));
  const SignalsBlocked blocked;
  try {
    for (int worker = 1; worker < threads; ++worker)
      threads_.emplace_back([this, worker] { work(worker); });
  } catch (const std::system_error&) {
    // No more threads to be had. The work is the same with fewer.
  } catch (const std::bad_alloc&) {
    // No memory for another one: the same.
  }
  team_.size_ = static_cast<int>(threads_.size()) + 1;
}

ThreadPool::~ThreadPool() {
  stop_ = true;
  calls_.fetch_add(1, std::memory_order_release);
  calls_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run(Job job) noexcept {
  const DenormalsAsZero denormals_as_zero;
  if (threads_.empty() || busy_.exchange(true, std::memory_order_acquire)) {
    Team alone(1);
    job.call(job.object, 0, alone);
    return;
  }
  job_ = job;
  calls_.fetch_add(1, std::memory_order_release);
  calls_.notify_all();
  job.call(job.object, 0, team_);
  team_.barrier();
  busy_.store(false, std::memory_order_release);
}

void ThreadPool::work(int worker) noexcept {
  const DenormalsAsZero denormals_as_zero;
  for (std::uint32_t seen = 0;; ++seen) {
    wait_while(calls_, seen, team_.patient_);
    if (stop_) return;
    job_.call(job_.object, worker, team_);
    team_.barrier();
  }
}

}  // namespace sonde
