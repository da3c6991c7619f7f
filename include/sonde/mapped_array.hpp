#pragma once
#include <filesystem>
#include <memory>
#include <sonde/shape.hpp>

namespace sonde {

/// float32 numbers in row-major order that lie in a file and are read when they are looked at, so
/// that they may be more than fit into memory. Copies share the mapping. Safe to read from many
/// threads. The file must not be shortened meanwhile: reading what is gone ends the process
/// (SIGBUS), as with every mapped file.
///   MappedArray x = map_npy("X.npy");
class MappedArray {
 public:
  MappedArray() = default;
  /// The numbers that begin at byte `offset`, a multiple of 4. IoError when the file cannot be
  /// opened or mapped, DataError when it is too short.
  MappedArray(const std::filesystem::path& path, std::uint64_t offset, Shape shape);

  const Shape& shape() const { return shape_; }
  Index size() const { return shape_.elements(); }
  const float* data() const { return data_; }
  /// Tells the system to fetch numbers [begin, end) from the disk; returns at once.
  void will_need(Index begin, Index end) const noexcept;

 private:
  Shape shape_ = {0};
  std::shared_ptr<const void> mapping_;
  const float* data_ = nullptr;
};

}  // namespace sonde
