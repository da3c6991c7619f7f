#pragma once
#include <optional>
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// What is taken of one axis, as in Python: `Slice{.start = 2, .stop = -1}`, or the number of one
/// place, which takes the axis away.
struct Slice {
  std::optional<Index> start = {};
  std::optional<Index> stop = {};
  std::optional<Index> step = {};
  bool is_place = false;  ///< only `start`, and the axis goes
  bool is_rest = false;   ///< all of as many axes as are left: Python's `...`

  static Slice place(Index at) { return {.start = at, .is_place = true}; }
  static Slice rest() { return {.is_rest = true}; }
  bool operator==(const Slice&) const = default;
};
Value to_value(const Slice& slice);
void from_value(const Value& value, const Where& where, Slice& out);

/// A part of a tensor. Keras: `x[:, -1]`, `x[:, :, 0:3]`, which files call GetItem.
///   auto last = GetItem{.key = {{Slice::place(-1)}}}(x);              // (400, 16) → (16)
///   auto some = GetItem{.key = {{Slice{}, Slice{.stop = 3}}}}(x);     // (400, 16) → (400, 3)
/// The batch is no part of the key; axes that it does not name are taken whole. A mask ends here,
/// as in Keras. Streams where all steps are taken.
struct GetItem {
  static constexpr std::string_view type = "GetItem";
  Required<std::vector<Slice>> key;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = GetItem;
    return fields_of(field("key", &L::key), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
