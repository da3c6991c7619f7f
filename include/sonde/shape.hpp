#pragma once
#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

namespace sonde {

using Index = std::ptrdiff_t;

/// A size that is known only when data arrives; Keras prints it as None.
inline constexpr Index dynamic = -1;

/// The sizes of an array or a tensor, outermost first.
/// Symbolic tensors leave the batch out: (400, 16) is 400 time steps of 16 channels.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<Index> sizes) : sizes_(sizes) {}
  explicit Shape(std::vector<Index> sizes) : sizes_(std::move(sizes)) {}

  Index rank() const { return static_cast<Index>(sizes_.size()); }
  /// The size along `axis`; negative axes count from the end, as in Keras.
  Index operator[](Index axis) const { return sizes_[position(axis)]; }
  Index& operator[](Index axis) { return sizes_[position(axis)]; }
  Index last() const { return sizes_.back(); }

  /// The number of elements. Must not be asked of a shape with dynamic sizes.
  Index elements() const;
  bool is_static() const;
  /// This shape with `size` put in front: (400, 16) → (476, 400, 16).
  Shape with_front(Index size) const;
  /// This shape without its outermost size.
  Shape without_front() const;
  /// This shape without its innermost size; () stays ().
  Shape without_last() const;

  auto begin() const { return sizes_.begin(); }
  auto end() const { return sizes_.end(); }
  bool operator==(const Shape&) const = default;

 private:
  std::size_t position(Index axis) const {
    return static_cast<std::size_t>(axis < 0 ? axis + rank() : axis);
  }

  std::vector<Index> sizes_;
};

/// "(400, 16)"; dynamic sizes print as None, as in Keras.
std::string to_string(const Shape& shape);

}  // namespace sonde
