#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <sonde/error.hpp>
#include <sonde/judge.hpp>
#include <sonde/splits.hpp>

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

void add_to(EventScore& sum, const EventScore& more) {
  sum.marked += more.marked;
  sum.found += more.found;
  sum.pairs += more.pairs;
  sum.seconds += more.seconds;
  sum.delays.insert(sum.delays.end(), more.delays.begin(), more.delays.end());
}

void add_to(BoundaryScore& sum, const BoundaryScore& more) {
  sum.marked += more.marked;
  sum.found += more.found;
  sum.pairs += more.pairs;
  sum.errors.insert(sum.errors.end(), more.errors.begin(), more.errors.end());
}

/// The counts of one recording, side by side, so that drawing groups is adding numbers.
struct Tally {
  std::vector<std::vector<Index>> confusion;
  struct Found {
    Index marked = 0, found = 0, pairs = 0;
    double f1() const {
      return marked + found > 0
                 ? 2 * static_cast<double>(pairs) / static_cast<double>(marked + found)
                 : 0;
    }
  };
  Found events = {};  ///< of the first rule, all classes
  std::vector<Found> boundaries = {};

  void add(const Tally& more) {
    const auto add_found = [](Found& sum, const Found& each) {
      sum.marked += each.marked, sum.found += each.found, sum.pairs += each.pairs;
    };
    if (confusion.empty()) return void(*this = more);
    for (std::size_t i = 0; i < confusion.size(); ++i)
      for (std::size_t j = 0; j < confusion.size(); ++j) confusion[i][j] += more.confusion[i][j];
    add_found(events, more.events);
    for (std::size_t k = 0; k < boundaries.size(); ++k)
      add_found(boundaries[k], more.boundaries[k]);
  }
};

Tally tally_of(const JudgedRecording& score) {
  Tally tally{.confusion = score.steps.confusion};
  if (!score.events.empty())
    for (const EventScore& each : score.events[0]) {
      tally.events.marked += each.marked;
      tally.events.found += each.found;
      tally.events.pairs += each.pairs;
    }
  for (const Boundaries& each : score.boundaries)
    tally.boundaries.push_back({each.both.marked, each.both.found, each.both.pairs});
  return tally;
}

std::map<std::string, double> figures_of(const Tally& tally, bool events) {
  const StepScores steps = step_scores(tally.confusion);
  std::map<std::string, double> figures = {{"accuracy", steps.accuracy},
                                           {"balanced_accuracy", steps.balanced_accuracy},
                                           {"macro_f1", steps.macro_f1}};
  if (steps.classes.size() == 2) figures["f1"] = steps.classes[1].f1;
  if (events) figures["event_f1"] = tally.events.f1();
  double sum = 0, count = 0;
  for (const Tally::Found& each : tally.boundaries)
    if (each.marked > 0) sum += each.f1(), ++count;
  if (count > 0) figures["boundary_f1"] = sum / count;
  return figures;
}

}  // namespace

std::vector<EventRule> JudgeRules::event_rules() const {
  std::vector<EventRule> rules;
  for (const EventRule::Kind kind : events)
    rules.push_back({.kind = kind, .iou = iou, .collar = collar, .offset_share = offset_share});
  return rules;
}

EventScore JudgedRecording::event_total(std::size_t rule) const {
  EventScore sum;
  for (const EventScore& each : events[rule]) add_to(sum, each);
  sum.seconds = seconds;
  return sum;
}

std::map<std::string, double> JudgedRecording::figures() const {
  return figures_of(tally_of(*this), !events.empty());
}

JudgedRecording sum_of(std::span<const JudgedRecording* const> recordings) {
  JudgedRecording sum;
  sum.recordings = 0;
  for (const JudgedRecording* each : recordings) {
    sum.recordings += each->recordings;
    sum.seconds += each->seconds;
    if (sum.recordings == each->recordings) {
      sum.steps.confusion = each->steps.confusion;
      sum.events = each->events;
      sum.boundaries = each->boundaries;
      continue;
    }
    for (std::size_t i = 0; i < sum.steps.confusion.size(); ++i)
      for (std::size_t j = 0; j < sum.steps.confusion.size(); ++j)
        sum.steps.confusion[i][j] += each->steps.confusion[i][j];
    for (std::size_t rule = 0; rule < sum.events.size(); ++rule)
      for (std::size_t k = 0; k < sum.events[rule].size(); ++k)
        add_to(sum.events[rule][k], each->events[rule][k]);
    for (std::size_t k = 0; k < sum.boundaries.size(); ++k) {
      add_to(sum.boundaries[k].onset, each->boundaries[k].onset);
      add_to(sum.boundaries[k].offset, each->boundaries[k].offset);
      add_to(sum.boundaries[k].both, each->boundaries[k].both);
    }
  }
  sum.steps = step_scores(sum.steps.confusion);
  return sum;
}

RecordingJudge::RecordingJudge(Index classes, JudgeRules rules)
    : classes_(classes), rules_(std::move(rules)) {
  const auto refuse = [](std::string_view what, std::string_view expected, double got) {
    throw ArgumentError(fmt::format("evaluation: {} must be {}, got {}.", what, expected, got));
  };
  if (classes < 2) refuse("classes", "at least 2", static_cast<double>(classes));
  if (!(rules_.iou > 0 && rules_.iou <= 1)) refuse("iou", "above 0 and at most 1", rules_.iou);
  if (!(rules_.collar >= 0)) refuse("collar", "at least 0", rules_.collar);
  if (!(rules_.offset_share >= 0)) refuse("offset_share", "at least 0", rules_.offset_share);
  if (!(rules_.boundary_tolerance >= 0))
    refuse("boundary_tolerance", "at least 0", rules_.boundary_tolerance);
  if (rules_.background < -1 || rules_.background >= classes)
    refuse("background", fmt::format("a class below {}, or -1 for none", classes),
           static_cast<double>(rules_.background));
  if (rules_.calibration_bins < 1)
    refuse("calibration_bins", "at least 1", static_cast<double>(rules_.calibration_bins));
  if (!(rules_.level > 0 && rules_.level < 1)) refuse("level", "between 0 and 1", rules_.level);
  if (rules_.draws < 0) refuse("draws", "at least 0", static_cast<double>(rules_.draws));
  if (rules_.seed < 0) refuse("seed", "at least 0", static_cast<double>(rules_.seed));
}

void RecordingJudge::add(const Recording& recording, const Array& probabilities,
                         std::span<const Index> predicted) {
  const auto labels = recording.labels.values();
  const auto weights = recording.weights.values();
  const auto steps = static_cast<Index>(labels.size());
  const Index outputs = probabilities.empty() || steps == 0 ? 0 : probabilities.size() / steps;
  if (static_cast<Index>(predicted.size()) != steps || weights.size() != labels.size() ||
      (!probabilities.empty() && (probabilities.size() != outputs * steps ||
                                  (outputs != classes_ && !(outputs == 1 && classes_ == 2)) ||
                                  (outputs_ > 0 && outputs_ != outputs))))
    throw DataError(fmt::format(
        "recording \"{}\": {} steps, {} weights, {} predicted labels and {} probabilities of {} "
        "classes do not belong together.",
        recording.name, steps, weights.size(), predicted.size(), probabilities.size(), classes_));

  JudgedRecording score{.name = recording.name, .group = group_of(recording)};
  std::vector<std::vector<Index>> confusion(at(classes_), std::vector<Index>(at(classes_)));
  std::vector<Index> numbers(at(steps));
  Index judged = 0;
  for (std::size_t t = 0; t < labels.size(); ++t) {
    if (weights[t] == 0) continue;
    const bool is_class = labels[t] >= 0 && labels[t] < static_cast<float>(classes_) &&
                          labels[t] == std::floor(labels[t]);
    if (!is_class || predicted[t] < 0 || predicted[t] >= classes_)
      throw DataError(
          fmt::format("recording \"{}\": label {} or predicted label {} of step {} is no class "
                      "number below {}.",
                      recording.name, labels[t], predicted[t], t, classes_));
    numbers[t] = static_cast<Index>(labels[t]);
    ++confusion[at(numbers[t])][at(predicted[t])];
    ++judged;
    if (outputs == 0) continue;
    const float* p = probabilities.data() + static_cast<Index>(t) * outputs;
    probabilities_.insert(probabilities_.end(), p, p + outputs);
    labels_.push_back(labels[t]);
  }
  if (outputs > 0) outputs_ = outputs;
  score.steps = step_scores(confusion);
  score.seconds = recording.frequency > 0 ? static_cast<double>(judged) / recording.frequency : 0;

  for (const EventRule& rule : rules_.event_rules()) {
    EventJudge judge(classes_, recording.frequency, rule, rules_.background);
    judge.add(numbers, predicted, weights);
    std::vector<EventScore>& each = score.events.emplace_back();
    for (Index k = 0; k < classes_; ++k) each.push_back(judge.score(k));
  }
  if (rules_.boundary_tolerance > 0) {
    BoundaryJudge judge(classes_, recording.frequency, rules_.boundary_tolerance,
                        rules_.background);
    judge.add(numbers, predicted, weights);
    for (Index k = 0; k < classes_; ++k)
      score.boundaries.push_back({judge.onset(k), judge.offset(k), judge.both(k)});
  }
  recordings_.push_back(std::move(score));
}

void RecordingJudge::add(const RecordingJudge& other) {
  if (other.classes_ != classes_ || other.rules_ != rules_ ||
      (outputs_ > 0 && other.outputs_ > 0 && other.outputs_ != outputs_))
    throw ArgumentError("RecordingJudge: the other judge has other classes or rules.");
  outputs_ = std::max(outputs_, other.outputs_);
  recordings_.insert(recordings_.end(), other.recordings_.begin(), other.recordings_.end());
  probabilities_.insert(probabilities_.end(), other.probabilities_.begin(),
                        other.probabilities_.end());
  labels_.insert(labels_.end(), other.labels_.begin(), other.labels_.end());
}

std::vector<JudgedRecording> RecordingJudge::groups() const {
  std::map<std::string, std::vector<const JudgedRecording*>> by_group;
  for (const JudgedRecording& each : recordings_) by_group[each.group].push_back(&each);
  std::vector<JudgedRecording> result;
  for (const auto& [name, members] : by_group) {
    result.push_back(sum_of(members));
    result.back().name = result.back().group = name;
  }
  return result;
}

JudgedRecording RecordingJudge::counts() const {
  std::vector<const JudgedRecording*> every;
  for (const JudgedRecording& each : recordings_) every.push_back(&each);
  return sum_of(every);
}

JudgedRecording RecordingJudge::all() const {
  JudgedRecording sum = counts();
  if (outputs_ == 0) return sum;
  StepJudge judge(classes_);
  judge.add(probabilities_, labels_);
  const StepScores ranked = judge.scores();
  sum.steps.macro_auc = ranked.macro_auc;
  for (std::size_t k = 0; k < ranked.classes.size(); ++k)
    sum.steps.classes[k].auc = ranked.classes[k].auc;
  return sum;
}

std::optional<CalibrationScores> RecordingJudge::calibration() const {
  if (outputs_ == 0) return std::nullopt;
  return sonde::calibration(probabilities_, labels_, {}, rules_.calibration_bins);
}

double RecordingJudge::log_loss() const {
  if (outputs_ == 0) return std::numeric_limits<double>::quiet_NaN();
  return sonde::calibration(probabilities_, labels_, {}, 1).log_loss;
}

std::map<std::string, ConfidenceInterval> RecordingJudge::intervals() const {
  const RecordingJudge* self = this;
  return intervals_of({&self, 1});
}

std::map<std::string, ConfidenceInterval> intervals_of(
    std::span<const RecordingJudge* const> runs) {
  if (runs.empty()) return {};
  std::set<std::string> names;
  for (const RecordingJudge* run : runs)
    for (const JudgedRecording& each : run->recordings()) names.insert(each.group);
  const JudgeRules& rules = runs.front()->rules();
  if (names.size() < 2 || rules.draws == 0) return {};

  const std::vector<std::string> groups(names.begin(), names.end());
  std::vector<std::vector<Tally>> tallies(runs.size(), std::vector<Tally>(groups.size()));
  for (std::size_t run = 0; run < runs.size(); ++run)
    for (const JudgedRecording& each : runs[run]->recordings()) {
      const auto place = std::lower_bound(groups.begin(), groups.end(), each.group);
      tallies[run][static_cast<std::size_t>(place - groups.begin())].add(tally_of(each));
    }
  const bool events = !rules.events.empty();
  const auto figure = [&](const std::string& name, std::span<const Index> drawn) {
    double mean = 0;
    for (const auto& run : tallies) {
      Tally sum;
      for (const Index g : drawn)
        if (!run[at(g)].confusion.empty()) sum.add(run[at(g)]);
      if (sum.confusion.empty()) return std::numeric_limits<double>::quiet_NaN();
      const std::map<std::string, double> figures = figures_of(sum, events);
      const auto found = figures.find(name);
      if (found == figures.end()) return std::numeric_limits<double>::quiet_NaN();
      mean += found->second / static_cast<double>(runs.size());
    }
    return mean;
  };
  std::map<std::string, ConfidenceInterval> result;
  for (const auto& entry : runs.front()->counts().figures())
    result[entry.first] =
        bootstrap(static_cast<Index>(groups.size()),
                  [&](std::span<const Index> drawn) { return figure(entry.first, drawn); },
                  {.draws = rules.draws,
                   .level = rules.level,
                   .seed = static_cast<std::uint64_t>(rules.seed)});
  return result;
}

PositionBaseline::PositionBaseline(std::span<const Recording> training, Index classes) {
  Index longest = 0;
  for (const Recording& each : training)
    longest = std::max(longest, static_cast<Index>(each.labels.size()));
  std::vector<Index> counts(at(longest * classes)), totals(at(classes));
  for (const Recording& each : training)
    for (Index t = 0; t < each.labels.size(); ++t) {
      if (each.weights(t) == 0) continue;
      const float label = each.labels.data()[t];
      if (!(label >= 0 && label < static_cast<float>(classes)) || label != std::floor(label))
        throw DataError(
            fmt::format("recording \"{}\": the label at step {} must be a class number below {}, "
                        "got {}.",
                        each.name, t, classes, label));
      ++counts[at(t * classes + static_cast<Index>(label))];
      ++totals[at(static_cast<Index>(label))];
    }
  otherwise_ = std::max_element(totals.begin(), totals.end()) - totals.begin();
  for (Index t = 0; t < longest; ++t) {
    const auto begin = counts.begin() + t * classes;
    const auto best = std::max_element(begin, begin + classes);
    best_.push_back(*best > 0 ? best - begin : otherwise_);
  }
}

std::vector<Index> PositionBaseline::labels(Index steps) const {
  std::vector<Index> result = best_;
  result.resize(at(steps), otherwise_);
  return result;
}

}  // namespace sonde
