#pragma once
#include <sonde/layers/bidirectional.hpp>

namespace sonde {

/// Joins what a forward and a backward layer gave: the end of Bidirectional. With `turn`, the
/// second input begins with the last step. Stands in no file and in no list.
struct MergeDirections {
  static constexpr std::string_view type = "MergeDirections";
  std::optional<MergeMode> mode = MergeMode::concat;
  bool turn = false;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = MergeDirections;
    return fields_of(field("mode", &L::mode), field("turn", &L::turn), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
};

}  // namespace sonde
