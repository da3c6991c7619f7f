#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <sonde/events.hpp>
#include <sonde/model.hpp>
#include <sonde/recipe.hpp>
#include <sonde/recordings.hpp>
#include <string>
#include <vector>

namespace sonde {

/// A stretch that the model labelled, and how sure it was: the mean of the label's probability.
struct FoundInterval : Interval {
  double probability = 0;
};

/// What a model says of one recording.
struct LabelledRecording {
  Array probabilities;                        ///< (time, outputs), calibrated; NaN in pauses
  std::vector<Index> labels = {};             ///< of each step, after post-processing
  std::vector<FoundInterval> intervals = {};  ///< stretches of a label that is not the background
  double frequency = 1;  ///< steps per second of all of these: the recording's, or the model's
};

/// A trained network with its recipe: recordings in, final labels out.
///   Labeller labeller = Labeller::load("run/model.keras");
///   LabelledRecording night = labeller.label(recording);
///   for (const FoundInterval& each : night.intervals)
///     use(labeller.recipe().name_of(each.label), each.begin / night.frequency);
/// A recording of another rate than the model's is resampled for the network (resample), and each
/// of its own steps gets what the network says of the nearest time. Of a recipe with each_channel,
/// give one channel after the other (channel_of); with combine_channels as well, all of a
/// recording. Values that are missing (NaN) are the middle of their channel to the network; a step
/// where all are missing is a pause, and background. Networks whose time can be cut into chunks
/// label signals of any length in constant memory beyond the signal and its labels. Not safe for
/// several threads at once; it uses threads itself.
class Labeller {
 public:
  /// Throws ArgumentError for a recipe that cannot be used or does not fit the model, and for
  /// models that do not give class probabilities for each step of one signal.
  explicit Labeller(Model model, Recipe recipe = {});
  Labeller(Labeller&&) noexcept;
  Labeller& operator=(Labeller&&) noexcept;
  ~Labeller();

  /// From and to a .keras file. Live in the component `formats`. Throw FormatError, IoError.
  static Labeller load(const std::filesystem::path& path);
  void save(const std::filesystem::path& path) const;

  Model& model();
  const Model& model() const;
  const Recipe& recipe() const;

  /// Only name, signal, frequency and channels of the recording are looked at. Throws DataError for
  /// channels that are missing, and ArgumentError for a rate that is no ratio to the model's.
  LabelledRecording label(const Recording& recording, PredictOptions options = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Throws ArgumentError, beginning with `where`, for a recipe of another network: other channels,
/// classes, windows.
void check_fits(const Recipe& recipe, const Model& model, const Where& where);

/// Whether a Labeller can be made of it: it gives a sigmoid, or a softmax, for each step of one
/// signal.
bool labels_steps(const Model& model);

/// The channels that the recipe names, in its order; all as they are without names on one side.
/// DataError for one that is missing.
Array pick_channels(const Recording& recording, const Recipe& recipe);

/// Whether a scaled signal is the same number throughout, as that of a channel in which nothing was
/// recorded: with combine_channels such a channel has no say, unless all are so.
bool never_changes(const Array& signal);

/// Probabilities of a signal (time, channels) that has gone through channels and normalizer:
/// (time, outputs). `predict`: (samples, steps, channels) → (samples, steps, outputs). With
/// windows, each step is the mean of what they say, weighed by the distance to the window's nearer
/// end, so that the weights sum to one; a shorter signal is one window.
Array predict_in_windows(const Array& signal, const PredictionWindows& windows,
                         const std::function<Array(const Array&)>& predict);

}  // namespace sonde
