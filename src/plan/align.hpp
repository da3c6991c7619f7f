#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// Queues that let several streams with different delays leave in step: each output brings as many
/// steps as the slowest input allows. `delay` is the largest delay among the inputs, in steps.
AnyOp plan_align(Planner& planner, Index delay);

}  // namespace sonde
