#pragma once
#include <cstring>
#include <memory>
#include <new>
#include <sonde/shape.hpp>
#include <span>

namespace sonde {

/// Hands out memory for numbers: aligned to a cache line, zeroed, and followed by one line that
/// kernels may read (never write), so that a vector load at the end of a row stays inside.
template <class T>
class Buffer {
 public:
  static constexpr std::size_t alignment = 64;

  Buffer() = default;
  explicit Buffer(Index size) : size_(size) {
    const std::size_t bytes = static_cast<std::size_t>(size) * sizeof(T) + alignment;
    data_.reset(static_cast<T*>(::operator new (bytes, std::align_val_t{alignment})));
    std::memset(static_cast<void*>(data_.get()), 0, bytes);
  }

  T* data() const { return data_.get(); }
  Index size() const { return size_; }
  std::span<T> span() const { return {data_.get(), static_cast<std::size_t>(size_)}; }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete (p, std::align_val_t{alignment}); }
  };
  std::unique_ptr<T[], Free> data_;
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
