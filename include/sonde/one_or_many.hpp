#pragma once
#include <initializer_list>
#include <sonde/fields.hpp>
#include <vector>

namespace sonde {

/// One value, several or none, as some of Keras' arguments take them:
///   .axis = -1    .axis = {1, 2}    .axis = {}
/// Files hold a number, a list or null; an empty list is none as well.
template <class T>
class OneOrMany {
 public:
  OneOrMany() = default;
  OneOrMany(T one) : values_{one} {}
  OneOrMany(std::initializer_list<T> many) : OneOrMany(std::vector<T>(many)) {}
  OneOrMany(std::vector<T> many) : values_(std::move(many)), is_list_(!values_.empty()) {}

  bool empty() const { return values_.empty(); }
  /// Written as a list, be it of one value.
  bool is_list() const { return is_list_; }
  Index size() const { return static_cast<Index>(values_.size()); }
  T operator[](Index i) const { return values_[static_cast<std::size_t>(i)]; }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }
  bool operator==(const OneOrMany&) const = default;

 private:
  std::vector<T> values_;
  bool is_list_ = false;
};

template <class T>
Value to_value(const OneOrMany<T>& v) {
  if (v.empty()) return {};
  if (!v.is_list()) return to_value(v[0]);
  return to_value(std::vector<T>(v.begin(), v.end()));
}
template <class T>
void from_value(const Value& value, const Where& where, OneOrMany<T>& out) {
  if (value.is_null()) return void(out = OneOrMany<T>());
  if (value.as<Value::List>()) {
    std::vector<T> many;
    from_value(value, where, many);
    out = std::move(many);
    return;
  }
  T one{};
  from_value(value, where, one);
  out = one;
}

}  // namespace sonde
