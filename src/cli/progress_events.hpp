#pragma once
#include <nlohmann/json.hpp>
#include <sonde/callbacks.hpp>

namespace sonde::cli {

/// One JSON object on a line of stderr; a stderr that takes nothing is no reason to stop.
void print_event(const nlohmann::ordered_json& event);

/// How training goes, for other programs: events "begin", "batch" (at most one a second) and
/// "epoch".
class ProgressEvents {
 public:
  explicit ProgressEvents(Index batch_size) : batch_size_(batch_size) {}

  void train_begin(Training& t);
  void epoch_begin(Training& t);
  void batch_end(Training& t);
  void epoch_end(Training& t);

 private:
  nlohmann::ordered_json state(const Training& t, const char* event) const;

  Index batch_size_;
  double started_ = 0;      ///< this epoch, or the part of it since the run goes on; seconds
  Index first_batch_ = -1;  ///< batches that were done then; below 0: not known yet
  double last_printed_ = 0;
};

}  // namespace sonde::cli
