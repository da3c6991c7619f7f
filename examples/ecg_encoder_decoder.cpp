// Labels electrocardiograms one label at a time: an encoder reads 1.6 seconds, and a decoder writes
// none, P, QRS or T for every 8th step, each with the label before in mind. Beside it conv-lstm, on
// the same windows of records that neither has seen.
// Usage: ecg_encoder_decoder [--quick] [data folder]
#include <cstdio>
#include <sonde/scores.hpp>
#include <sonde/sonde.hpp>

#include "ecg_data.hpp"
#include "signals.hpp"

using namespace sonde;

namespace {

constexpr Index window = 400, every = 8, labels = window / every, waves = 4;

/// Of an array (n, window, width): the middle of every 8 steps.
Array thinned(const Array& whole) {
  const Index samples = whole.shape()[0], width = whole.size() / (samples * window);
  Array few({samples, labels, width});
  for (Index i = 0; i < samples * labels; ++i)
    for (Index k = 0; k < width; ++k)
      few.data()[i * width + k] = whole.data()[(i * every + every / 2) * width + k];
  return few;
}

struct Task {
  Array x, y, weights;
};

Task cut(const std::vector<Recording>& records, Index hop) {
  const Pieces pieces = cut_windows(records, window, hop);
  const Index samples = pieces.x.shape()[0];
  return {pieces.x, thinned(pieces.y), thinned(pieces.weights).reshaped({samples, labels})};
}

/// {signal, label before} → label. The decoder begins with the encoder's last states, and beside
/// the label before it reads what the encoder says of the same moment.
Model encoder_decoder() {
  auto signal = Input({window, 2}, {.name = "signal"});
  auto h = Conv1D{.filters = 32,
                  .kernel_size = 65,
                  .strides = every,
                  .padding = Padding::same,
                  .activation = Activation::relu}(signal);
  auto encoded = LSTM{.units = 48, .return_sequences = true, .return_state = true}.outputs(h);

  // While it learns, every other label before is hidden: when it writes by itself, that one may be
  // wrong, and the signal is what to believe.
  auto previous = Input({labels, waves + 1}, {.name = "previous"});
  h = Concatenate{}({Dropout{.rate = 0.5}(previous), encoded[0]});
  h = LSTM{.units = 48, .return_sequences = true, .return_state = true}(h,
                                                                        {encoded[1], encoded[2]});
  auto y = Dense{.units = waves, .activation = Activation::softmax}(h);
  return Model({signal, previous}, {y}, {.seed = 1, .name = "encoder_decoder"});
}

/// The same without a decoder: every label by itself.
Model conv_lstm() {
  auto signal = Input({window, 2});
  auto h = Conv1D{.filters = 32,
                  .kernel_size = 65,
                  .strides = every,
                  .padding = Padding::same,
                  .activation = Activation::relu}(signal);
  h = LSTM{.units = 48, .return_sequences = true}(h);
  auto y = Dense{.units = waves, .activation = Activation::softmax}(h);
  return Model(signal, y, {.seed = 1, .name = "conv_lstm"});
}

void report(const char* name, const Array& probabilities, const Task& test) {
  StepJudge judge(waves);
  judge.add(probabilities.values(), test.y.values(), test.weights.values());
  const StepScores s = judge.scores();
  std::printf("%-16s macro F1 %.3f, balanced accuracy %.3f, accuracy %.3f (commonest class %.3f)\n",
              name, s.macro_f1, s.balanced_accuracy, s.accuracy, s.prevalence);
}

}  // namespace

int main(int argc, char** argv) try {
  const bool fast = quick(argc, argv);
  const Parts parts = load_ecg(argc > 1 + fast ? argv[1 + fast] : "data/ecg-qtdb");
  const Task train = cut(parts.train, fast ? 2000 : 100), test = cut(parts.test, fast ? 2000 : 400);
  const Task judge = cut(parts.validation, fast ? 2000 : 400);
  const std::vector<float> class_weight = class_weights(parts.train, waves);
  std::printf("%td windows train, %td judge, %td of unseen records test\n", train.x.shape()[0],
              judge.x.shape()[0], test.x.shape()[0]);

  const ArraySamples samples({&train.x}, {&train.y}, {&train.weights});
  const ArraySamples judging({&judge.x}, {&judge.y}, {&judge.weights});
  const int epochs = fast ? 1 : 16;
  const FitOptions fit{
      .epochs = epochs,
      .callbacks = {EarlyStopping{.patience = epochs, .restore_best_weights = true}},
      .validation_data = &judging,
      .class_weight = class_weight};
  const auto compile = [](Model& model) {
    model.summary();
    model.compile({.optimizer = Adam{.learning_rate = 2e-3f},
                   .loss = SparseCategoricalCrossentropy{},
                   .metrics = {"accuracy"}});
  };

  Model writer = encoder_decoder();
  compile(writer);
  EncoderDecoder sequence(writer);
  sequence.fit(samples, fit);

  Model plain = conv_lstm();
  compile(plain);
  plain.fit(samples, fit);

  std::printf("\nOf %td windows of %zu unseen records:\n", test.x.shape()[0], parts.test.size());
  report("encoder-decoder", sequence.decode(test.x), test);
  report("conv-lstm", plain.predict(test.x), test);
  return 0;
} catch (const Error& error) {
  std::fprintf(stderr, "ecg_encoder_decoder: %s\n", error.what());
  return 1;
}
