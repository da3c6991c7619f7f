#pragma once
#include <sonde/model.hpp>

namespace sonde {

struct WholeOptions {
  Index window = 0;  ///< 0: the whole recording at once; else windows of so many steps, overlapping
  Index hop = 0;     ///< steps from one window to the next; 0: half a window
  Index batch_size = 32;  ///< windows at once
  int threads = 0;
};

/// The model's output for each step of a recording: signal (time, channels) → (time, outputs).
///
/// Whole, a network carries its state from the first step to the last. In windows it begins anew in
/// each, and cannot know where in the recording it is: what overlapping windows say of a step is
/// averaged, steps in the middle of a window weighing more than those at its ends, with weights
/// that sum to one. The last window ends with the recording.
///   Array p = predict_recording(model, recording.signal, {.window = 400});
/// Throws ArgumentError for models that give no output for each step, and DataError for a recording
/// shorter than one window.
Array predict_recording(Model& model, const Array& signal, WholeOptions options = {});

}  // namespace sonde
