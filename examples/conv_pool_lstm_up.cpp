// Pooling for speed and a long view, and still one label for every step: UpSampling1D brings time
// back.
#include <cstdio>
#include <sonde/sonde.hpp>

#include "signals.hpp"

using namespace sonde;

int main(int argc, char** argv) {
  const Signals data = make_signals(quick(argc, argv) ? 64 : 476);

  auto x = Input({400, 16});
  auto h = Conv1D{
      .filters = 32, .kernel_size = 8, .padding = Padding::same, .activation = Activation::relu}(x);
  h = MaxPooling1D{.pool_size = 4}(h);
  h = LSTM{.units = 32, .return_sequences = true}(h);
  h = UpSampling1D{.size = 4}(h);
  h = Conv1D{
      .filters = 32, .kernel_size = 8, .padding = Padding::same, .activation = Activation::relu}(h);
  auto y = Dense{.units = 1, .activation = Activation::sigmoid}(h);

  Model model(x, y);
  model.summary();
  model.compile({.optimizer = Adam{.learning_rate = 3e-3f},
                 .loss = BinaryCrossentropy{},
                 .metrics = {"accuracy"}});
  model.fit(data.x, data.y, {.epochs = quick(argc, argv) ? 2 : 10, .validation_split = 0.2});
}
