#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "training/output_job.hpp"

namespace sonde {

/// Whether the losses of a batch are numbers. Where they are not, nothing is learned from it:
/// neither weights nor an optimizer's or a layer's statistics change.
inline bool is_finite(const std::vector<OutputTotals>& totals) {
  return std::all_of(totals.begin(), totals.end(),
                     [](const OutputTotals& each) { return std::isfinite(each.loss); });
}

}  // namespace sonde
