#pragma once
#include <optional>
#include <sonde/callbacks.hpp>
#include <sonde/report.hpp>
#include <vector>

#include "cli/run_directory.hpp"

namespace sonde::cli {

/// Keeps the values of each epoch in the run's events.out.tfevents.* file, as TensorBoard reads it
/// while the run goes on. There is one such file in the folder: a run that goes on writes it anew,
/// without the epochs that come again.
class LearningLog {
 public:
  /// Both must outlive the callback.
  explicit LearningLog(const RunDirectory& directory) : directory_(directory) {}
  LearningLog(const LearningLog&) = delete;
  LearningLog& operator=(const LearningLog&) = delete;

  Callback callback();

 private:
  void write(std::size_t entry);

  const RunDirectory& directory_;
  std::optional<TensorBoardWriter> board_;
  std::vector<Index> epochs_;
  std::vector<double> times_;  ///< seconds since 1970
  std::vector<Logs> logs_;
};

}  // namespace sonde::cli
