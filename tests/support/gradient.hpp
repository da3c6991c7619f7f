#pragma once
#include <functional>
#include <sonde/graph.hpp>
#include <span>
#include <vector>

namespace sonde::testing {

struct GradientOptions {
  Index rows = 3;
  Index steps = 0;         ///< of a dynamic input
  double relative = 1e-6;  ///< see near()
  std::uint32_t seed = 1;
};

/// Expects the gradients of all trainable weights and of all inputs, in double, to agree with
/// central differences. The loss is a random weighted sum of all outputs.
void check_gradients(const Graph& graph, WeightBlock& block, GradientOptions options = {});

/// d loss / d x[i] for each i, by central differences. `loss` reads x; x is left as it was.
std::vector<double> central_differences(std::span<double> x, const std::function<double()>& loss);

}  // namespace sonde::testing
