#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cli/tune_plan.hpp"
#include "cli/value_json.hpp"

namespace sonde::cli {

/// What became of one trial.
struct TrialLine {
  Trial trial;
  Index epochs = 0;                 ///< of its last round; 0: not tried yet
  std::string criterion = {};       ///< the value that it was judged by
  std::vector<double> values = {};  ///< of each fold
  std::string status = "not tried";
  std::string reason = {};  ///< why it failed

  /// Takes the result of a fold in; false when it failed. Throws ArgumentError where the criterion
  /// is none of its values.
  bool take(const Json& result, const std::string& criterion);
  std::optional<double> mean() const;  ///< over the folds; none when one of them failed
  double deviation() const;            ///< of the folds
  /// "val_loss 0.1234 ± 0.01 over 5 folds", or the status.
  std::string words() const;
};

/// All trials in their order, as tables for people and programs.
class TrialTable {
 public:
  explicit TrialTable(const TunePlan& plan);

  std::vector<TrialLine>& lines() { return lines_; }
  const std::vector<TrialLine>& lines() const { return lines_; }
  /// Longer trained is better, since halving trains the better ones longer; then by the mean.
  bool better(const TrialLine& a, const TrialLine& b) const;

  std::string csv() const;
  Json json() const;
  std::string text() const;  ///< the best first

 private:
  std::vector<TrialLine> lines_;
};

/// All that a search depends on.
Json to_json(const TunePlan& plan);

}  // namespace sonde::cli
