#include "cli/augment.hpp"

#include <sonde/error.hpp>

namespace sonde::cli {

std::optional<Augmented> augmented(const SampleSource& samples, const TrainOptions& o) {
  if (!o.augmentation) return {};
  Augmentation how = *o.augmentation;
  if (how.stretch > 0 && !o.recordings)
    throw ArgumentError(
        "augmentation: stretch needs windows of recordings, which are cut longer for it; arrays "
        "have the length that they have. warp keeps it.");
  how.seed += o.seed;
  return Augmented(samples, how);
}

}  // namespace sonde::cli
