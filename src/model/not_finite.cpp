#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sonde/error.hpp>
#include <sonde/model.hpp>
#include <sonde/not_finite.hpp>

#include "base/random.hpp"

namespace sonde {
namespace {

/// The first value that is not finite; the size where all are.
Index first_wrong(std::span<const float> values) {
  const auto wrong =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  return static_cast<Index>(wrong - values.begin());
}

std::vector<Array> gathered(const SampleSource& source, Index epoch,
                            std::span<const Index> numbers) {
  std::vector<Array> x;
  for (const Shape& shape : source.inputs())
    x.emplace_back(shape.with_front(static_cast<Index>(numbers.size())));
  for (std::size_t row = 0; row < numbers.size(); ++row) {
    const Sample sample = source.sample(epoch, numbers[row]);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Index size = x[i].size() / static_cast<Index>(numbers.size());
      std::copy_n(sample.x[i], size, x[i].data() + static_cast<Index>(row) * size);
    }
  }
  return x;
}

/// The samples of a batch, in the order that fit gives them.
std::vector<Index> numbers_of(const Model& model, const SampleSource& samples,
                              const FitBatch& batch) {
  std::vector<Index> order(static_cast<std::size_t>(samples.size()));
  std::iota(order.begin(), order.end(), Index{0});
  if (batch.shuffle)
    order = shuffled(samples.size(), random_key(model.seed(), "shuffle"),
                     static_cast<std::uint64_t>(batch.epoch));
  const Index begin = std::min(batch.batch * batch.batch_size, samples.size());
  const Index end = std::min(begin + batch.batch_size, samples.size());
  return {order.begin() + begin, order.begin() + end};
}

/// "LSTM "lstm" gives nan in sample 17 at step 203".
std::string text(const LayerInstance& layer, const Array& output, Index wrong,
                 std::span<const Index> numbers) {
  const Shape each = output.shape().without_front();
  const Index size = each.elements();
  std::string place = fmt::format("in sample {}", numbers[static_cast<std::size_t>(wrong / size)]);
  if (each.rank() > 1) place += fmt::format(" at step {}", wrong % size / (size / each[0]));
  return fmt::format("{} \"{}\" gives {} {}", layer.layer.type(), layer.name,
                     output.values()[static_cast<std::size_t>(wrong)], place);
}

}  // namespace

std::string first_not_finite(const Model& model, const SampleSource& samples,
                             const FitBatch& batch) {
  const WeightBlock& weights = model.weights();
  for (const WeightEntry& entry : weights.entries()) {
    const std::span<const float> values(weights.data() + entry.offset,
                                        static_cast<std::size_t>(entry.size()));
    if (first_wrong(values) < entry.size())
      return fmt::format("the weights {} are not finite since the step before", entry.path());
  }
  const std::vector<Index> numbers = numbers_of(model, samples, batch);
  if (numbers.empty()) return "";
  try {
    const std::vector<Array> x = gathered(samples, batch.epoch, numbers);
    const Graph& graph = model.graph();
    for (const Graph::Call& call : graph.calls()) {
      if (call.inputs.empty()) continue;
      for (std::size_t o = 0; o < call.node->outputs.size(); ++o) {
        Model part(graph.input_tensors(), {Tensor(call.node, static_cast<Index>(o))});
        const Array output = part.predict(x).front();
        if (const Index wrong = first_wrong(output.values()); wrong < output.size())
          return text(graph.layer(call), output, wrong, numbers);
      }
    }
  } catch (const Error&) {  // a layer that cannot be an output says nothing here
  }
  return "";
}

}  // namespace sonde
