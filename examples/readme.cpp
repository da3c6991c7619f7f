// The program of README.md, with something to learn from.
#include <sonde/sonde.hpp>

#include "signals.hpp"

using namespace sonde;

int main(int argc, char** argv) {
  const Signals train = make_signals(quick(argc, argv) ? 24 : 476);
  const Array &X = train.x, &Y = train.y;
  const Array X_test = make_signals(50, 400, 16, 99).x;

  auto x = Input({400, 16});
  auto h = Conv1D{
      .filters = 32, .kernel_size = 8, .padding = Padding::same, .activation = Activation::relu}(x);
  h = LSTM{.units = 32, .return_sequences = true}(h);
  auto y = Dense{.units = 1, .activation = Activation::sigmoid}(h);

  Model model(x, y);
  model.summary();
  model.compile({.optimizer = Adam{.learning_rate = 1e-3f},
                 .loss = BinaryCrossentropy{},
                 .metrics = {"accuracy"}});
  auto history = model.fit(X, Y, {.epochs = 20, .batch_size = 32, .validation_split = 0.2});
  auto labels = model.predict(X_test);
  model.save("model.keras");
}
