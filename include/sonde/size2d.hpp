#pragma once
#include <sonde/fields.hpp>

namespace sonde {

/// A size along each of two axes, the first of them time: `{1, 8}`, or `3` for both alike.
struct Size2D {
  static constexpr int dimensions = 2;
  Index height = 1;
  Index width = 1;

  Size2D() = default;
  Size2D(Index both) : height(both), width(both) {}
  Size2D(Index h, Index w) : height(h), width(w) {}
  bool operator==(const Size2D&) const = default;
};

inline Value to_value(const Size2D& v) {
  return Value::List{to_value(v.height), to_value(v.width)};
}
inline void from_value(const Value& value, const Where& where, Size2D& out) {
  const auto* list = value.as<Value::List>();
  if (list && list->size() != 2) refuse_value(where, "a number or a list of two", value);
  from_value(list ? list->front() : value, where, out.height);
  from_value(list ? list->back() : value, where, out.width);
}

}  // namespace sonde
