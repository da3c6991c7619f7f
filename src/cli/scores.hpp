#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <sonde/array.hpp>
#include <sonde/scores.hpp>
#include <string>
#include <vector>

#include "cli/task.hpp"

namespace sonde::cli {

/// How far predicted values are from measured ones.
struct ValueScores {
  Index count = 0;
  double mae = 0, rmse = 0;
  double r2 = 0;  ///< the part of the variance that is explained; NaN when all values are the same
};

/// How well predictions meet labels, label by label. Labels with weight 0 are left out; all others
/// count once, whatever their weight.
struct Scores {
  std::vector<StepScores> steps = {};  ///< of classes: one; of labels side by side: one for each
  std::optional<ValueScores> values = {};
};

/// The weights of labels, 0 where the output's mask (samples, steps) leaves a step out, as the loss
/// does. Either may be empty: then all count.
Array masked_weights(const Array& weights, const Array& mask);

/// `predictions` and `y` hold the same labels.
Scores score(const Task& task, const Array& predictions, const Array& y, const Array& weights,
             Index steps);

nlohmann::ordered_json to_json(const Scores& scores);
/// The same for people, several lines.
std::string to_text(const Scores& scores);

}  // namespace sonde::cli
