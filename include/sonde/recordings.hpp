#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <sonde/array.hpp>
#include <sonde/fields.hpp>
#include <sonde/samples.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Long labelled signals, and how a network learns from them: labels per step with a weight that
/// is 0 where nobody said what is right, a split by recording, scales, windows at random places.
namespace sonde {

/// One signal with its labels. Steps with weight 0 count neither in the loss nor in a score.
struct Recording {
  std::string name;
  Array signal;          ///< (time, channels)
  Array labels;          ///< (time, 1), class numbers
  Array weights;         ///< (time,), 0 where the label is unknown, else 1
  double frequency = 0;  ///< steps per second
  std::vector<std::string> channels;
  std::string group = {};  ///< whom it is of: never on two sides of a split; empty: its own
  std::vector<std::string> units = {};  ///< of the channels; empty where no file says them
  std::string whole = {};  ///< of a channel by itself: the recording that it is taken from
};

/// One channel of a recording as a recording of its own, without labels, called NAME/CHANNEL;
/// channels without a name are counted from 1. ArgumentError for a channel that it does not have.
Recording channel_of(const Recording& recording, Index channel);

/// How many of the recordings, from the first on, are channels of one (Recording::whole); at least
/// 1 where there are any.
std::size_t count_channels(std::span<const Recording> recordings);
/// Channels of one recording together again, called as it is. A step counts where it counts in any
/// of them, with the label that it has there. ArgumentError for none, and for channels that were
/// not recorded together.
Recording join_channels(std::span<const Recording> channels);

/// A mark that somebody set at one step of a signal.
struct Annotation {
  Index step = 0;
  std::string symbol;  ///< PhysioBank's: "N" a normal beat, "(" an onset, "p" a P wave's peak, …
  int subtype = 0;
  int channel = 0;
  int number = 0;
  std::string note;
  bool operator==(const Annotation&) const = default;
};

// --- waves of an electrocardiogram ---------------------------------------------------------------

/// The classes that label_waves gives.
enum class Wave { none, p, qrs, t };

constexpr auto enum_names(Wave) { return std::array<std::string_view, 4>{"none", "P", "QRS", "T"}; }

struct WaveRules {
  /// A gap between two annotated beats above this many times the usual one (the lower quartile of
  /// the recording's annotated beat-to-beat times) holds beats that nobody annotated. Beats next to
  /// each other vary by less than this, and a gap with one beat missing is above it.
  double longest_gap = 1.5;
  /// Seconds before the first and after the last wave of an annotated stretch that are surely no
  /// wave, because a boundary was set there.
  double margin = 0.05;
};

struct WaveLabels {
  Array labels;   ///< (steps, 1)
  Array weights;  ///< (steps,)
};

/// Class numbers and weights of `steps` steps from the marks "( peak )" around each wave.
///
/// - From onset to offset mark, both included, a step is the wave's: P, QRS (any beat) or T.
/// - A T wave without onset is T from its peak to its offset; the stretch from the end of the wave
///   before it to its peak is unlabelled (weight 0), because it began somewhere there.
/// - U waves are no class: unlabelled from their onset, or else from the end of the wave before, to
///   their offset.
/// - A beat without any T wave before the next beat: unlabelled from its end to the next wave.
/// - Between annotated waves of neighbouring beats a step is none.
/// - Before the first and after the last annotated wave, and in gaps in which beats were left out
///   (rules.longest_gap), only rules.margin seconds beside the waves are none, the rest is
///   unlabelled.
/// DataError, with the place, for marks in any other order.
WaveLabels label_waves(std::span<const Annotation> annotations, Index steps, double frequency,
                       const WaveRules& rules = {});

// --- sets of recordings --------------------------------------------------------------------------

/// Which recordings train, which choose the best epoch, and which nobody looks at before the end.
struct Parts {
  std::vector<Recording> train;
  std::vector<Recording> validation;
  std::vector<Recording> test;
};

/// Recording name → "train", "validation" or "test", from a file with the lines `record,part`.
using Split = std::map<std::string, std::string>;
Split load_split(const std::filesystem::path& path);
/// Deals `recordings` out. DataError when one is missing in `split`, or one of `split` in them.
Parts divide(std::vector<Recording> recordings, const Split& split);

/// A factor per class that makes every class weigh the same: labelled steps / (classes * steps of
/// the class), steps counted by their weight. A class that does not occur gets 0.
/// DataError for labels that are no class number below `classes`.
std::vector<float> class_weights(std::span<const Recording> recordings, Index classes);

enum class Scaling {
  per_channel,           ///< one mean and standard deviation per channel, over all recordings
  per_recording_robust,  ///< each recording by its own median and interquartile range
  per_channel_robust,    ///< one median and interquartile range per channel, over all recordings
  running,               ///< by mean and deviation of the steps so far, later ones weighing more
  per_recording_range,   ///< each recording by its own median and the range of 96 % of its values
  /// The same of each recording less its own moving mean, so that what wanders slowly counts not.
  per_recording_detrended,
};
constexpr auto enum_names(Scaling) {
  return std::array<std::string_view, 6>{"per_channel",         "per_recording_robust",
                                         "per_channel_robust",  "running",
                                         "per_recording_range", "per_recording_detrended"};
}

/// Those per_recording: not for streams.
bool needs_whole_recording(Scaling scaling);
/// The least Normalizer::steps of a scaling that looks at steps around or before; 0 of the others.
double least_steps(Scaling scaling);

/// Brings every channel to middle 0 and spread 1. Fit on the training part only, kept with the
/// model. Those per_recording need a whole recording before its first step can be scaled: not for
/// streams. The range, from the 2 % smallest values to the 2 % largest, sees short waves that stand
/// out, as of an electrocardiogram, where quartiles see the noise between them. Where a baseline
/// wanders more than the waves are high, the range is the baseline's: detrended, each step is taken
/// from the mean of the `steps` around it first, of those that there are at either end.
///   Normalizer scale = fit_normalizer(parts.train);
///   for (Recording& each : parts.test) scale.apply(each.signal);
/// Values that are NaN or infinite are left out of the fit and left as they are. A channel that
/// never changes is only moved to 0, and so is one whose quantiles are the same number, as where a
/// sensor rests most of the time: unscaled_channels() finds those. scikit-learn: RobustScaler.
struct Normalizer {
  static constexpr std::string_view type = "Normalizer";
  Scaling scaling = Scaling::per_channel;
  std::vector<double> center = {};  ///< per channel; empty for per_recording_…
  std::vector<double> scale = {};
  /// Of running: after so many steps a step weighs 1/e of a new one. Of detrended: the length of
  /// the moving mean, an even one with half a step more on each side.
  double steps = 0;

  static constexpr auto fields() {
    return fields_of(field("scaling", &Normalizer::scaling), field("center", &Normalizer::center),
                     field("scale", &Normalizer::scale), field("steps", &Normalizer::steps));
  }
  /// Scales (time, channels) in place. DataError for another number of channels.
  void apply(Array& signal) const;
};
/// `steps`: of running and detrended; ArgumentError below least_steps(). DataError without
/// recordings.
Normalizer fit_normalizer(std::span<const Recording> recordings,
                          Scaling scaling = Scaling::per_channel, double steps = 0);

/// Channels that a robust `scaling` leaves at the size that they have, although they change: the
/// quantiles that it looks at, over all these recordings, are the same number. Others have none,
/// and detrended is not asked.
std::vector<Index> unscaled_channels(std::span<const Recording> recordings, Scaling scaling);

/// A running Normalizer one step at a time, for streams: the bits of Normalizer::apply. The first
/// steps weigh alike, as in a plain mean, until there are Normalizer::steps of them. A deviation
/// below a thousandth of the training part's is taken for that thousandth.
class RunningScale {
 public:
  explicit RunningScale(const Normalizer& normalizer);
  /// Scales the next step, one value for each channel, in place.
  void push(std::span<float> step) noexcept;

 private:
  struct Channel {
    double mean = 0;
    double variance = 0;
    double least = 0;  ///< variance
    double seen = 0;
  };
  std::vector<Channel> channels_;
  double steps_;
};

/// Sets what is NaN or infinite to 0, the middle of a scaled channel; returns how many there were.
/// For signals after scaling, in training as in prediction.
Index fill_missing(Array& signal);

// --- rates ---------------------------------------------------------------------------------------

/// (time, channels) at another rate: ceil(time * to / from) steps, the first at the same time.
///
/// The filter is that of scipy.signal.resample_poly: a windowed sinc with its cutoff at the lower
/// of the two Nyquist frequencies, 10 zero crossings to each side, Kaiser window with beta = 5;
/// beyond the ends the signal keeps its last value (padtype = "edge"). NaN stays NaN: a step is
/// missing when the nearest one was, or when it lies within a gap.
/// ArgumentError when the rates are no ratio of whole numbers up to 10,000.
Array resample(const Array& signal, double from, double to);

// --- windows -------------------------------------------------------------------------------------

struct WindowOptions {
  Index per_epoch = 0;  ///< 0: as many as cover the labelled steps once
  std::uint64_t seed = 0;
  /// Draw the class of the labelled step first, each that occurs being equally likely, and then one
  /// of its steps: rare classes are seen as often as others. Labels are then class numbers.
  bool balanced = false;
  /// How likely each class is to be drawn, in parts of their sum; in place of equally. A class of
  /// share 0 is only seen beside others.
  std::vector<double> shares = {};
};

/// Windows of `length` steps at random places, each with at least one labelled step: training data
/// without copies. Every labelled step is equally likely to be drawn (or every class: see
/// balanced), and lies anywhere in its window. Window `position` of epoch `epoch` depends on (seed,
/// epoch, position) only, so any thread may ask for any. Keeps pointers into `recordings`, which
/// must outlive it and stay as they are.
///   Windows windows(parts.train, 2000, {.per_epoch = 512, .seed = 7});
///   Windows::Row row = windows.row(epoch, position);
class Windows : public SampleSource {
 public:
  struct Row {
    const float* x;        ///< (length, channels)
    const float* y;        ///< (length, 1)
    const float* weights;  ///< (length,)
  };

  /// DataError when a recording is shorter than `length`, has no labelled step or other channels,
  /// and when classes shall be balanced but labels are no class numbers, or those with a share do
  /// not occur. ArgumentError for options that make no sense.
  Windows(std::span<const Recording> recordings, Index length, WindowOptions options = {});

  Index length() const { return length_; }
  Index channels() const { return channels_; }
  Row row(Index epoch, Index position) const noexcept;

  Index size() const override { return per_epoch_; }
  std::vector<Shape> inputs() const override { return {{length_, channels_}}; }
  std::vector<Shape> targets() const override { return {{length_, 1}}; }
  Index weights(Index) const override { return length_; }
  Sample sample(Index epoch, Index number) const noexcept override;
  void will_need(Index epoch, std::span<const Index> numbers) const noexcept override;

 private:
  /// Steps [begin, begin + steps) of a recording are labelled; `before` labelled steps come
  /// earlier.
  struct Run {
    const Recording* recording;
    Index begin;
    Index steps;
    Index before;
  };

  /// Runs that are drawn from together: all, or those of one class.
  struct Urn {
    std::vector<Run> runs = {};
    Index steps = 0;
    double until = 1;  ///< a uniform number below it, and not below the urn before, draws this one
  };
  void make_urns(std::span<const Recording> recordings, const WindowOptions& options);

  std::vector<Urn> urns_;
  Index length_;
  Index channels_ = 0;
  Index per_epoch_;
  std::uint64_t seed_;
  bool on_disk_ = false;  ///< some of it
};

/// Arrays of windows side by side, as Keras' fit takes them.
struct Pieces {
  Array x;        ///< (n, length, channels)
  Array y;        ///< (n, length, 1)
  Array weights;  ///< (n, length)
};
/// Cuts every recording into windows of `length` steps, `hop` steps apart, for validation. The last
/// one of a recording ends with it. Windows without a labelled step are left out.
Pieces cut_windows(std::span<const Recording> recordings, Index length, Index hop);

}  // namespace sonde
