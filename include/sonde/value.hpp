#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sonde {

/// A piece of configuration: what JSON and TOML can say. The neutral ground between specs
/// (which know no file format) and formats (which know no specs).
class Value {
 public:
  using List = std::vector<Value>;
  using Dict = std::vector<std::pair<std::string, Value>>;  ///< in written order
  using Storage = std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Dict>;

  Value() = default;
  Value(bool b) : storage_(b) {}
  Value(int i) : storage_(std::int64_t{i}) {}
  Value(std::int64_t i) : storage_(i) {}
  Value(double d) : storage_(d) {}
  Value(const char* s) : storage_(std::string(s)) {}
  Value(std::string s) : storage_(std::move(s)) {}
  Value(std::string_view s) : storage_(std::string(s)) {}
  Value(List l) : storage_(std::move(l)) {}
  Value(Dict d) : storage_(std::move(d)) {}

  bool is_null() const { return storage_.index() == 0; }
  template <class T>
  const T* as() const {
    return std::get_if<T>(&storage_);
  }
  const Storage& storage() const { return storage_; }
  /// The entry `key` of a dict; null when this is no dict or has no such key.
  const Value* find(std::string_view key) const;
  /// Sets or replaces `key`; makes this a dict when it is null.
  void set(std::string_view key, Value value);

  bool operator==(const Value&) const = default;

 private:
  Storage storage_;
};

/// "a number", "a list", …: for messages.
std::string_view kind_of(const Value& value);
/// One short line of the value, for messages.
std::string to_string(const Value& value);

}  // namespace sonde
