// Sequence to sequence, as Keras' example builds it: an encoder reads numbers, and a decoder that
// begins with the encoder's last states writes them backwards, one by one.
#include <cstdio>
#include <random>
#include <set>
#include <sonde/scores.hpp>
#include <sonde/sonde.hpp>

#include "signals.hpp"

using namespace sonde;

namespace {

constexpr Index kinds = 10;  // numbers are 0 … 9

struct Sequences {
  Array numbers;   ///< (samples, steps, kinds), one-hot
  Array reversed;  ///< (samples, steps), class numbers
};

/// Sequences that are not in `seen`, and then are.
Sequences draw(Index samples, Index steps, std::set<std::vector<Index>>& seen) {
  static std::mt19937 random(1);
  Sequences s{Array({samples, steps, kinds}), Array({samples, steps})};
  for (Index n = 0; n < samples;) {
    std::vector<Index> sequence;
    for (Index t = 0; t < steps; ++t) sequence.push_back(static_cast<Index>(random() % kinds));
    if (!seen.insert(sequence).second) continue;
    for (Index t = 0; t < steps; ++t) {
      const Index number = sequence[static_cast<std::size_t>(t)];
      s.numbers(n, t, number) = 1;
      s.reversed(n, steps - 1 - t) = static_cast<float>(number);
    }
    ++n;
  }
  return s;
}

/// How many sequences are right from the first number to the last.
double whole_sequences(const Array& probabilities, const Array& numbers) {
  const auto written = most_likely(probabilities.values(), kinds);
  const Index samples = numbers.shape()[0], steps = numbers.shape()[1];
  Index right = 0;
  for (Index n = 0; n < samples; ++n) {
    bool same = true;
    for (Index t = 0; t < steps; ++t)
      same &= static_cast<float>(written[static_cast<std::size_t>(n * steps + t)]) == numbers(n, t);
    right += same;
  }
  return static_cast<double>(right) / static_cast<double>(samples);
}

}  // namespace

int main(int argc, char** argv) {
  const bool fast = quick(argc, argv);
  const Index steps = fast ? 3 : 6, units = fast ? 48 : 128;
  std::set<std::vector<Index>> seen;
  const Sequences train = draw(fast ? 800 : 20000, steps, seen);
  const Sequences test = draw(fast ? 200 : 2000, steps, seen);  // none of them is in train

  auto encoder_inputs = Input({dynamic, kinds});
  auto states = LSTM{.units = units, .return_state = true}.outputs(encoder_inputs);
  states.erase(states.begin());  // the output is not used, h and c are

  // At each step the decoder reads the number before; one more kind says that it begins.
  auto decoder_inputs = Input({dynamic, kinds + 1});
  auto h =
      LSTM{.units = units, .return_sequences = true, .return_state = true}(decoder_inputs, states);
  auto y = Dense{.units = kinds, .activation = Activation::softmax}(h);

  Model model({encoder_inputs, decoder_inputs}, {y});
  model.summary();
  model.compile({.optimizer = Adam{.learning_rate = 5e-3f},
                 .loss = SparseCategoricalCrossentropy{},
                 .metrics = {"accuracy"}});

  // Teacher forcing: fit() makes decoder_inputs from the true numbers. decode() knows them not, and
  // reads what it wrote.
  EncoderDecoder sequence(model);
  sequence.fit(train.numbers, train.reversed,
               {.epochs = fast ? 40 : 16, .batch_size = 64, .validation_split = 0.1});
  const double right = whole_sequences(sequence.decode(test.numbers), test.reversed);
  std::printf("%.2f %% of %td unseen sequences are reversed without a fault\n", 100 * right,
              test.reversed.shape()[0]);
  model.save("reverse_integers.keras");
  return right >= 0.99 ? 0 : 1;
}
