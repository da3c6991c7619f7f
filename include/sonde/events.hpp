#pragma once
#include <array>
#include <optional>
#include <sonde/array.hpp>
#include <sonde/fields.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Labels as people mark them: stretches of time. How well stretches were found, and how labels of
/// steps are made into stretches that somebody can use.
namespace sonde {

/// The steps [begin, end) with one label.
struct Interval {
  Index begin = 0;
  Index end = 0;
  Index label = 0;

  Index steps() const { return end - begin; }
  bool operator==(const Interval&) const = default;
};

/// The stretches of equal labels, in order. Steps of `background` belong to none; with weights,
/// neither do steps of weight 0.
std::vector<Interval> intervals_of(std::span<const Index> labels, Index background = 0,
                                   std::span<const float> weights = {});
/// The labels of `steps` steps; `background` where no interval is. DataError for intervals that
/// overlap or lie outside.
std::vector<Index> labels_of(std::span<const Interval> intervals, Index steps,
                             Index background = 0);

// --- how well events were found ------------------------------------------------------------------

/// When a found event is the marked one. Each event is part of one pair at most; of all pairings
/// one with the most pairs is taken.
struct EventRule {
  enum class Kind {
    overlap,  ///< they share at least one step
    iou,      ///< shared steps / steps of either ≥ `iou`
    collar,   ///< onsets differ by at most `collar`, offsets by at most the larger of `collar` and
              ///< `offset_share` of the marked event's length (sed_eval, DCASE)
  };
  Kind kind = Kind::overlap;
  double iou = 0.5;
  double collar = 0.2;        ///< seconds
  double offset_share = 0.2;  ///< of the marked event's length
  /// "IoU ≥ 0.5", for reports.
  std::string text() const;
};
constexpr auto enum_names(EventRule::Kind) {
  return std::array<std::string_view, 3>{"overlap", "iou", "collar"};
}

/// Of one class, or of all together.
struct EventScore {
  Index marked = 0;  ///< events that people marked
  Index found = 0;   ///< events of the model
  Index pairs = 0;
  double seconds = 0;          ///< of judged signal
  std::vector<double> delays;  ///< seconds from the marked onset to the found one, of each pair

  double precision() const;  ///< 0 when nothing was found
  double recall() const;     ///< 0 when nothing is marked
  double f1() const;
  double false_alarms_per_hour() const;
  /// Median of `delays`: how long after its onset an event is known; negative when it is found too
  /// early. None without pairs.
  std::optional<double> median_delay() const;
};

/// Judges events recording by recording.
///   EventJudge judge(4, 250, {.kind = EventRule::Kind::iou});
///   judge.add(labels, predicted, weights);
///   double f1 = judge.score(2).f1();
/// Steps of weight 0 are unlabelled: what was found there counts nowhere, and an event that reaches
/// into such a stretch is judged by the part outside.
class EventJudge {
 public:
  /// `frequency`: steps per second. Class `background` has no events.
  EventJudge(Index classes, double frequency, EventRule rule = {}, Index background = 0);

  /// One recording. DataError for lengths that differ and labels that are no class.
  void add(std::span<const Index> labels, std::span<const Index> predicted,
           std::span<const float> weights = {});
  const EventScore& score(Index label) const { return scores_[static_cast<std::size_t>(label)]; }
  /// Over all classes, events counted alike ("micro").
  EventScore total() const;

 private:
  double frequency_;
  EventRule rule_;
  Index background_;
  std::vector<EventScore> scores_;
};

/// Boundaries instead of events: how many onsets and offsets of a class lie within `tolerance`
/// seconds of a marked one, each counted once. What electrocardiogram delineators are judged by.
/// A marked boundary next to an unlabelled step counts nowhere, for it may lie elsewhere, and
/// neither does what was found within `tolerance` of it; any other found one without partner counts
/// as false where the steps on both sides of it are labelled.
struct BoundaryScore {
  Index marked = 0, found = 0, pairs = 0;
  std::vector<double> errors;  ///< seconds, found - marked, of each pair

  double precision() const;
  double recall() const;
  double f1() const;
};

class BoundaryJudge {
 public:
  BoundaryJudge(Index classes, double frequency, double tolerance, Index background = 0);

  void add(std::span<const Index> labels, std::span<const Index> predicted,
           std::span<const float> weights = {});
  const BoundaryScore& onset(Index label) const { return onsets_[static_cast<std::size_t>(label)]; }
  const BoundaryScore& offset(Index label) const {
    return offsets_[static_cast<std::size_t>(label)];
  }
  /// Onsets and offsets of a class together.
  BoundaryScore both(Index label) const;

 private:
  double frequency_;
  double tolerance_;
  Index background_;
  std::vector<BoundaryScore> onsets_, offsets_;
};

// --- labels that somebody can use ----------------------------------------------------------------

/// What makes probabilities of single steps into labels; in the order of the fields. Everything at
/// its default leaves the most likely class of each step.
struct PostProcessing {
  static constexpr std::string_view type = "PostProcessing";
  /// The probability of each class is multiplied by its factor first, so that the class is found
  /// more often (above 1) or less often. Empty: all 1.
  std::vector<double> class_factors = {};
  /// Class 1 of one output, or of two classes: above this it is class 1.
  double threshold = 0.5;
  /// Once class 1 it stays until the probability falls to this or below; none: `threshold` alone.
  std::optional<double> low_threshold = {};
  /// Probability of going from one step's class to another one's, for the most likely path through
  /// all steps (Viterbi) instead of the most likely class of each; 0: none.
  double switch_probability = 0;
  double median_seconds = 0;    ///< each label becomes the most frequent one of this stretch
  double gap_seconds = 0;       ///< background up to this long between equal labels is filled
  double duration_seconds = 0;  ///< events shorter than this become background

  static constexpr auto fields() {
    using P = PostProcessing;
    return fields_of(field("class_factors", &P::class_factors), field("threshold", &P::threshold),
                     field("low_threshold", &P::low_threshold),
                     field("switch_probability", &P::switch_probability),
                     field("median_seconds", &P::median_seconds),
                     field("gap_seconds", &P::gap_seconds),
                     field("duration_seconds", &P::duration_seconds));
  }
  bool operator==(const PostProcessing&) const = default;
};

/// Throws ArgumentError for settings outside their range. `where`: whose they are.
void check(const PostProcessing& processing, const Where& where = "PostProcessing");

/// The label of each step of one recording. probabilities: (time, classes), or (time, 1) for the
/// probability of class 1. Throws ArgumentError for settings outside their range and
/// for another number of factors than classes.
std::vector<Index> labels_from(const Array& probabilities, double frequency,
                               const PostProcessing& processing = {}, Index background = 0);

}  // namespace sonde
