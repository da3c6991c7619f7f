#pragma once
#include <sonde/diagnosis.hpp>

namespace sonde::diagnosis {

/// Collects LabelFacts, some labels at a time.
class FactFinder {
 public:
  /// `width`: numbers of each label.
  explicit FactFinder(Index width) : width_(width) {
    facts_.whole = true;
    facts_.one_hot = width > 1;
  }
  /// The next `count` numbers. `weights` has one for each `each` numbers, or is null.
  void add(const float* labels, Index count, const float* weights, Index each);
  LabelFacts facts() const;

 private:
  LabelFacts facts_;
  Index width_;
  Index seen_ = 0;     ///< numbers that went by
  bool first_ = true;  ///< none was finite so far
};

}  // namespace sonde::diagnosis
