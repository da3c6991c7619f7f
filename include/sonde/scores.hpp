#pragma once
#include <sonde/array.hpp>
#include <span>
#include <string>
#include <vector>

namespace sonde {

/// How well one class was found among all steps.
struct StepClass {
  double share = 0;      ///< of the labels: the class's prevalence
  double precision = 0;  ///< of the steps given this class, the part that has it
  double recall = 0;     ///< of the steps that have it, the part found
  double f1 = 0;
  double auc = 0;  ///< exact area under the ROC curve, this class against the others; NaN if alone
};

struct StepScores {
  Index steps = 0;  ///< that were judged
  double accuracy = 0;
  double prevalence = 0;         ///< of the most frequent class: what always guessing it reaches
  double balanced_accuracy = 0;  ///< mean recall of the classes that occur
  double macro_f1 = 0;           ///< mean F1 of the classes that occur or were guessed
  double macro_auc = 0;
  std::vector<StepClass> classes;
  std::vector<std::vector<Index>> confusion;  ///< [label][prediction]
};

/// Judges predicted classes step by step, recording after recording. Steps with weight 0 count
/// nowhere; all others count once.
///   StepJudge judge(4);
///   judge.add(model.predict(x), labels, weights);
///   StepScores scores = judge.scores();
class StepJudge {
 public:
  /// `classes` at least 2. One prediction per step means the probability of class 1.
  explicit StepJudge(Index classes);

  /// predictions: (…, classes) or (…, 1); labels: a class number for each step; weights: one for
  /// each step, or none. Throws DataError when their sizes or a label do not fit.
  void add(std::span<const float> predictions, std::span<const float> labels,
           std::span<const float> weights = {});
  StepScores scores() const;

 private:
  /// What a class was given at the steps that have it, and at the others.
  struct Ranked {
    std::vector<float> with, without;
  };
  /// Exact: the share of pairs, one of each, in which `with` scores higher, ties half.
  static double area_under_roc(Ranked ranked);

  Index classes_;
  std::vector<std::vector<Index>> confusion_;
  std::vector<Ranked> ranked_;  ///< per class; of one output, class 1's alone
};

/// What can be said from [label][prediction] alone: all but the areas under curves, which are NaN.
StepScores step_scores(const std::vector<std::vector<Index>>& confusion);

/// The class of each step: the largest of its `classes` predictions, or above 0.5 for one.
std::vector<Index> most_likely(std::span<const float> predictions, Index classes);

/// The confusion matrix as a table for people, labels down and predictions across.
std::string confusion_table(const StepScores& scores, const std::vector<std::string>& names);

}  // namespace sonde
