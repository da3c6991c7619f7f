#include <algorithm>
#include <numeric>

#include "plan/plan.hpp"

namespace sonde {
namespace {

bool meet(const Plan::Buffer& a, const Plan::Buffer& b) {
  for (const auto& x : a.live)
    for (const auto& y : b.live)
      if (x.from <= y.to && y.from <= x.to) return true;
  return false;
}

/// Buffers begin on a cache line of floats, and leave one after them that kernels may read.
constexpr Index line = 16;
Index rounded(Index size) { return (size + line - 1) / line * line + line; }

}  // namespace

Index place(std::vector<Plan::Buffer>& buffers) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return buffers[a].size > buffers[b].size; });
  Index arena = 0;
  std::vector<std::size_t> placed;  // kept sorted by offset
  for (const std::size_t b : order) {
    Index offset = 0;
    for (const std::size_t other : placed) {
      if (!meet(buffers[b], buffers[other])) continue;
      if (offset + rounded(buffers[b].size) <= buffers[other].offset) break;
      offset = std::max(offset, buffers[other].offset + rounded(buffers[other].size));
    }
    buffers[b].offset = offset;
    arena = std::max(arena, offset + rounded(buffers[b].size));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), b,
                                   [&](std::size_t x, std::size_t y) {
                                     return buffers[x].offset < buffers[y].offset;
                                   }),
                  b);
  }
  return arena;
}

}  // namespace sonde
