#pragma once
#include <map>
#include <sonde/calibration.hpp>
#include <sonde/events.hpp>
#include <sonde/recordings.hpp>
#include <sonde/scores.hpp>

/// How well whole recordings were labelled: step by step, event by event, boundary by boundary, for
/// each group, with how far each figure would move were other groups drawn, and beside it what
/// knowing nothing but the step's number would reach.
namespace sonde {

/// By which rules.
struct JudgeRules {
  static constexpr std::string_view type = "evaluation";
  /// When a found event is the marked one, each rule apart; the first gives "event_f1".
  std::vector<EventRule::Kind> events = {EventRule::Kind::overlap};
  double iou = 0.5;               ///< of iou
  double collar = 0.2;            ///< seconds, of collar
  double offset_share = 0.2;      ///< of the marked event's length, of collar
  double boundary_tolerance = 0;  ///< seconds that an onset or offset may be off; 0: not judged
  Index background = 0;           ///< the class that is no event; -1: every class is one
  Index calibration_bins = 15;
  double level = 0.95;  ///< of the confidence intervals
  Index draws = 1000;   ///< of groups, for them; 0: none
  Index seed = 0;       ///< of the draws

  static constexpr auto fields() {
    using J = JudgeRules;
    return fields_of(field("events", &J::events), field("iou", &J::iou),
                     field("collar", &J::collar), field("offset_share", &J::offset_share),
                     field("boundary_tolerance", &J::boundary_tolerance),
                     field("background", &J::background),
                     field("calibration_bins", &J::calibration_bins), field("level", &J::level),
                     field("draws", &J::draws), field("seed", &J::seed));
  }
  std::vector<EventRule> event_rules() const;
  bool operator==(const JudgeRules&) const = default;
};

struct Boundaries {
  BoundaryScore onset, offset, both;
};

/// Of one recording, of one group, or of all.
struct JudgedRecording {
  std::string name = {};
  std::string group = {};
  Index recordings = 1;
  double seconds = 0;     ///< of labelled signal
  StepScores steps = {};  ///< of the final labels; areas under curves only where all are judged
  std::vector<std::vector<EventScore>> events = {};  ///< [rule][class]
  std::vector<Boundaries> boundaries = {};           ///< [class]; empty when not judged

  /// Over all classes, events counted alike.
  EventScore event_total(std::size_t rule) const;
  /// The figures that are watched, tuned and given intervals, by name: "accuracy",
  /// "balanced_accuracy", "macro_f1"; "f1" (of class 1) where there are two classes; "event_f1";
  /// "boundary_f1", the mean over the classes that are marked. Those that do not exist are left
  /// out.
  std::map<std::string, double> figures() const;
};

/// Judges recordings that were predicted whole.
///   RecordingJudge judge(4, {.boundary_tolerance = 0.15});
///   for (const Recording& each : parts.test) {
///     const Array p = predict_recording(model, each.signal);
///     judge.add(each, p, labels_from(p, each.frequency));
///   }
///   double f1 = judge.all().steps.macro_f1;
/// Steps of weight 0 count nowhere.
class RecordingJudge {
 public:
  /// Throws ArgumentError for rules out of range.
  explicit RecordingJudge(Index classes, JudgeRules rules = {});

  /// probabilities: (time, classes) or (time, 1), or empty where only labels are known; predicted:
  /// the final label of each step. Throws DataError where they do not fit the recording.
  void add(const Recording& recording, const Array& probabilities,
           std::span<const Index> predicted);

  /// What another judge of the same classes and rules has seen, as of another fold.
  void add(const RecordingJudge& other);

  const JudgeRules& rules() const { return rules_; }
  Index classes() const { return classes_; }
  const std::vector<JudgedRecording>& recordings() const { return recordings_; }
  std::vector<JudgedRecording> groups() const;  ///< in alphabetical order
  /// All recordings as one, with the areas under curves.
  JudgedRecording all() const;
  /// The same without the areas: fast enough for every epoch.
  JudgedRecording counts() const;
  /// Empty without probabilities.
  std::optional<CalibrationScores> calibration() const;
  double log_loss() const;  ///< mean of -log p of the right class; NaN without probabilities
  /// Of each figure, by drawing groups; empty for fewer than two groups.
  std::map<std::string, ConfidenceInterval> intervals() const;

 private:
  Index classes_;
  JudgeRules rules_;
  std::vector<JudgedRecording> recordings_;
  // Of the labelled steps.
  Index outputs_ = 0;
  std::vector<float> probabilities_, labels_;
};

/// `recordings` as one. Without areas under curves.
JudgedRecording sum_of(std::span<const JudgedRecording* const> recordings);

/// Intervals over several judgements of the same groups, as of several seeds: of the mean figure.
std::map<std::string, ConfidenceInterval> intervals_of(std::span<const RecordingJudge* const> runs);

/// What the number of a step alone says of its label: the class that is most frequent there in the
/// training recordings, or over all their steps where none has a label there. A network that sees
/// whole recordings can learn this clock; a score that is not far above it says nothing about the
/// signal.
class PositionBaseline {
 public:
  /// Throws DataError for labels that are no class.
  PositionBaseline(std::span<const Recording> training, Index classes);
  std::vector<Index> labels(Index steps) const;

 private:
  std::vector<Index> best_;
  Index otherwise_ = 0;
};

}  // namespace sonde
