#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <sonde/callbacks.hpp>
#include <sonde/model.hpp>
#include <string>
#include <vector>

#include "cli/learning_log.hpp"
#include "cli/model_file.hpp"
#include "cli/run_directory.hpp"

namespace sonde::cli {

/// One fit that leaves its traces in a run directory: the best model as soon as there is one, the
/// history, and what happened. Whatever ends it, the best model so far is on the disk.
class TrainingRun {
 public:
  /// `before` is called when data and model have been checked and training begins: it writes what
  /// is known beforehand.
  TrainingRun(RunDirectory& directory, Model& model, const Extras& extras, std::string monitor,
              std::function<void()> before);
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  /// Adds its callbacks to those of `options` and fits; then the model has its best weights.
  /// Throws DivergedError and Interrupted, after writing metrics.json.
  /// `judge`: adds values to the logs of an epoch before anybody looks at them.
  void fit(const SampleSource& samples, FitOptions options,
           std::function<void(Training&)> judge = {});

  Index best_epoch() const { return best_epoch_; }
  /// "val_loss 0.1234 in epoch 7 of 20".
  std::string best_text() const;
  /// What is in metrics.json; `scores` is added to it and it is written anew.
  nlohmann::ordered_json finish(nlohmann::ordered_json scores);

 private:
  Callback progress() const;
  void archive(Archive& a);
  void check_loss(const Training& t);
  void epoch_end(Training& t);
  void check_signal(const Training& t);
  [[noreturn]] void diverge(const Training& t, const std::string& name, double value);
  [[noreturn]] void out_of_memory();
  nlohmann::ordered_json metrics() const;
  void write_metrics() const;
  void announce_end() const;

  RunDirectory& directory_;
  LearningLog learning_;
  Model& model_;
  const Extras& extras_;
  std::function<void()> before_;
  Monitor watched_;
  std::string status_ = "running";
  std::string reason_;
  Index epochs_ = 0;                       // to be done
  const SampleSource* samples_ = nullptr;  // that train
  Index batch_size_ = 0;
  Index done_ = 0;
  Index best_epoch_ = -1;  // none yet
  Logs best_logs_;
  std::vector<Array> best_weights_;
};

}  // namespace sonde::cli
