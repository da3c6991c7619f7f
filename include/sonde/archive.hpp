#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <sonde/array.hpp>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace sonde {

/// Turns the state of a run into bytes, or takes it back from them, with one function for both
/// ways, so that they cannot differ:
///   void archive(Archive& a) { a(wait, best_epoch, best_weights); }
/// Numbers lie as they are in memory, little-endian; lists begin with their length. Reading throws
/// FormatError where the bytes end early, before anything is allocated for them.
class Archive {
 public:
  /// Writes.
  Archive() = default;
  /// Reads `bytes`, which must outlive it.
  explicit Archive(std::span<const std::byte> bytes) : reads_(true), rest_(bytes) {}

  bool reads() const { return reads_; }
  template <class... T>
  void operator()(T&... each) {
    (item(each), ...);
  }
  /// As many numbers as both sides have. Throws FormatError where the other side had more or less.
  void numbers(std::span<float> values);
  const std::vector<std::byte>& written() const { return written_; }
  /// Bytes that were not read yet.
  std::size_t left() const { return rest_.size(); }

 private:
  template <class T>
  requires std::is_arithmetic_v<T>
  void item(T& number) { raw({reinterpret_cast<std::byte*>(&number), sizeof number}); }
  void item(std::string& text);
  void item(Array& numbers);
  void item(Buffer<float>& buffer) { numbers(buffer.span()); }
  template <class T>
  void item(std::optional<T>& value) {
    bool there = value.has_value();
    item(there);
    if (reads_) value = there ? std::optional<T>(T{}) : std::nullopt;
    if (there) item(*value);
  }
  template <class T>
  void item(std::vector<T>& list) {
    const std::uint64_t count = length(list.size(), 1);
    if (reads_) list.clear();
    for (std::uint64_t i = 0; i < count; ++i) {
      if (reads_) list.emplace_back();
      item(list[i]);
    }
  }
  template <class T>
  void item(std::map<std::string, T>& table) {
    const std::uint64_t count = length(table.size(), 1);
    if (!reads_) {
      for (auto& [name, value] : table) {
        std::string key = name;
        operator()(key, value);
      }
      return;
    }
    table.clear();
    for (std::uint64_t i = 0; i < count; ++i) {
      std::string key;
      item(key);
      item(table[key]);
    }
  }

  /// The number of items, each of at least `least` bytes; refuses more than there are bytes for.
  std::uint64_t length(std::size_t count, std::size_t least);
  void raw(std::span<std::byte> bytes);

  bool reads_ = false;
  std::vector<std::byte> written_;
  std::span<const std::byte> rest_;
};

}  // namespace sonde
