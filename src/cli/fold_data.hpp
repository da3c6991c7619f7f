#pragma once
#include <nlohmann/json.hpp>
#include <sonde/splits.hpp>
#include <string>
#include <vector>

#include "cli/model_file.hpp"
#include "cli/recordings.hpp"
#include "cli/train_options.hpp"

namespace sonde::cli {

/// What all folds and seeds of a run share.
struct RecordingTask {
  RecordingFiles files;
  Index classes = 2;
  bool each_channel = false;      ///< a recording is one channel of many
  bool combine_channels = false;  ///< and all of one are judged and labelled together
  std::vector<Fold> folds = {};
};

/// The recordings of one fold: who teaches, who judges.
class FoldData {
 public:
  /// Throws DataError where a part would be empty, or a recording stands on two sides.
  FoldData(const RecordingTask& job, Index fold, const TrainOptions& o);
  FoldData(const FoldData&) = delete;
  FoldData& operator=(const FoldData&) = delete;

  const sonde::Parts& parts() const { return parts_; }
  /// Who is in each part, with hashes of what is there: described().
  const nlohmann::ordered_json& split() const { return split_; }
  /// What the network learns from: the training part, and mixtures of its channels.
  const std::vector<Recording>& lessons() const {
    return lessons_.empty() ? parts_.train : lessons_;
  }
  Index mixtures() const { return static_cast<Index>(lessons().size() - parts_.train.size()); }
  bool validated() const { return !parts_.validation.empty(); }
  /// The part whose scores are the run's, and its name: test, validation or training.
  const std::vector<Recording>& judged() const;
  std::string judged_part() const;

  /// Puts the channels into the order of a model that was trained before. Throws DataError for
  /// recordings that it cannot take.
  void arrange(const LabellingModel& opened);
  /// Says so where a scale leaves a channel that changes at its size; empty where none does.
  std::string hint_at_scale(const Normalizer& normalizer) const;
  /// Brings all to the scale, and missing values to the middle of it. Returns how many there were.
  Index scale(const std::optional<Normalizer>& normalizer);

 private:
  template <class F>
  void for_each(F f);

  sonde::Parts parts_;
  nlohmann::ordered_json split_;
  std::vector<Recording> lessons_;  // where there are mixtures
};

/// Brings a recording to the scale, and missing values to the middle of it. Returns how many there
/// were.
Index scale_recording(Recording& recording, const std::optional<Normalizer>& normalizer);

/// Gives a recording the channels that the model names, in its order. DataError where it cannot.
void arrange_channels(const LabellingModel& opened, Recording& recording);

}  // namespace sonde::cli
