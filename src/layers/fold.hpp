#pragma once
#include <sonde/layer.hpp>

/// What TimeDistributed and Bidirectional are made of. They stand in no file and in no list.
namespace sonde {

/// (time, a, b …) → (a, b …), every step of every row a row of its own.
struct FoldSteps {
  static constexpr std::string_view type = "Fold";
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("name", &FoldSteps::name), field("trainable", &FoldSteps::trainable));
  }
  AnyOp plan(Planner& planner) const;
};

/// Takes a Fold back: (a, b …) and what was folded, (time, …) → (time, a, b …).
struct UnfoldSteps {
  static constexpr std::string_view type = "Unfold";
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("name", &UnfoldSteps::name),
                     field("trainable", &UnfoldSteps::trainable));
  }
  AnyOp plan(Planner& planner) const;
};

/// (time, channels) → the same, last step first. A mask stays as it is.
struct Reverse {
  static constexpr std::string_view type = "Reverse";
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("name", &Reverse::name), field("trainable", &Reverse::trainable));
  }
  AnyOp plan(Planner& planner) const;
};

}  // namespace sonde
