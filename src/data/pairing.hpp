#pragma once
#include <cstddef>
#include <utility>
#include <vector>

namespace sonde {

/// As many pairs (i, j) with fits(i, j) as there can be, each i and j in one at most, in order of
/// i. Both lists lie in order of time: place(i, j) says whether j lies too early for i and all
/// after it
/// (< 0), too late for i and all before it (> 0), or near it (0).
template <class Fits, class Place>
std::vector<std::pair<std::size_t, std::size_t>> pair_up(std::size_t marked, std::size_t found,
                                                         Fits fits, Place place) {
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::vector<std::vector<std::size_t>> choices(marked);
  std::size_t first = 0;
  for (std::size_t i = 0; i < marked; ++i) {
    while (first < found && place(i, first) < 0) ++first;
    for (std::size_t j = first; j < found && place(i, j) <= 0; ++j)
      if (fits(i, j)) choices[i].push_back(j);
  }

  // Berge: a pairing is the largest when no path of changes makes room for one more.
  std::vector<std::size_t> partner(found, none), tried(found, none);
  struct Step {
    std::size_t i, next;
  };
  for (std::size_t start = 0; start < marked; ++start) {
    std::vector<Step> path = {{start, 0}};
    while (!path.empty()) {
      Step& step = path.back();
      if (step.next == choices[step.i].size()) {
        path.pop_back();
        continue;
      }
      const std::size_t j = choices[step.i][step.next++];
      if (tried[j] == start) continue;
      tried[j] = start;
      if (partner[j] != none) {
        path.push_back({partner[j], 0});
        continue;
      }
      for (const Step& each : path) partner[choices[each.i][each.next - 1]] = each.i;
      break;
    }
  }
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t j = 0; j < found; ++j)
    if (partner[j] != none) pairs.emplace_back(partner[j], j);
  return pairs;
}

}  // namespace sonde
