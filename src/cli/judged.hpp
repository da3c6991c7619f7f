#pragma once
#include <nlohmann/json.hpp>
#include <sonde/judge.hpp>
#include <sonde/model.hpp>
#include <sonde/predict_recording.hpp>
#include <sonde/recipe.hpp>
#include <string>
#include <vector>

namespace sonde::cli {

/// How a set of recordings was labelled, beside what the position alone would have said.
struct Judged {
  RecordingJudge judge;
  RecordingJudge position;

  Judged(Index classes, const JudgeRules& rules)
      : judge(classes, rules), position(classes, rules) {}
  /// Predicts each recording, already scaled, and judges its final labels by the recipe.
  /// `baseline`: null where nobody knows who trained.
  void add(Model& model, const std::vector<Recording>& recordings, const PositionBaseline* baseline,
           const WholeOptions& options, const Recipe& recipe);
};

/// What is worth a warning: a score that a clock reaches too. Empty when there is nothing.
std::vector<std::string> warnings(const Judged& judged, bool whole);

/// All of it. `classes`: names, or empty for numbers.
nlohmann::ordered_json to_json(const Judged& judged, const std::vector<std::string>& classes,
                               bool whole);
/// The same for people: scores, rules with their parameters, confusion matrix, worst groups.
std::string to_text(const Judged& judged, const std::vector<std::string>& classes, bool whole);

}  // namespace sonde::cli
