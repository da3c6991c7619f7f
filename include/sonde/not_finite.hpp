#pragma once
#include <sonde/samples.hpp>
#include <string>

namespace sonde {

class Model;

/// A batch of a fit: which samples it has depends on this, the samples' number and the model's
/// seed.
struct FitBatch {
  Index epoch = 0;  ///< from 0
  Index batch = 0;  ///< from 0
  Index batch_size = 32;
  bool shuffle = true;
};

/// After a loss that is NaN or infinite, where that batch went wrong, as `LSTM "lstm" gives nan in
/// sample 17 at step 203`: weights that are not finite, or else the first layer whose output holds
/// NaN or infinity in inference. Empty where all are finite and only the loss is not. A batch with
/// such a loss changes no weight, so that the model is still the one that gave it. Takes as long as
/// predicting the batch with each layer's output.
std::string first_not_finite(const Model& model, const SampleSource& samples,
                             const FitBatch& batch);

}  // namespace sonde
