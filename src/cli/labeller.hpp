#pragma once
#include <deque>
#include <optional>
#include <sonde/encoder_decoder.hpp>

namespace sonde::cli {

/// Shows samples to a model and asks it for labels, so that no verb has to know how it works: most
/// models take the signal and give its labels; one with a second input, the label before, is taught
/// with the true ones and writes its own one by one.
class Labeller {
 public:
  /// `model` must outlive it. Throws ArgumentError for a second input that is no such thing.
  explicit Labeller(Model& model);
  /// The shapes that it is shown, for signals and labels of these shapes.
  static std::vector<Shape> inputs(const Model& model, const Shape& x, const Shape& y);

  /// What the model's fit and evaluate take; null for null. Good for as long as this and `samples`.
  const SampleSource* show(const SampleSource* samples);
  /// (samples, time, channels) → the model's output.
  Array predict(const Array& x, PredictOptions options);
  /// Model::predict_mask: which steps of that count; empty when all do.
  Array mask(const Array& x, PredictOptions options);

 private:
  Model& model_;
  std::optional<EncoderDecoder> sequence_;
  std::deque<TeacherForcing> taught_;
};

}  // namespace sonde::cli
