#include <sonde/tuning.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <sonde/error.hpp>
#include <sonde/words.hpp>

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

Index classes_of(std::span<const LabelledProbabilities> recordings) {
  if (recordings.empty())
    throw DataError("tuning: there are no recordings. Give those of the validation part.");
  const Index width = recordings.front().probabilities->shape().last();
  for (const LabelledProbabilities& each : recordings)
    if (each.probabilities->shape().rank() != 2 || each.probabilities->shape().last() != width ||
        each.probabilities->shape()[0] != static_cast<Index>(each.labels.size()))
      throw DataError(fmt::format("tuning: expected probabilities ({}, {}) for {} labels, got {}.",
                                  each.labels.size(), width, each.labels.size(),
                                  to_string(each.probabilities->shape())));
  return std::max<Index>(width, 2);
}

/// Mean F1 over the classes that occur or are found, from counts alone: StepJudge keeps every
/// probability for its AUC, which would be the most part of a search.
class StepCounts {
 public:
  explicit StepCounts(Index classes) : right_(at(classes)), all_(at(classes)) {}

  void add(const LabelledProbabilities& recording, std::span<const Index> found) {
    for (std::size_t t = 0; t < found.size(); ++t) {
      if (!recording.weights.empty() && recording.weights[t] == 0) continue;
      const auto label = static_cast<std::size_t>(recording.labels[t]);
      if (recording.labels[t] < 0 || label >= all_.size())
        throw DataError(fmt::format("tuning: label {} of step {} is no class below {}.",
                                    recording.labels[t], t, all_.size()));
      ++all_[label];
      ++all_[at(found[t])];
      right_[label] += recording.labels[t] == found[t];
    }
  }
  double mean() const {
    double sum = 0, classes = 0;
    for (std::size_t k = 0; k < all_.size(); ++k)
      if (all_[k] > 0)
        sum += 2 * static_cast<double>(right_[k]) / static_cast<double>(all_[k]), ++classes;
    return classes > 0 ? sum / classes : 0;
  }

 private:
  std::vector<Index> right_, all_;  // all_: marked + found
};

/// Mean F1 over the classes that are marked or found.
template <class Score>
double mean_f1(Index classes, Index background, Score score_of_class) {
  double sum = 0, count = 0;
  for (Index k = 0; k < classes; ++k) {
    if (k == background) continue;
    const auto& score = score_of_class(k);
    if (score.marked + score.found > 0) sum += score.f1(), ++count;
  }
  return count > 0 ? sum / count : 0;
}

// --- grids ---------------------------------------------------------------------------------------

/// Seconds from one step up to `longest`, each a quarter longer than the one before and a whole
/// number of steps.
std::vector<double> lengths(double frequency, double longest) {
  std::vector<double> found;
  double steps = 1;
  while (steps / frequency <= longest && found.size() < 40) {
    found.push_back(std::floor(steps) / frequency);
    steps = std::max(std::floor(steps) + 1, steps * 1.25);
  }
  return found;
}

/// The length of the middle one of the events that people marked; 0 without any.
double usual_event(std::span<const LabelledProbabilities> recordings, Index background) {
  std::vector<double> seconds;
  for (const LabelledProbabilities& each : recordings)
    for (const Interval& event : intervals_of(each.labels, background, each.weights))
      seconds.push_back(static_cast<double>(event.steps()) / each.frequency);
  if (seconds.empty()) return 0;
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return *middle;
}

/// One setting: the ways in which it may stand, what stands for nothing first.
using Setting = std::vector<std::function<void(PostProcessing&)>>;

template <class T>
Setting setting(T PostProcessing::*member, T nothing, const std::vector<double>& values) {
  Setting ways = {[=](PostProcessing& p) { p.*member = nothing; }};
  for (const double value : values) ways.push_back([=](PostProcessing& p) { p.*member = value; });
  return ways;
}

Setting factor_of(std::size_t label, std::size_t classes) {
  Setting ways;
  for (const double factor : {1.0, 0.7, 1.4, 0.5, 2.0, 0.35, 2.8, 0.25, 4.0, 0.1, 10.0})
    ways.push_back([=](PostProcessing& p) {
      if (p.class_factors.empty()) p.class_factors.assign(classes, 1);
      p.class_factors[label] = factor;
      if (std::all_of(p.class_factors.begin(), p.class_factors.end(),
                      [](double f) { return f == 1; }))
        p.class_factors.clear();
    });
  return ways;
}

Setting thresholds() {
  Setting ways = {[](PostProcessing& p) { p.threshold = 0.5, p.low_threshold.reset(); }};
  for (int percent = 5; percent < 100; percent += percent < 15 || percent >= 85 ? 2 : 5)
    ways.push_back([percent](PostProcessing& p) {
      p.threshold = percent / 100.0;
      p.low_threshold.reset();
    });
  return ways;
}

Setting hysteresis() {
  Setting ways = {[](PostProcessing& p) { p.low_threshold.reset(); }};
  for (const double part : {0.9, 0.75, 0.6, 0.4, 0.2, 0.1})
    ways.push_back([part](PostProcessing& p) { p.low_threshold = p.threshold * part; });
  return ways;
}

}  // namespace

std::string Criterion::text() const {
  switch (kind) {
    case Kind::step_f1:
      break;
    case Kind::event_f1:
      return fmt::format("macro F1 of events, {}", rule.text());
    case Kind::boundary_f1:
      return fmt::format("macro F1 of onsets and offsets within {} s", tolerance);
  }
  return "macro F1 of steps";
}

double score_of(std::span<const LabelledProbabilities> recordings, const PostProcessing& processing,
                const Criterion& criterion, Index background) {
  const Index classes = classes_of(recordings);
  const auto judge_all = [&](auto add) {
    for (const LabelledProbabilities& each : recordings)
      add(each, labels_from(*each.probabilities, each.frequency, processing, background));
  };
  if (criterion.kind == Criterion::Kind::step_f1) {
    StepCounts counts(classes);
    judge_all([&](const LabelledProbabilities& each, std::span<const Index> found) {
      counts.add(each, found);
    });
    return counts.mean();
  }
  // Judges have one frequency: scores do not depend on it beyond the rule's seconds.
  const double frequency = recordings.front().frequency;
  for (const LabelledProbabilities& each : recordings)
    if (each.frequency != frequency)
      throw DataError(
          fmt::format("tuning: recordings of {} and {} steps per second cannot be judged "
                      "together. Resample them.",
                      rate_text(frequency, each.frequency), rate_text(each.frequency, frequency)));
  if (criterion.kind == Criterion::Kind::event_f1) {
    EventJudge judge(classes, frequency, criterion.rule, background);
    judge_all([&](const LabelledProbabilities& each, std::span<const Index> found) {
      judge.add(each.labels, found, each.weights);
    });
    return mean_f1(classes, background,
                   [&](Index k) -> const EventScore& { return judge.score(k); });
  }
  BoundaryJudge judge(classes, frequency, criterion.tolerance, background);
  judge_all([&](const LabelledProbabilities& each, std::span<const Index> found) {
    judge.add(each.labels, found, each.weights);
  });
  return mean_f1(classes, background, [&](Index k) { return judge.both(k); });
}

TunedProcessing tune_post_processing(std::span<const LabelledProbabilities> recordings,
                                     const TuningOptions& options) {
  const Index classes = classes_of(recordings);
  TunedProcessing tuned;
  const auto score = [&](const PostProcessing& processing) {
    ++tuned.tried;
    return score_of(recordings, processing, options.criterion, options.background);
  };
  tuned.before = score({});

  double frequency = 0;
  for (const LabelledProbabilities& each : recordings)
    frequency = std::max(frequency, each.frequency);
  const double event = usual_event(recordings, options.background);
  const std::vector<double> up_to_event = lengths(frequency, event);
  std::vector<double> medians;  // the stretch is 2 * (steps / 2) + 1: only odd ones differ
  for (const double seconds : up_to_event)
    if (const double steps = std::round(seconds * frequency); steps >= 2)
      medians.push_back((2 * std::floor(steps / 2) + 1) / frequency);
  medians.erase(std::unique(medians.begin(), medians.end()), medians.end());
  const Setting gap = setting(&PostProcessing::gap_seconds, 0.0, up_to_event),
                duration = setting(&PostProcessing::duration_seconds, 0.0, up_to_event),
                median = setting(&PostProcessing::median_seconds, 0.0, medians),
                change = setting(&PostProcessing::switch_probability, 0.0,
                                 {0.2, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-10});
  std::vector<Setting> factors;
  for (Index k = 0; k < classes; ++k)
    if (k != options.background || classes == 2) factors.push_back(factor_of(at(k), at(classes)));
  if (classes == 2) factors.resize(1);

  std::vector<Setting> plain, path = {change};
  if (classes == 2) plain = {thresholds(), hysteresis()};
  else plain = factors;
  path.insert(path.end(), factors.begin(), factors.end());
  plain.insert(plain.end(), {median, gap, duration});
  path.insert(path.end(), {gap, duration});

  tuned.after = tuned.before;
  for (const std::vector<Setting>& settings : {plain, path}) {
    PostProcessing best;
    double reached = tuned.before;
    constexpr int most_rounds = 4;
    bool gains = true;
    for (int round = 0; round < most_rounds && gains; ++round) {
      gains = false;
      for (const Setting& ways : settings) {
        PostProcessing choice = best;
        double chosen = reached;
        for (const auto& way : ways) {
          PostProcessing candidate = best;
          way(candidate);
          if (candidate == best) continue;
          // The first way is to do nothing: as good is good enough.
          const bool nothing = &way == &ways.front();
          const double value = score(candidate);
          if (nothing ? value >= chosen : value > chosen && value >= reached + options.least_gain) {
            choice = candidate;
            chosen = value;
          }
        }
        if (choice == best) continue;
        gains = gains || chosen > reached;
        best = choice;
        reached = chosen;
      }
    }
    if (reached > tuned.after) {
      tuned.after = reached;
      tuned.processing = best;
    }
  }
  return tuned;
}

}  // namespace sonde
