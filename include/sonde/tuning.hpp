#pragma once
#include <sonde/array.hpp>
#include <sonde/events.hpp>
#include <span>
#include <string>

/// Post-processing chosen by recordings that did not train. Only the validation part may choose:
/// what the test part is judged by must not have seen it.
namespace sonde {

/// What the model says of one recording beside what people say.
struct LabelledProbabilities {
  const Array* probabilities = nullptr;  ///< (time, classes), or (time, 1) for class 1
  std::span<const Index> labels = {};    ///< a class for each step
  std::span<const float> weights = {};   ///< 0: unlabelled, counts nowhere; none: all count
  double frequency = 1;                  ///< steps per second
};

/// What shall become best. Always the mean over classes: of those that occur or are found, and for
/// events and boundaries without the background.
struct Criterion {
  enum class Kind { step_f1, event_f1, boundary_f1 };
  Kind kind = Kind::step_f1;
  EventRule rule = {};      ///< of events
  double tolerance = 0.15;  ///< seconds, of boundaries
  /// "macro F1 of events, IoU ≥ 0.5", for reports.
  std::string text() const;
};

/// From 0 to 1; 0 where nothing is marked and nothing found. DataError for sizes that differ and
/// labels that are no class.
double score_of(std::span<const LabelledProbabilities> recordings, const PostProcessing& processing,
                const Criterion& criterion = {}, Index background = 0);

struct TuningOptions {
  Criterion criterion = {};
  Index background = 0;
  /// A setting that gains less than this over doing nothing there is left at nothing: with few
  /// recordings that is chance.
  double least_gain = 0.001;
};

struct TunedProcessing {
  PostProcessing processing;
  double before = 0;  ///< the criterion without any post-processing
  double after = 0;   ///< never below `before`
  Index tried = 0;
};

/// Searches thresholds, hysteresis, factors of classes, the cost of a change (Viterbi), median, gap
/// and duration: one setting after the other over a fixed grid, round after round until none gains,
/// once without and once with Viterbi. Lengths go up to those of the events that people marked. The
/// same recordings give the same settings. Time: some hundred times labels_from() on all of them.
///   TunedProcessing tuned = tune_post_processing(validation, {.criterion =
///   {Criterion::Kind::event_f1}});
TunedProcessing tune_post_processing(std::span<const LabelledProbabilities> recordings,
                                     const TuningOptions& options = {});

}  // namespace sonde
