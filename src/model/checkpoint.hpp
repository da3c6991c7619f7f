#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <sonde/archive.hpp>
#include <sonde/checkpoint.hpp>
#include <vector>

namespace sonde {

/// The file of a checkpoint: "SONDECP1", the length of what follows, its CRC-64, and that. Throws
/// IoError; what was there before is then still there.
void write_checkpoint(const std::filesystem::path& path, const std::vector<std::byte>& state);

/// The newest generation that is whole; none when there is no file at all. Throws FormatError when
/// there are files and none is whole.
std::optional<std::vector<std::byte>> read_checkpoint(const std::filesystem::path& path);

/// Removes all generations.
void remove_checkpoint(const std::filesystem::path& path);

/// When the next checkpoint of a run is due.
class CheckpointClock {
 public:
  explicit CheckpointClock(const CheckpointOptions& options) : options_(options) {}
  bool is_due() const {
    return !options_.path.empty() && std::chrono::steady_clock::now() - last_ >=
                                         std::chrono::duration<double>(options_.seconds);
  }
  void restart() { last_ = std::chrono::steady_clock::now(); }

 private:
  const CheckpointOptions& options_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace sonde
