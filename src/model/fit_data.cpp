#include "model/fit_data.hpp"

#include <fmt/format.h>

#include <cmath>

#include "model/fit_checks.hpp"

namespace sonde {
namespace {

/// The samples that train, from the first on. Keras: the split is the tail of the data, cut before
/// shuffling.
Index training_size(const SampleSource& samples, const FitOptions& options) {
  if (options.epochs < 1)
    throw ArgumentError(fmt::format("fit: epochs must be at least 1, got {}.", options.epochs));
  check_batch_size("fit", options.batch_size);
  if (options.validation_split < 0 || options.validation_split >= 1)
    throw ArgumentError(fmt::format("fit: validation_split must be at least 0 and below 1, got {}.",
                                    options.validation_split));
  if (options.memory < 0)
    throw ArgumentError(fmt::format(
        "fit: memory must be a number of bytes, or 0 for no limit, got {}.", options.memory));
  if (options.validation_data != nullptr || options.validation_split == 0) return samples.size();
  const auto training = static_cast<Index>(
      std::floor(static_cast<double>(samples.size()) * (1.0 - options.validation_split)));
  if (training == 0 || training == samples.size())
    throw DataError(fmt::format("fit: validation_split = {} of {} samples leaves one part empty.",
                                options.validation_split, samples.size()));
  return training;
}

}  // namespace

FitData::FitData(const SampleSource& samples, const FitOptions& options)
    : train_(samples, 0, training_size(samples, options)),
      tail_(samples, train_.size(), samples.size()),
      given_(options.validation_data) {}

}  // namespace sonde
