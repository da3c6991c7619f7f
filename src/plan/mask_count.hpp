#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// Plans the step that counts, over the whole batch, the steps that a mask (its input) leaves: one
/// sum, ready after its barrier.
AnyOp plan_mask_count(Planner& planner);

}  // namespace sonde
