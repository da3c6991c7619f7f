#include <algorithm>
#include <map>
#include <set>
#include <sonde/error.hpp>
#include <sonde/graph.hpp>

#include "graph/initialize.hpp"
#include "graph/walk.hpp"

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

/// What each layer of a graph asks for, parts of composites where the composite stands.
struct Collection {
  std::vector<std::pair<LayerInstance*, std::vector<WeightEntry>>> asked = {};
  std::set<const LayerInstance*> seen = {};

  void add(LayerInstance& instance, const Node& call, const std::string& path, bool trainable) {
    if (!seen.insert(&instance).second) return;
    trainable = trainable && instance.layer.trainable();
    if (call.expanded) return add_parts(instance, *call.expanded, path, trainable);
    Planner planner = planner_for(instance, call.inputs, Mode::infer, 1);
    instance.layer.plan(planner);
    std::vector<WeightEntry> entries;
    for (const auto& weight : planner.weights())
      entries.push_back({path, weight.name, weight.shape, 0, weight.options,
                         weight.options.trainable && trainable});
    if (!entries.empty()) asked.emplace_back(&instance, std::move(entries));
  }

  void add_parts(LayerInstance& instance, const Expanded& expanded, const std::string& path,
                 bool trainable) {
    Walk walk;
    for (const Tensor& output : expanded.outputs) walk.from(output.node());
    for (const auto& part : instance.parts) {
      const auto call = std::find_if(walk.postorder.begin(), walk.postorder.end(),
                                     [&](const auto& node) { return node->instance == part; });
      if (call != walk.postorder.end()) add(*part, **call, path + "/" + part->name, trainable);
    }
  }
};

/// A composite's weights are those of its parts.
void gather_entries(LayerInstance& instance, const std::shared_ptr<WeightBlock>& block) {
  if (!instance.layer.is_composite()) return;
  instance.entries.clear();
  for (const auto& part : instance.parts) {
    gather_entries(*part, block);
    instance.entries.insert(instance.entries.end(), part->entries.begin(), part->entries.end());
  }
  if (!instance.entries.empty()) instance.weights = block;
}

/// The layers that a graph's layers are made of, themselves included.
void note_owners(const std::shared_ptr<LayerInstance>& instance,
                 std::map<const LayerInstance*, std::shared_ptr<LayerInstance>>& owners) {
  owners.emplace(instance.get(), instance);
  for (const auto& part : instance->parts) note_owners(part, owners);
}

}  // namespace

std::vector<std::pair<LayerInstance*, std::vector<WeightEntry>>> planned_weights(
    const Graph& graph) {
  Collection collection;
  std::set<Index> done;
  // The first call of each layer, in the order of layers.
  std::vector<const Graph::Call*> calls(graph.layers().size(), nullptr);
  for (const auto& call : graph.calls())
    if (done.insert(call.layer).second) calls[static_cast<std::size_t>(call.layer)] = &call;
  for (std::size_t l = 0; l < calls.size(); ++l)
    collection.add(*graph.layers()[l], *calls[l]->node, graph.layers()[l]->name, true);
  return std::move(collection.asked);
}

std::vector<Index> Graph::entries() const {
  std::vector<Index> all;
  for (const auto& instance : layers_)
    for (const Index e : instance->entries)
      if (std::find(all.begin(), all.end(), e) == all.end()) all.push_back(e);
  return all;
}

std::shared_ptr<WeightBlock> Graph::weights(std::uint64_t seed) const {
  // Blocks that some layers already have: one of them serves when all do.
  std::vector<std::shared_ptr<WeightBlock>> blocks;
  auto asked = planned_weights(*this);
  bool complete = true;
  for (const auto& each : asked) {
    const auto& held = each.first->weights;
    if (held == nullptr) complete = false;
    else if (std::find(blocks.begin(), blocks.end(), held) == blocks.end()) blocks.push_back(held);
  }
  const auto finish = [&](const std::shared_ptr<WeightBlock>& block) {
    for (const auto& instance : layers_) gather_entries(*instance, block);
    return block;
  };
  if (complete && blocks.size() == 1) return finish(blocks.front());

  // Other models that hold some of these layers share the new block, all their layers with it.
  std::map<const LayerInstance*, std::shared_ptr<LayerInstance>> owners;
  for (const auto& instance : layers_) note_owners(instance, owners);
  for (const auto& block : blocks) {
    if (block->is_pinned())
      throw ArgumentError(
          "Model: a layer of this model is being trained by another one. Build this model before "
          "that one's fit.");
    for (const auto& holder : block->holders()) {
      const auto instance = holder.lock();
      if (!instance || instance->weights != block ||
          !owners.emplace(instance.get(), instance).second)
        continue;
      asked.emplace_back(instance.get(), std::vector<WeightEntry>{});
      for (const Index e : instance->entries)
        asked.back().second.push_back(block->entries()[static_cast<std::size_t>(e)]);
    }
  }

  std::vector<WeightEntry> all;
  for (const auto& each : asked) all.insert(all.end(), each.second.begin(), each.second.end());
  auto block = std::make_shared<WeightBlock>(std::move(all));
  Index next = 0;
  for (const auto& each : asked) {
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
    block->holders().push_back(owners.at(&instance));
  }
  return finish(block);
}

}  // namespace sonde
