// All 400 labels at once from the LSTM's last step: y is (samples, 400).
#include <cstdio>
#include <sonde/sonde.hpp>

#include "signals.hpp"

using namespace sonde;

int main(int argc, char** argv) {
  const Signals data = make_signals(quick(argc, argv) ? 64 : 476);
  const Array labels = data.y.reshaped({data.y.shape()[0], 400});

  auto x = Input({400, 16});
  auto h = Conv1D{.filters = 32, .kernel_size = 8, .activation = Activation::relu}(x);
  h = MaxPooling1D{.pool_size = 4}(h);
  h = LSTM{.units = 32}(h);
  auto y = Dense{.units = 400, .activation = Activation::sigmoid}(h);

  Model model(x, y);
  model.summary();
  model.compile({.optimizer = Adam{.learning_rate = 3e-3f},
                 .loss = BinaryCrossentropy{},
                 .metrics = {"accuracy"}});
  model.fit(data.x, labels, {.epochs = quick(argc, argv) ? 2 : 10, .validation_split = 0.2});
}
