#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sonde/error.hpp>
#include <sonde/events.hpp>

#include "data/pairing.hpp"

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }
constexpr double rounding = 1e-9;  // seconds: 5 steps at 25 Hz are within 0.2 s

double harmonic_mean(Index pairs, Index marked, Index found) {
  return ratio(2 * static_cast<double>(pairs), static_cast<double>(marked + found));
}

bool fits(const EventRule& rule, const Interval& marked, const Interval& found, double frequency) {
  const Index shared = std::min(marked.end, found.end) - std::max(marked.begin, found.begin);
  switch (rule.kind) {
    case EventRule::Kind::overlap:
      return shared > 0;
    case EventRule::Kind::iou:
      return shared > 0 &&
             static_cast<double>(shared) >=
                 rule.iou * static_cast<double>(marked.steps() + found.steps() - shared);
    case EventRule::Kind::collar:
      break;
  }
  const auto seconds = [&](Index steps) {
    return static_cast<double>(std::abs(steps)) / frequency;
  };
  const double offset = std::max(rule.collar, rule.offset_share * seconds(marked.steps()));
  return seconds(found.begin - marked.begin) <= rule.collar + rounding &&
         seconds(found.end - marked.end) <= offset + rounding;
}

/// See pair_up().
int place(const EventRule& rule, const Interval& marked, const Interval& found, double frequency) {
  if (rule.kind != EventRule::Kind::collar)
    return found.end <= marked.begin ? -1 : found.begin >= marked.end ? 1 : 0;
  const double away = static_cast<double>(found.begin - marked.begin) / frequency;
  return away < -rule.collar - rounding ? -1 : away > rule.collar + rounding ? 1 : 0;
}

}  // namespace

std::vector<Interval> intervals_of(std::span<const Index> labels, Index background,
                                   std::span<const float> weights) {
  std::vector<Interval> found;
  const auto size = static_cast<Index>(labels.size());
  const auto label_at = [&](Index t) {
    return !weights.empty() && weights[at(t)] == 0 ? background : labels[at(t)];
  };
  for (Index begin = 0; begin < size;) {
    const Index label = label_at(begin);
    Index end = begin + 1;
    while (end < size && label_at(end) == label) ++end;
    if (label != background) found.push_back({begin, end, label});
    begin = end;
  }
  return found;
}

std::vector<Index> labels_of(std::span<const Interval> intervals, Index steps, Index background) {
  std::vector<Index> labels(at(steps), background);
  Index last = 0;
  std::vector<Interval> sorted(intervals.begin(), intervals.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
  for (const Interval& each : sorted) {
    if (each.begin < last || each.end <= each.begin || each.end > steps)
      throw DataError(
          fmt::format("intervals: [{}, {}) overlaps another one, is empty, or leaves the {} steps "
                      "of the signal.",
                      each.begin, each.end, steps));
    std::fill(labels.begin() + each.begin, labels.begin() + each.end, each.label);
    last = each.end;
  }
  return labels;
}

std::string EventRule::text() const {
  switch (kind) {
    case Kind::overlap:
      return "at least one step in common";
    case Kind::iou:
      return fmt::format("intersection over union of at least {}", iou);
    case Kind::collar:
      break;
  }
  return fmt::format("onset within {} s, offset within {} s or {} of the length", collar, collar,
                     offset_share);
}

double EventScore::precision() const {
  return ratio(static_cast<double>(pairs), static_cast<double>(found));
}
double EventScore::recall() const {
  return ratio(static_cast<double>(pairs), static_cast<double>(marked));
}
double EventScore::f1() const { return harmonic_mean(pairs, marked, found); }
double EventScore::false_alarms_per_hour() const {
  return ratio(static_cast<double>(found - pairs) * 3600, seconds);
}
std::optional<double> EventScore::median_delay() const {
  if (delays.empty()) return std::nullopt;
  std::vector<double> sorted = delays;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

namespace {

void check_labels_of_steps(std::span<const Index> labels, std::span<const Index> predicted,
                           std::span<const float> weights, Index classes) {
  if (labels.size() != predicted.size() || (!weights.empty() && weights.size() != labels.size()))
    throw DataError(
        fmt::format("events: {} labels, {} predictions and {} weights do not belong to "
                    "one recording.",
                    labels.size(), predicted.size(), weights.size()));
  for (std::size_t t = 0; t < labels.size(); ++t) {
    if (!weights.empty() && weights[t] == 0) continue;
    for (const Index label : {labels[t], predicted[t]})
      if (label < 0 || label >= classes)
        throw DataError(
            fmt::format("events: label {} of step {} is no class below {}.", label, t, classes));
  }
}

}  // namespace

EventJudge::EventJudge(Index classes, double frequency, EventRule rule, Index background)
    : frequency_(frequency), rule_(rule), background_(background), scores_(at(classes)) {
  if (!(frequency > 0))
    throw ArgumentError(fmt::format("EventJudge: frequency must be above 0, got {}.", frequency));
}

void EventJudge::add(std::span<const Index> labels, std::span<const Index> predicted,
                     std::span<const float> weights) {
  check_labels_of_steps(labels, predicted, weights, static_cast<Index>(scores_.size()));
  Index judged = static_cast<Index>(labels.size());
  for (const float weight : weights) judged -= weight == 0;
  const std::vector<Interval> marked = intervals_of(labels, background_, weights),
                              found = intervals_of(predicted, background_, weights);
  for (Index label = 0; label < static_cast<Index>(scores_.size()); ++label) {
    const auto of_label = [&](const std::vector<Interval>& all) {
      std::vector<Interval> some;
      std::copy_if(all.begin(), all.end(), std::back_inserter(some),
                   [&](const Interval& each) { return each.label == label; });
      return some;
    };
    const std::vector<Interval> m = of_label(marked), f = of_label(found);
    EventScore& score = scores_[at(label)];
    score.seconds += static_cast<double>(judged) / frequency_;
    score.marked += static_cast<Index>(m.size());
    score.found += static_cast<Index>(f.size());
    const auto pairs = pair_up(
        m.size(), f.size(),
        [&](std::size_t i, std::size_t j) { return fits(rule_, m[i], f[j], frequency_); },
        [&](std::size_t i, std::size_t j) { return place(rule_, m[i], f[j], frequency_); });
    for (const auto& [i, j] : pairs) {
      ++score.pairs;
      score.delays.push_back(static_cast<double>(f[j].begin - m[i].begin) / frequency_);
    }
  }
}

EventScore EventJudge::total() const {
  EventScore sum;
  for (const EventScore& each : scores_) {
    sum.marked += each.marked;
    sum.found += each.found;
    sum.pairs += each.pairs;
    sum.seconds = each.seconds;
    sum.delays.insert(sum.delays.end(), each.delays.begin(), each.delays.end());
  }
  return sum;
}

double BoundaryScore::precision() const {
  return ratio(static_cast<double>(pairs), static_cast<double>(found));
}
double BoundaryScore::recall() const {
  return ratio(static_cast<double>(pairs), static_cast<double>(marked));
}
double BoundaryScore::f1() const { return harmonic_mean(pairs, marked, found); }

BoundaryJudge::BoundaryJudge(Index classes, double frequency, double tolerance, Index background)
    : frequency_(frequency),
      tolerance_(tolerance),
      background_(background),
      onsets_(at(classes)),
      offsets_(at(classes)) {
  if (!(frequency > 0) || !(tolerance >= 0))
    throw ArgumentError(
        fmt::format("BoundaryJudge: frequency must be above 0 and tolerance at least 0, got {} and "
                    "{}.",
                    frequency, tolerance));
}

void BoundaryJudge::add(std::span<const Index> labels, std::span<const Index> predicted,
                        std::span<const float> weights) {
  check_labels_of_steps(labels, predicted, weights, static_cast<Index>(onsets_.size()));
  const auto size = static_cast<Index>(labels.size());
  const auto known = [&](Index t) {
    return t >= 0 && t < size && (weights.empty() || weights[at(t)] != 0);
  };
  const double reach = (tolerance_ + rounding) * frequency_;
  const std::vector<Interval> marked = intervals_of(labels, background_, weights),
                              found = intervals_of(predicted, background_);
  const auto judge = [&](BoundaryScore& score, Index label, bool onset) {
    std::vector<Index> m, unsure, f;
    for (const Interval& each : marked)
      if (each.label == label)
        (known(onset ? each.begin - 1 : each.end) ? m : unsure)
            .push_back(onset ? each.begin : each.end);
    for (const Interval& each : found)
      if (each.label == label) f.push_back(onset ? each.begin : each.end);
    const auto away = [&](std::size_t i, std::size_t j) {
      return static_cast<double>(f[j] - m[i]);
    };
    const auto pairs = pair_up(
        m.size(), f.size(),
        [&](std::size_t i, std::size_t j) { return std::abs(away(i, j)) <= reach; },
        [&](std::size_t i, std::size_t j) {
          return away(i, j) < -reach ? -1 : away(i, j) > reach ? 1 : 0;
        });
    // What has no partner is wrong only where people looked, on both sides of it, and where no
    // boundary is that counts nowhere.
    std::vector<bool> counts(f.size());
    for (std::size_t j = 0; j < f.size(); ++j)
      counts[j] = known(f[j] - 1) && known(f[j]) &&
                  std::none_of(unsure.begin(), unsure.end(), [&](Index mark) {
                    return std::abs(static_cast<double>(f[j] - mark)) <= reach;
                  });
    for (const auto& pair : pairs) counts[pair.second] = true;
    score.marked += static_cast<Index>(m.size());
    score.found += std::count(counts.begin(), counts.end(), true);
    score.pairs += static_cast<Index>(pairs.size());
    for (const auto& [i, j] : pairs)
      score.errors.push_back(static_cast<double>(f[j] - m[i]) / frequency_);
  };
  for (Index label = 0; label < static_cast<Index>(onsets_.size()); ++label) {
    if (label == background_) continue;
    judge(onsets_[at(label)], label, true);
    judge(offsets_[at(label)], label, false);
  }
}

BoundaryScore BoundaryJudge::both(Index label) const {
  BoundaryScore sum = onset(label);
  const BoundaryScore& more = offset(label);
  sum.marked += more.marked;
  sum.found += more.found;
  sum.pairs += more.pairs;
  sum.errors.insert(sum.errors.end(), more.errors.begin(), more.errors.end());
  return sum;
}

}  // namespace sonde
