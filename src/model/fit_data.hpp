#pragma once
#include <sonde/model.hpp>

namespace sonde {

/// What fit() trains on and what it judges by. Holds views: samples and validation data must
/// outlive it.
class FitData {
 public:
  /// Throws ArgumentError for options that no data could make right, and DataError where a part of
  /// the split would be empty.
  FitData(const SampleSource& samples, const FitOptions& options);

  const SampleSource& train() const { return train_; }
  /// Null where nothing is judged.
  const SampleSource* validation() const { return tail_.size() > 0 ? &tail_ : given_; }
  /// The validation data is of its own, no part of the samples.
  bool is_apart() const { return given_ != nullptr; }

 private:
  SamplePart train_, tail_;
  const SampleSource* given_;
};

}  // namespace sonde
