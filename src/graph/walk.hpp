#pragma once
#include <map>
#include <sonde/tensor.hpp>
#include <utility>
#include <vector>

namespace sonde {

/// The walk of Keras' map_graph: nodes numbered on first visit, inputs in argument order.
/// Without recursion, so that a chain of any length is fine.
struct Walk {
  std::vector<std::shared_ptr<const Node>> postorder;  ///< a node stands after all it depends on
  std::map<const Node*, Index> visited;                ///< number on entry

  void from(const std::shared_ptr<const Node>& start) {
    std::vector<std::pair<std::shared_ptr<const Node>, std::size_t>> path;
    const auto enter = [&](const std::shared_ptr<const Node>& node) {
      if (!visited.emplace(node.get(), static_cast<Index>(visited.size())).second) return;
      path.emplace_back(node, 0);
    };
    enter(start);
    while (!path.empty()) {
      auto& [node, next] = path.back();
      if (next < node->inputs.size()) {
        const auto input = node->inputs[next++].node();
        enter(input);
      } else {
        postorder.push_back(node);
        path.pop_back();
      }
    }
  }
};

}  // namespace sonde
