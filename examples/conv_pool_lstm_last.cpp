// One label for a whole window: pooling makes time short, and the LSTM keeps only its last step.
#include <cstdio>
#include <sonde/sonde.hpp>

#include "signals.hpp"

using namespace sonde;

int main(int argc, char** argv) {
  const Signals data = make_signals(quick(argc, argv) ? 64 : 476);
  Array late({data.x.shape()[0], 1});  // 1 when the wave comes in the second half
  for (Index n = 0; n < late.size(); ++n)
    for (Index t = 200; t < 400; ++t)
      if (data.y(n, t, 0) == 1) late(n, 0) = 1;

  auto x = Input({400, 16});
  auto h = Conv1D{.filters = 32, .kernel_size = 8, .activation = Activation::relu}(x);
  h = MaxPooling1D{.pool_size = 4}(h);
  h = LSTM{.units = 32}(h);
  auto y = Dense{.units = 1, .activation = Activation::sigmoid}(h);

  Model model(x, y);
  model.summary();
  model.compile({.optimizer = Adam{.learning_rate = 3e-3f},
                 .loss = BinaryCrossentropy{},
                 .metrics = {"accuracy"}});
  model.fit(data.x, late, {.epochs = quick(argc, argv) ? 2 : 10, .validation_split = 0.2});
}
