#pragma once
#include <nlohmann/json.hpp>
#include <sonde/array.hpp>
#include <string>
#include <vector>

#include "cli/task.hpp"

namespace sonde::cli {

/// How well predictions meet labels, label by label. Labels with weight 0 are left out; all others
/// count once, whatever their weight.
struct ClassScores {
  double share = 0;  ///< of the labels: the prevalence
  double precision = 0, recall = 0, f1 = 0;
  double auc = 0;  ///< exact area under the ROC curve, this class against all others; NaN if alone
};

struct Scores {
  Labels labels = Labels::values;
  Index count = 0;
  double accuracy = 0, balanced_accuracy = 0;
  double prevalence = 0;  ///< of the most frequent class: what always guessing it would reach
  double f1 = 0;          ///< of class 1 when there are two, else the mean over the classes
  double auc = 0;
  std::vector<ClassScores> classes = {};
  std::vector<std::vector<Index>> confusion = {};  ///< [label][prediction]
  double mae = 0, rmse = 0, r2 = 0;                ///< of values
};

/// `predictions` and `y` hold the same labels; a binary one is 1 above 0.5.
Scores score(const Task& task, const Array& predictions, const Array& y, const Array& weights,
             Index steps);

nlohmann::ordered_json to_json(const Scores& scores);
/// The same for people, several lines.
std::string to_text(const Scores& scores);

}  // namespace sonde::cli
