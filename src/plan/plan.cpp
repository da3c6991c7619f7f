#include "plan/plan.hpp"

namespace sonde {

bool Plan::ends_in_sums(const Segment& segment) const {
  return !segment.empty() && (segment.back().kind == Action::forward_sums ||
                              segment.back().kind == Action::backward_sums);
}

bool Plan::shares_units(const Segment& segment) const {
  if (segment.size() != 1) return false;
  const Action& only = segment.front();
  return (only.kind == Action::forward || only.kind == Action::backward) &&
         steps_[static_cast<std::size_t>(only.step)].unit_pieces > 0;
}

Index Plan::output_mask(Index i) const { return output_masks_[static_cast<std::size_t>(i)]; }

Index Plan::mask_count(Index i) const {
  const Index step = mask_counts_[static_cast<std::size_t>(i)];
  return step < 0 ? -1 : steps_[static_cast<std::size_t>(step)].layout.forward_sums;
}

Index Plan::offset(Index value) const {
  return buffers_[static_cast<std::size_t>(values_[static_cast<std::size_t>(value)].buffer)].offset;
}

Index Plan::gradient_offset(Index value) const {
  const Index buffer = values_[static_cast<std::size_t>(value)].gradient;
  return buffer < 0 ? Layout::nowhere : buffers_[static_cast<std::size_t>(buffer)].offset;
}

}  // namespace sonde
