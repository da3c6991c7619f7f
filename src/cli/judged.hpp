#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <sonde/judge.hpp>
#include <sonde/model.hpp>
#include <sonde/predict_recording.hpp>
#include <sonde/recipe.hpp>
#include <span>
#include <string>
#include <vector>

namespace sonde::cli {

/// The name of class k; its number where classes have none.
std::string class_name(const std::vector<std::string>& classes, std::size_t k);
/// Whether stretches of class k are events.
bool is_event(const JudgeRules& rules, std::size_t k);

/// How a set of recordings was labelled, beside what the position alone would have said.
struct Judged {
  RecordingJudge judge;
  RecordingJudge position;

  Judged(Index classes, const JudgeRules& rules)
      : judge(classes, rules), position(classes, rules) {}
  /// Is shown what the model said of a recording: probabilities of each step, and final labels. The
  /// recording is gone afterwards.
  using Show =
      std::function<void(const Recording&, Array probabilities, std::vector<Index> predicted)>;

  /// Predicts each recording, already scaled, and judges its final labels by the recipe: with
  /// combine_channels, one that was taken apart is judged, and shown, as a whole. `baseline`: null
  /// where nobody knows who trained.
  void add(Model& model, std::span<const Recording> recordings, const PositionBaseline* baseline,
           const WholeOptions& options, const Recipe& recipe, const Show& show = {});
  /// Those of another judgement, as of another fold.
  void add(const Judged& more);
};

/// What is worth a warning: a score that a clock reaches too. Empty when there is nothing.
std::vector<std::string> warnings(const Judged& judged, bool whole);

/// All of it. `classes`: names, or empty for numbers.
nlohmann::ordered_json to_json(const Judged& judged, const std::vector<std::string>& classes,
                               bool whole);
/// The same for people: scores, rules with their parameters, confusion matrix, worst groups.
std::string to_text(const Judged& judged, const std::vector<std::string>& classes, bool whole);

}  // namespace sonde::cli
