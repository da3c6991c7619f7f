#include <sonde/error.hpp>
#include <sonde/shape.hpp>

namespace sonde {

Index Shape::elements() const {
  // Room for eight bytes each, and for sums of a few such numbers.
  constexpr Index most = Index{1} << 56;
  Index product = 1;
  for (const Index size : sizes_)
    if (__builtin_mul_overflow(product, size, &product) || product > most)
      throw LimitError("an array of shape " + to_string(*this) +
                       " has more elements than any memory. Use smaller sizes.");
  return product;
}

bool Shape::is_static() const {
  for (const Index size : sizes_)
    if (size == dynamic) return false;
  return true;
}

Shape Shape::with_front(Index size) const {
  std::vector<Index> sizes{size};
  sizes.insert(sizes.end(), sizes_.begin(), sizes_.end());
  return Shape(std::move(sizes));
}

Shape Shape::without_front() const { return Shape(std::vector<Index>(begin() + 1, end())); }

Shape Shape::without_last() const {
  return Shape(std::vector<Index>(begin(), sizes_.empty() ? end() : end() - 1));
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (Index axis = 0; axis < shape.rank(); ++axis) {
    if (axis > 0) text += ", ";
    text += shape[axis] == dynamic ? "None" : std::to_string(shape[axis]);
  }
  return text + (shape.rank() == 1 ? ",)" : ")");
}

}  // namespace sonde
