#pragma once
#include <optional>
#include <sonde/model.hpp>
#include <vector>

/// Networks that write a sequence of labels one by one: an encoder reads the signal, a decoder
/// begins with the encoder's last states and reads, at each step, the label before.
namespace sonde {

/// How a decoder is given a label. Of `outputs` numbers for each label, its input may have
/// - one more: the label, or the one-hot vector of its class, and a last number that is 1 at the
///   start only (make_network builds this);
/// - as many: the label; what stands at the start is given, or zeros;
/// - one, where the outputs are several classes: the number of the class, for an Embedding; the
///   number at the start is given, or the number of classes.
class PreviousLabel {
 public:
  /// Of a model whose last input is the decoder's. Throws ArgumentError.
  explicit PreviousLabel(const Model& model, std::vector<float> start = {});

  Index outputs() const { return outputs_; }     ///< numbers that the model gives for a label
  Index width() const { return width_; }         ///< numbers that the decoder reads
  const Shape& input() const { return input_; }  ///< of the decoder: (steps, width) or (steps,)
  bool classes() const { return classes_; }      ///< a label is one of several classes
  /// The decoder's input with another number of steps.
  Shape input_of(Index steps) const;

  void write_start(float* to) const noexcept;
  /// `label` holds `size` numbers: outputs(), or 1 for a class number. Numbers that are no class
  /// leave zeros: such a label counts nowhere.
  void write(const float* label, Index size, float* to) const noexcept;
  /// Takes probabilities for the label that they say: the likeliest class, or what is above 0.5.
  void write_chosen(const float* output, float* to) const noexcept;

 private:
  std::vector<float> start_;
  Shape input_;
  Index outputs_ = 1;
  Index width_ = 1;
  bool classes_ = false;
  std::optional<float> threshold_ = {};  // of labels 0 and 1; none for measured values
};

/// Samples with one more input: for each step the true label of the step before, as a teacher
/// would correct a pupil after each word. For sources whose samples are the same in every epoch,
/// which must outlive it.
class TeacherForcing : public SampleSource {
 public:
  /// Throws DataError where the targets are no labels that the decoder could read.
  TeacherForcing(const SampleSource& samples, PreviousLabel previous);

  Index size() const override { return samples_.size(); }
  std::vector<Shape> inputs() const override;
  std::vector<Shape> targets() const override { return samples_.targets(); }
  Index weights(Index output) const override { return samples_.weights(output); }
  Sample sample(Index epoch, Index number) const noexcept override;
  Index room() const override;
  Sample training_sample(Index epoch, Index number, float* room) const noexcept override;
  void will_need(Index epoch, std::span<const Index> numbers) const noexcept override {
    samples_.will_need(epoch, numbers);
  }

 private:
  void write_labels(const float* y, float* to) const noexcept;

  const SampleSource& samples_;
  PreviousLabel previous_;
  Index steps_ = 0;
  Index label_size_ = 1;
  Buffer<float> labels_;  // (samples, steps, width)
};

struct EncoderDecoderOptions {
  /// What the decoder reads at the first step; empty: see PreviousLabel.
  std::vector<float> start = {};
};

struct DecodeOptions {
  Index steps = 0;  ///< labels for each sample; 0: as the decoder's input, or where that is open as
                    ///< many as the signal has steps
  Index batch_size = 256;
  int threads = 0;
};

/// Teaches a model of two inputs, {signal, label before}, and lets it write labels by itself. For
/// that it makes two models which share the trained layers: the encoder, and the decoder for one
/// step. Works with any model built so, from C++, make_network() or a file of real Keras:
///   Model model = make_network("encoder-decoder", {30, 10}, {.units = 128, .outputs = 10, …});
///   model.compile({.loss = SparseCategoricalCrossentropy{}, .metrics = {"accuracy"}});
///   EncoderDecoder sequence(model);
///   sequence.fit(x, y, {.epochs = 50});           // y: (samples, steps) class numbers
///   Array probabilities = sequence.decode(x_new);  // (samples, steps, 10)
/// What does not depend on the last input is the encoder. In the decoder, LSTM, GRU, SimpleRNN and
/// RNN need `return_state`; attention may read what the encoder gives for all its steps; any other
/// layer works on each step by itself, and meets what the encoder gives for that step. The model
/// must outlive this, and be moved nowhere.
class EncoderDecoder {
 public:
  /// Throws ArgumentError: what stands in the way of writing step by step, and how to mend it.
  explicit EncoderDecoder(Model& model, EncoderDecoderOptions options = {});

  /// As Model::fit, with the labels before made from y. `validation_data` and `validation_split`
  /// are judged so too: with the true label before each step.
  History fit(const Array& x, const Array& y, FitOptions options = {});
  History fit(const SampleSource& samples, FitOptions options = {});
  /// Loss and metrics with the true label before each step.
  Logs evaluate(const Array& x, const Array& y, EvaluateOptions options = {});
  /// The same samples with the decoder's input, for fit and evaluate of the model itself.
  TeacherForcing teach(const SampleSource& samples) const { return {samples, previous_}; }

  /// Writes labels step by step, each from the one it wrote before: (samples, …) → (samples, steps,
  /// outputs), the model's output at each step.
  Array decode(const Array& x, DecodeOptions options = {});

  Model& model() { return *model_; }
  /// signal → what the decoder begins with and reads.
  Model& encoder() { return *encoder_; }
  /// {label before, states, what it reads of the encoder} → {output, new states}, for one step.
  Model& decoder() { return *decoder_; }

 private:
  friend struct DecoderCut;
  /// A further input of decoder(): a state, which the decoder gives anew; what the encoder gives
  /// for all its steps; or what it gives for one step.
  struct Tie {
    enum Kind : unsigned char { state, whole, step } kind;
    Index output;  ///< of encoder(); -1: zeros
    Shape shape;   ///< of one sample
  };

  Index steps_for(const Array& x, const DecodeOptions& options) const;
  void decode_batch(const Array& x, Index steps, const PredictOptions& options, float* to);

  Model* model_;
  PreviousLabel previous_;
  std::vector<Tie> ties_;
  std::optional<Model> encoder_;
  std::optional<Model> decoder_;
};

}  // namespace sonde
