#include "model/diagnosis/facts.hpp"

#include <algorithm>
#include <cmath>

namespace sonde {
namespace diagnosis {

void FactFinder::add(const float* labels, Index count, const float* weights, Index each) {
  for (Index i = 0; i < count; i += width_, seen_ += width_) {
    float sum = 0;
    Index counted = 0;
    for (Index k = 0; k < width_; ++k) {
      const float label = labels[i + k];
      if (!std::isfinite(label) || (weights && weights[(i + k) / each] == 0)) continue;
      ++counted;
      if (first_ || label < facts_.smallest) {
        facts_.smallest = label;
        facts_.smallest_at = seen_ + k;
      }
      if (first_ || label > facts_.largest) {
        facts_.largest = label;
        facts_.largest_at = seen_ + k;
      }
      first_ = false;
      if (facts_.whole && label != std::floor(label)) {
        facts_.whole = false;
        facts_.fraction = label;
        facts_.fraction_at = seen_ + k;
      }
      sum += label;
    }
    if (counted > 0) facts_.one_hot &= sum == 1;
  }
}

LabelFacts FactFinder::facts() const {
  LabelFacts facts = facts_;
  facts.one_hot &= facts.whole && facts.smallest >= 0 && facts.largest <= 1;
  return facts;
}

}  // namespace diagnosis

LabelFacts facts_of(const Array& y, const Array& weights) {
  const Shape& shape = y.shape();
  diagnosis::FactFinder finder(shape.rank() > 1 ? std::max<Index>(shape.last(), 1) : 1);
  const bool weighted = !weights.empty() && y.size() % weights.size() == 0;
  finder.add(y.data(), y.size(), weighted ? weights.data() : nullptr,
             weighted ? y.size() / weights.size() : 1);
  return finder.facts();
}

}  // namespace sonde
