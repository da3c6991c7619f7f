#include "tests/support/gradient.hpp"

#include "tests/support/near.hpp"
#include "tests/support/plan_runner.hpp"

namespace sonde::testing {
namespace {

double product(const Sequences<double>& a, const Sequences<double>& b) {
  double sum = 0;
  for (std::size_t o = 0; o < a.size(); ++o)
    for (std::size_t i = 0; i < a[o].values.size(); ++i) sum += a[o].values[i] * b[o].values[i];
  return sum;
}

}  // namespace

std::vector<double> central_differences(std::span<double> x, const std::function<double()>& loss) {
  // Of numbers around 1: the error of the difference is about h² = 1e-10 by truncation and
  // 1e-16 / h = 1e-11 by rounding.
  constexpr double h = 1e-5;
  std::vector<double> gradient;
  for (double& each : x) {
    const double kept = each;
    each = kept + h;
    const double above = loss();
    each = kept - h;
    const double below = loss();
    each = kept;
    gradient.push_back((above - below) / (2 * h));
  }
  return gradient;
}

void check_gradients(const Graph& graph, WeightBlock& block, GradientOptions options) {
  PlanOptions planned{.mode = Mode::train, .rows = options.rows, .steps = options.steps};
  planned.input_gradients = true;
  PlanRunner<double> runner(graph, block, planned);
  Sequences<double> inputs, weights_of_loss;
  std::uint32_t seed = options.seed * 1000;
  const auto shape_of = [&](Index value) {
    return runner.plan().values()[static_cast<std::size_t>(value)].shape;
  };
  for (const Index value : runner.plan().inputs())
    inputs.push_back(random_sequence(shape_of(value), options.rows, ++seed));
  for (const Index value : runner.plan().outputs())
    weights_of_loss.push_back(random_sequence(shape_of(value), options.rows, ++seed));
  const auto loss = [&] {
    runner.reset();
    runner.pack();
    const double loss_of_outputs = product(runner.forward(inputs), weights_of_loss);
    return loss_of_outputs + runner.penalty() / static_cast<double>(options.rows);
  };

  // Backward adds: what was there before stays.
  std::fill(runner.gradients().begin(), runner.gradients().end(), 0.5);
  loss();
  runner.backward(weights_of_loss);
  EXPECT_TRUE(runner.arena_is_intact()) << "written outside of the booked memory";
  std::vector<double> by_backward(runner.gradients().begin(), runner.gradients().end());
  const Sequences<double> inputs_by_backward = runner.input_gradients();

  for (const WeightEntry& entry : block.entries()) {
    if (!entry.trainable) continue;
    const auto offset = static_cast<std::size_t>(entry.offset);
    const auto size = static_cast<std::size_t>(entry.size());
    std::span<double> got(by_backward.data() + offset, size);
    for (double& g : got) g -= 0.5;
    const auto expected = central_differences(runner.weights().subspan(offset, size), loss);
    // An attention's key bias moves all scores alike: its gradient is zero but for rounding.
    EXPECT_TRUE(near(got, expected, options.relative, 1e-8)) << "gradient of " << entry.path();
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto expected = central_differences(inputs[i].values, loss);
    // Differences of sums around 1 are no nearer than that.
    EXPECT_TRUE(near(inputs_by_backward[i].values, expected, options.relative, 1e-10))
        << "gradient of input " << i;
  }
}

}  // namespace sonde::testing
