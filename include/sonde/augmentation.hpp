#pragma once
#include <sonde/fields.hpp>
#include <sonde/recordings.hpp>
#include <sonde/samples.hpp>
#include <span>
#include <vector>

namespace sonde {

/// How signals are changed while training, so that a network learns what does not matter. All is
/// off at 0. The changes are made in this order.
///
///   Augmented train(windows, {.warp = 0.1, .scale = 0.2, .noise = 0.05});
///   model.fit(train, {.epochs = 50});
struct Augmentation {
  static constexpr std::string_view type = "Augmentation";
  double stretch = 0;  ///< the whole sample runs up to this share faster or slower; below 1
  double warp = 0;     ///< time runs up to this share faster or slower, changing smoothly; below 1
  double permute = 0;  ///< how often channels change places: a probability, as the two below
  double flip = 0;     ///< how often all channels change their sign together
  double scale = 0;    ///< each channel times a factor in [1 - scale, 1 + scale]
  double offset = 0;   ///< each channel plus up to so many of its standard deviations
  double wander = 0;   ///< each channel plus a slow wave of up to so many standard deviations
  double cycles = 2;   ///< the most cycles of that wave in a sample
  double noise = 0;    ///< white noise of so many standard deviations, at most 3.5 times that
  double drop = 0;     ///< how often each channel is 0 throughout; one always stays
  Index seed = 0;

  static constexpr auto fields() {
    using S = Augmentation;
    return fields_of(field("stretch", &S::stretch), field("warp", &S::warp),
                     field("permute", &S::permute), field("flip", &S::flip),
                     field("scale", &S::scale), field("offset", &S::offset),
                     field("wander", &S::wander), field("cycles", &S::cycles),
                     field("noise", &S::noise), field("drop", &S::drop), field("seed", &S::seed));
  }
  bool operator==(const Augmentation&) const = default;
};

/// Throws ArgumentError for what is out of range.
void check(const Augmentation& how);

/// Samples of another source, which must outlive it, changed anew in each epoch: a sample is a pure
/// function of (seed, epoch, number), whoever asks for it and when. Only training sees the changes:
/// validation, evaluation and prediction do not.
///
/// With `stretch`, what comes out is shorter than what goes in, so that there is signal to run
/// through faster: steps_needed() says how long samples must be.
///
/// Changes the first input, (time, channels). Standard deviations are those of the channel in the
/// sample. `warp` keeps both ends of what is shown in place; labels and weights of each step go
/// along with both, by the nearest step.
class Augmented : public SampleSource {
 public:
  /// ArgumentError for options out of range, for an input of other axes, and for a `stretch` or
  /// `warp` where an output has no label for each step.
  Augmented(const SampleSource& samples, Augmentation how);

  Index size() const override { return samples_.size(); }
  std::vector<Shape> inputs() const override;
  std::vector<Shape> targets() const override;
  Index weights(Index output) const override;
  Sample sample(Index epoch, Index number) const noexcept override {
    return samples_.sample(epoch, number);
  }
  Index room() const override { return samples_.room() + room_; }
  Sample training_sample(Index epoch, Index number, float* room) const noexcept override;
  void will_need(Index epoch, std::span<const Index> numbers) const noexcept override {
    samples_.will_need(epoch, numbers);
  }

 private:
  /// Numbers of each step that move with it: of a target, or of its weights.
  struct Moving {
    std::size_t output;
    bool weights;
    Index width;
  };

  const SampleSource& samples_;
  Augmentation how_;
  Index given_, steps_, channels_;  ///< steps of a sample given, and of one shown
  std::vector<Moving> moving_;
  Index room_ = 0;
};

/// How many steps samples must have for Augmented to show `steps` of them.
Index steps_needed(Index steps, const Augmentation& how);

/// Further recordings of one channel: random mixtures of channels that were recorded together
/// (Recording::whole). Of each whole there are `count`, called "WHOLE/mixed-1" …, each the sum of
/// its channels times random factors of either sign whose squares sum to one, as an electrode at
/// another place would see it. For networks of one channel that shall not depend on where it is
/// taken. A step counts where it counts in all channels, with one label. Channels that nothing was
/// recorded with, or that agree on no label, give none.
std::vector<Recording> mixtures(std::span<const Recording> channels, Index count, Index seed = 0);

}  // namespace sonde
