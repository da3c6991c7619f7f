#pragma once
#include <memory>
#include <sonde/shape.hpp>
#include <span>

namespace sonde {

namespace detail {

inline constexpr std::size_t alignment = 64;

/// Gives back what numbers lie in: memory, or a file that is mapped.
struct FreeNumbers {
  std::size_t mapped = 0;   ///< bytes of the file; 0: memory
  std::size_t counted = 0;  ///< bytes of data in memory, see LargeArrays
  void operator()(void* begin) const noexcept;
};
struct Numbers {
  void* begin;
  FreeNumbers free;
};

/// Memory of zeros, aligned.
void* zeroed(std::size_t bytes);
/// The same or, for data beyond what memory may hold, a file: see LargeArrays.
Numbers room_for_data(std::size_t bytes);

}  // namespace detail

/// Hands out memory for numbers: aligned to a cache line, zeroed, and followed by one line that
/// kernels may read (never write), so that a vector load at the end of a row stays inside.
template <class T>
class Buffer {
 public:
  static constexpr std::size_t alignment = detail::alignment;

  Buffer() = default;
  explicit Buffer(Index size) : data_(static_cast<T*>(detail::zeroed(bytes(size)))), size_(size) {}
  /// For data, which may lie in a file.
  static Buffer for_data(Index size) {
    const detail::Numbers numbers = detail::room_for_data(bytes(size));
    Buffer buffer;
    buffer.data_ = {static_cast<T*>(numbers.begin), numbers.free};
    buffer.size_ = size;
    return buffer;
  }

  T* data() const { return data_.get(); }
  Index size() const { return size_; }
  std::span<T> span() const { return {data_.get(), static_cast<std::size_t>(size_)}; }
  bool is_on_disk() const { return data_.get_deleter().mapped > 0; }

 private:
  static std::size_t bytes(Index size) {
    return static_cast<std::size_t>(size) * sizeof(T) + alignment;
  }

  std::unique_ptr<T[], detail::FreeNumbers> data_;
  Index size_ = 0;
};

/// Owns float32 numbers in row-major order. Labels, weights and class numbers are floats too.
///   Array x({476, 400, 16});       // zeros
///   x(3, 0, 15) = 1.5f;
/// Copies are deep. Safe to read from many threads.
class Array {
 public:
  Array() = default;
  /// Zeros of the given shape.
  explicit Array(Shape shape);
  /// Takes `values` in row-major order. Throws DataError when their number does not fit.
  Array(Shape shape, std::span<const float> values);

  Array(const Array& other);
  Array& operator=(const Array& other);
  Array(Array&&) noexcept = default;
  Array& operator=(Array&&) noexcept = default;

  const Shape& shape() const { return shape_; }
  Index size() const { return buffer_.size(); }
  bool empty() const { return size() == 0; }
  float* data() { return buffer_.data(); }
  const float* data() const { return buffer_.data(); }
  std::span<float> values() { return buffer_.span(); }
  std::span<const float> values() const { return buffer_.span(); }

  template <class... I>
  float& operator()(I... index) {
    return data()[offset({static_cast<Index>(index)...})];
  }
  template <class... I>
  float operator()(I... index) const {
    return data()[offset({static_cast<Index>(index)...})];
  }

  /// Whether it lies in a file, see LargeArrays.
  bool is_on_disk() const { return buffer_.is_on_disk(); }
  /// Where it does: numbers [begin, end) are asked for next and may be fetched. Returns at once.
  void will_need(Index begin, Index end) const noexcept;

  /// The same numbers under another shape of as many elements. Throws DataError otherwise.
  Array reshaped(Shape shape) const;
  /// Rows [begin, end) along the outermost axis, copied.
  Array slice(Index begin, Index end) const;

 private:
  Index offset(std::initializer_list<Index> index) const {
    Index at = 0, axis = 0;
    for (const Index i : index) at = at * shape_[axis++] + i;
    return at;
  }

  Shape shape_;
  Buffer<float> buffer_;
};

}  // namespace sonde
