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
#include "base/read_ahead.hpp"

namespace sonde {

/// Reads from mapped files what the next batch needs, into memory of its own and by a thread of its
/// own, while the present one is computed: pages that nobody maps need neither be faulted in nor be
/// taken away again. Memory: that of two batches, and no more than 128 MiB.
class FileReadAhead final : public ReadAhead {
 public:
  /// Files of others of at most `cached` bytes are left to the system's cache.
  explicit FileReadAhead(std::size_t cached = half_of_memory());
  ~FileReadAhead();
  FileReadAhead(const FileReadAhead&) = delete;
  FileReadAhead& operator=(const FileReadAhead&) = delete;

  void turn() noexcept override;

 private:
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
  struct Wanted {
    std::vector<Piece> pieces = {};  // changes under the lock, until the batch begins
    std::vector<std::pair<Memory, std::size_t>> memory = {};          // [piece], kept
    std::vector<std::pair<const float*, std::size_t>> by_place = {};  // of `pieces`, sorted
    std::size_t bytes = 0;                                            // of that memory
    std::atomic<std::size_t> done = 0;                                // so many pieces, in order
  };

  bool ask(const float* begin, const float* end) noexcept override;
  const float* find(const float* begin, const float* end) noexcept override;
  /// False where there is no room.
  bool add(const float* begin, const float* end, FilePlace place);
  void read_pieces() noexcept;
  static std::size_t half_of_memory() noexcept;

  const std::size_t cached_;
  std::array<Wanted, 2> wanted_;
  std::size_t next_ = 0;  // what is asked for; the other one is at hand
  std::mutex lock_;
  std::condition_variable asked_;
  bool stop_ = false;
  std::thread reader_;
};

}  // namespace sonde
