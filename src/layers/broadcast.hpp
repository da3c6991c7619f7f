#pragma once
#include <sonde/shape.hpp>
#include <vector>

namespace sonde {

/// For every number of a tensor its partner in a smaller array of as many axes, whose sizes are
/// the tensor's own or 1.
struct Broadcast {
  Index per_step = 0;              ///< partners of one step; 0 when all steps share theirs
  std::vector<Index> within = {};  ///< for each number of a vector, its partner in the step

  static Broadcast of(const Shape& tensor, const Shape& small) {
    const Index first = tensor.rank() >= 2 ? 1 : 0;  // axes before it are time
    Broadcast b{.within = {0}};
    Index partners = 1;
    for (Index axis = tensor.rank() - 1; axis >= first; --axis) {
      // From the last axis outwards: what is known is repeated for every place on this axis.
      const std::vector<Index> inner = b.within;
      const Index pitch = small[axis] == 1 ? 0 : partners;
      for (Index i = 1; i < tensor[axis]; ++i)
        for (const Index each : inner) b.within.push_back(each + i * pitch);
      partners *= small[axis];
    }
    if (first == 1 && small[0] != 1) b.per_step = partners;
    return b;
  }
  Index at(Index step, Index i) const {
    return step * per_step + within[static_cast<std::size_t>(i)];
  }
};

}  // namespace sonde
