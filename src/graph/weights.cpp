#include <algorithm>
#include <map>
#include <sonde/graph.hpp>

#include "graph/initialize.hpp"

namespace sonde {

WeightBlock::WeightBlock(std::vector<WeightEntry> entries) : entries_(std::move(entries)) {
  // Each weight begins on a cache line.
  Index size = 0;
  for (WeightEntry& entry : entries_) {
    entry.offset = size;
    size += (entry.size() + 15) / 16 * 16;
  }
  values_ = Buffer<float>(size);
}

namespace {

/// The weights a layer asks for, by planning one of its calls.
std::vector<WeightEntry> weights_of(const LayerInstance& instance, const Node& node) {
  std::vector<Shape> shapes;
  for (const Tensor& input : node.inputs) shapes.push_back(input.shape());
  Planner planner = planner_for(instance, std::move(shapes), Mode::infer, 1);
  instance.layer.plan(planner);
  std::vector<WeightEntry> entries;
  for (const auto& weight : planner.weights())
    entries.push_back({instance.name, weight.name, weight.shape, 0, weight.options,
                       weight.options.trainable && instance.layer.trainable()});
  return entries;
}

}  // namespace

std::shared_ptr<WeightBlock> Graph::weights(std::uint64_t seed) const {
  // Blocks that some layers already have: one of them serves when all do.
  std::vector<std::shared_ptr<WeightBlock>> blocks;
  std::vector<std::pair<LayerInstance*, std::vector<WeightEntry>>> asked;
  bool complete = true;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const auto call = std::find_if(calls_.begin(), calls_.end(),
                                   [&](const Call& c) { return c.layer == static_cast<Index>(l); });
    auto entries = weights_of(*layers_[l], *call->node);
    if (entries.empty()) continue;
    if (layers_[l]->weights == nullptr) complete = false;
    else if (std::find(blocks.begin(), blocks.end(), layers_[l]->weights) == blocks.end())
      blocks.push_back(layers_[l]->weights);
    asked.emplace_back(layers_[l].get(), std::move(entries));
  }
  if (complete && blocks.size() == 1) return blocks.front();

  std::vector<WeightEntry> all;
  for (const auto& each : asked) all.insert(all.end(), each.second.begin(), each.second.end());
  auto block = std::make_shared<WeightBlock>(std::move(all));
  Index next = 0;
  for (auto& each : asked) {
    LayerInstance& instance = *each.first;
    const auto old_block = instance.weights;
    const std::vector<Index> old_entries = instance.entries;
    instance.entries.clear();
    for (std::size_t i = 0; i < each.second.size(); ++i) {
      const WeightEntry& entry = block->entries()[static_cast<std::size_t>(next)];
      if (old_block) {
        const auto values =
            old_block->values(old_block->entries()[static_cast<std::size_t>(old_entries[i])]);
        std::copy(values.begin(), values.end(), block->values(entry).begin());
      } else {
        initialize(entry.options.initializer, entry.shape, seed, entry.path(),
                   block->values(entry));
        std::fill(block->values(entry).begin() + entry.options.ones_begin,
                  block->values(entry).begin() + entry.options.ones_end, 1.0f);
      }
      instance.entries.push_back(next++);
    }
    instance.weights = block;
  }
  return block;
}

}  // namespace sonde
