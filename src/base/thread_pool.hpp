#pragma once
#include <atomic>
#include <cstdint>
#include <sonde/share.hpp>
#include <thread>
#include <type_traits>
#include <vector>

namespace sonde {

/// The cores this process may run on (its affinity mask); at least 1.
int available_cores();

/// The workers that run one function together, as one of them sees it.
class Team {
 public:
  int size() const { return size_; }
  /// Returns when all workers of the team have called it as often; what they wrote before is seen.
  void barrier() noexcept;
  /// That worker's part of what all do together.
  Share share(int worker) noexcept {
    return {worker, size_, [](void* team) noexcept { static_cast<Team*>(team)->barrier(); }, this};
  }

 private:
  friend class ThreadPool;
  explicit Team(int size) : size_(size) {}

  int size_;
  bool patient_ = true;  ///< spin before sleeping: only sensible with a core for each worker
  // Apart from each other: arriving must not disturb those who watch the phase.
  alignas(64) std::atomic<std::uint32_t> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> phase_{0};
};

enum class Cap { cores, none };

/// Threads that enter one function together: one wake per batch, the caller being worker 0.
///
///   ThreadPool pool;
///   pool.run([&](int worker, Team& team) noexcept { first_half(worker); team.barrier(); … });
///
/// Work is cut by team.size(), never by the pool's size: a call that comes while another one runs
/// (from another thread, or from a worker) is run by its caller alone, as a team of one. Results
/// must not depend on it. run() neither allocates nor takes a lock; workers treat denormals as
/// zero; an exception out of the function ends the process.
class ThreadPool {
 public:
  /// `threads` workers, the caller among them; 0: one for each core. Never more than the cores,
  /// except with Cap::none (for tests), and fewer when the system grants no more threads.
  explicit ThreadPool(int threads = 0, Cap cap = Cap::cores);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return team_.size(); }

  /// Calls f(worker, team) on every worker, worker = 0 … team.size() - 1; returns when all are
  /// done.
  template <class F>
  void run(F&& f) noexcept {
    using Function = std::remove_reference_t<F>;
    run({const_cast<void*>(static_cast<const void*>(&f)), [](void* object, int worker, Team& team) {
           (*static_cast<Function*>(object))(worker, team);
         }});
  }

 private:
  /// A function seen through a pointer: no allocation.
  struct Job {
    void* object = nullptr;
    void (*call)(void* object, int worker, Team& team) = nullptr;
  };

  void run(Job job) noexcept;
  void work(int worker) noexcept;

  Team team_;
  Job job_;
  alignas(64) std::atomic<std::uint32_t> calls_{0};  ///< counts runs; a change wakes the workers
  std::atomic<bool> busy_{false};
  bool stop_ = false;  ///< published through calls_
  std::vector<std::thread> threads_;
};

}  // namespace sonde
