// Across the channels of each step before along time: Conv2D slides over neighbouring channels, and
// an LSTM walks from the first channel to the last. Then the same behind a Conv1D.
#include <cstdio>
#include <sonde/sonde.hpp>

#include "signals.hpp"

using namespace sonde;

namespace {

void train(Model& model, const Signals& data, int epochs) {
  model.summary();
  model.compile({.optimizer = Adam{.learning_rate = 3e-3f},
                 .loss = BinaryCrossentropy{},
                 .metrics = {"accuracy"}});
  model.fit(data.x, data.y, {.epochs = epochs, .validation_split = 0.2});
}

}  // namespace

int main(int argc, char** argv) {
  const bool fast = quick(argc, argv);
  const Signals data = make_signals(fast ? 32 : 238);

  // Conv2D wants an axis more than a signal has: (400, 16) → (400, 16, 1).
  auto x = Input({400, 16});
  auto h = Reshape{.target_shape = {{-1, 16, 1}}}(x);
  h = Conv2D{.filters = 16, .kernel_size = {1, 5}, .activation = Activation::relu}(h);
  h = TimeDistributed{.layer = LSTM{.units = 16}}(h);  // (400, 12, 16) → (400, 16)
  auto y = Dense{.units = 1, .activation = Activation::sigmoid}(h);
  Model spatial(x, y);
  train(spatial, data, fast ? 1 : 10);

  // Each step of that network sees its own step only. A Conv1D before it sees the steps around.
  auto signal = Input({400, 16});
  h = Conv1D{.filters = 16,
             .kernel_size = 8,
             .padding = Padding::same,
             .activation = Activation::relu}(signal);
  h = Reshape{.target_shape = {{-1, 16, 1}}}(h);
  h = Conv2D{.filters = 16, .kernel_size = {1, 5}, .activation = Activation::relu}(h);
  h = TimeDistributed{.layer = LSTM{.units = 16}}(h);
  y = Dense{.units = 1, .activation = Activation::sigmoid}(h);
  Model behind_conv1d(signal, y);
  train(behind_conv1d, data, fast ? 1 : 10);
}
