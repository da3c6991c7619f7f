#pragma once
#include <optional>
#include <sonde/samples.hpp>
#include <string>
#include <utility>

#include "cli/data.hpp"
#include "cli/train_options.hpp"

namespace sonde::cli {

struct PartOptions {
  double validation_split = 0;  ///< this part at the end
  Index window = 0;             ///< steps; 0: samples as they are
  Index hop = 0;                ///< 0: the window
};

/// What trains and what judges. The views point into it: it stays where it is.
class Parts {
 public:
  /// `validation` is empty or wins over validation_split. A recording that is cut into windows is
  /// split in time first, so that no window lies in both parts.
  /// Throws ArgumentError and DataError when a part would be empty.
  Parts(Data data, std::optional<Data> validation, const PartOptions& options);
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  const SampleSource& train() const { return *train_; }
  /// Null when there is none.
  const SampleSource* validation() const { return validation_ ? &*validation_ : nullptr; }

  /// All data, training part first; for scaling in place.
  Data& data() { return data_; }
  const Data& data() const { return data_; }
  /// Validation data of their own; null when they are a part of data().
  Data* apart() { return apart_ ? &*apart_ : nullptr; }
  const Data* apart() const { return apart_ ? &*apart_ : nullptr; }
  /// The labels and weights of all samples, those apart too: what the labels mean is seen in all.
  Data all_labels() const;
  /// Samples of data() that train.
  Index training() const { return training_; }

 private:
  Data data_;
  std::optional<Data> apart_;
  Index training_ = 0;
  std::optional<ArraySamples> all_, apart_samples_;
  std::optional<SamplePart> train_, validation_;
};

/// The arrays that the options name. Throws as load_data and Parts do.
Parts load_parts(const TrainOptions& o);
/// What judges, or without it what trained; with its name. Takes data out of `parts`.
std::pair<std::string, Data> judged_part(Parts& parts);

/// Samples [begin, end) of `data` that judge, copied: x, y and weights.
Data copy_samples(const Data& data, Index begin, Index end);

}  // namespace sonde::cli
