#pragma once
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/mapped_file.hpp"

namespace sonde {

/// Reads from mapped files what the next batch needs, into memory of its own and by a thread of its
/// own, while the present one is computed: pages that nobody maps need neither be faulted in nor be
/// taken away again. Batches follow each other by turn(); what was asked for before it is at hand
/// until the next one. Memory: that of two batches, and no more than 128 MiB.
///
/// Threads that work on a batch say so by a Use; then read_ahead() and at_hand() mean this one.
class ReadAhead {
 public:
  class Use {
   public:
    explicit Use(ReadAhead& ahead) noexcept;
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    ReadAhead* before_;
  };

  ReadAhead() = default;
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// By one thread, while no other asks.
  void turn() noexcept;

 private:
  friend void read_ahead(const float*, const float*) noexcept;
  friend const float* at_hand(const float*, const float*) noexcept;

  struct FreeMemory {
    void operator()(void* begin) const noexcept;
  };
  using Memory = std::unique_ptr<std::byte[], FreeMemory>;
  struct Piece {
    const float *begin, *end;  // where they are mapped
    FilePlace place;           // of the block that `begin` lies in
    std::size_t skip;          // bytes of that block before `begin`
    std::size_t size;          // whole blocks
    std::byte* to;
    bool read = false;
  };
  /// What one batch asks for.
  struct Share {
    std::vector<Piece> pieces = {};  // changes under the lock, until the batch begins
    std::vector<std::pair<Memory, std::size_t>> memory = {};          // [piece], kept
    std::vector<std::pair<const float*, std::size_t>> by_place = {};  // of `pieces`, sorted
    std::size_t bytes = 0;
    std::atomic<std::size_t> done = 0;  // so many pieces, in order
  };

  /// False where there is no room.
  bool ask(const float* begin, const float* end, FilePlace place);
  const float* find(const float* begin, const float* end) noexcept;
  void read_pieces() noexcept;

  std::array<Share, 2> shares_;
  std::size_t next_ = 0;  // the share that is asked for; the other one is at hand
  std::mutex lock_;
  std::condition_variable asked_;
  bool stop_ = false;
  std::thread reader_;
};

/// Numbers [begin, end) of a mapped file are needed by the next batch. Where no batch is worked on,
/// the system may fetch them. Returns at once.
void read_ahead(const float* begin, const float* end) noexcept;
/// The numbers [begin, end): where they were read to or, where they were not, `begin`.
const float* at_hand(const float* begin, const float* end) noexcept;

}  // namespace sonde
