#include "model/diagnosis/search.hpp"

#include <algorithm>
#include <queue>

namespace sonde::diagnosis {
namespace {

/// How far the search goes: candidates that are planned, and what the dearest fix may cost when the
/// cheapest costs so much.
constexpr int most_plans = 600;
constexpr double dearest(double cheapest) { return cheapest + 2.2; }

struct Waiting {
  Candidate candidate;
  int order;  ///< of two that cost the same, the one found first
};
struct Dearer {
  bool operator()(const Waiting& a, const Waiting& b) const {
    const double difference = a.candidate.cost - b.candidate.cost;
    return difference > 1e-9 || (difference > -1e-9 && a.order > b.order);
  }
};

bool holds(const std::set<std::string>& all, const std::set<std::string>& part) {
  return std::includes(all.begin(), all.end(), part.begin(), part.end());
}

}  // namespace

std::vector<Candidate> search(const Candidate& start, const Verdict& verdict, std::size_t most) {
  std::priority_queue<Waiting, std::vector<Waiting>, Dearer> waiting;
  std::set<std::set<std::string>> seen = {start.keys};
  std::vector<Candidate> found;
  int order = 0, plans = 0;
  const auto push_next = [&](const Candidate& from, const Verdict& misfit) {
    std::vector<Candidate> next;
    propose(from, misfit, next);
    for (Candidate& each : next)
      if (each.keys.size() > from.keys.size() && seen.insert(each.keys).second)
        waiting.push({std::move(each), order++});
  };
  push_next(start, verdict);
  while (!waiting.empty() && found.size() < most && plans < most_plans) {
    const Candidate candidate = waiting.top().candidate;
    waiting.pop();
    if (!found.empty() && candidate.cost > dearest(found.front().cost)) break;
    const bool more_than_enough =
        std::any_of(found.begin(), found.end(),
                    [&](const Candidate& fix) { return holds(candidate.keys, fix.keys); });
    if (more_than_enough) continue;
    ++plans;
    const Verdict judged = judge(candidate);
    if (judged.misfit == Misfit::none) found.push_back(candidate);
    else push_next(candidate, judged);
  }
  return found;
}

}  // namespace sonde::diagnosis
