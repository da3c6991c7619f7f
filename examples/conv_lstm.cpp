// One label for every time step: the network to begin with.
#include <cstdio>
#include <sonde/sonde.hpp>

#include "signals.hpp"

using namespace sonde;

int main(int argc, char** argv) {
  const Signals train = make_signals(quick(argc, argv) ? 64 : 476);
  const Signals test = make_signals(50, 400, 16, 99);

  auto x = Input({400, 16});
  auto h = Conv1D{
      .filters = 32, .kernel_size = 8, .padding = Padding::same, .activation = Activation::relu}(x);
  h = LSTM{.units = 32, .return_sequences = true}(h);
  auto y = Dense{.units = 1, .activation = Activation::sigmoid}(h);

  Model model(x, y);
  model.summary();
  model.compile({.optimizer = Adam{.learning_rate = 3e-3f},
                 .loss = BinaryCrossentropy{},
                 .metrics = {"accuracy"}});
  model.fit(train.x, train.y, {.epochs = quick(argc, argv) ? 2 : 10, .validation_split = 0.2});

  for (const auto& [name, value] : model.evaluate(test.x, test.y))
    std::printf("test %s: %.4f\n", name.c_str(), value);
  const Array labels = model.predict(test.x);  // (50, 400, 1)
  std::printf("first recording, step 200: %.3f\n", labels(0, 200, 0));
  model.save("conv_lstm.keras");
}
