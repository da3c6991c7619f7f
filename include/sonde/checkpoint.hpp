#pragma once
#include <filesystem>

namespace sonde {

/// How a fit survives what ends it: every so often, between two batches, it writes all that the
/// rest depends on, so that a later fit with the same arguments goes on where it stood and ends
/// with the same bytes. Keras: BackupAndRestore, which goes on with an epoch at best.
///   model.fit(X, Y, {.epochs = 500, .checkpoint = {.path = "run/last.checkpoint",
///                                                  .resume = true}});
/// Two generations lie on the disk, `path` and `path` + ".before": one of them is always whole.
struct CheckpointOptions {
  std::filesystem::path path = {};  ///< empty: none is written
  double seconds = 60;              ///< from one to the next; 0: after every batch
  /// Goes on from what lies at `path`; from the start where nothing does.
  bool resume = false;
};

}  // namespace sonde
