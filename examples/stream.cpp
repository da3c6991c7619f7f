// Labels while the signal arrives: a causal network, fed step by step, gives bit for bit what
// predict() gives on the whole signal.
#include <cstdio>
#include <sonde/sonde.hpp>

#include "signals.hpp"

using namespace sonde;

int main(int argc, char** argv) {
  const Signals data = make_signals(quick(argc, argv) ? 32 : 200);

  auto x = Input({dynamic, 16});
  auto h = Conv1D{.filters = 32,
                  .kernel_size = 8,
                  .padding = Padding::causal,
                  .activation = Activation::relu}(x);
  h = LSTM{.units = 32, .return_sequences = true}(h);
  auto y = Dense{.units = 1, .activation = Activation::sigmoid}(h);
  Model model(x, y);
  model.compile({.optimizer = Adam{.learning_rate = 3e-3f}, .loss = BinaryCrossentropy{}});
  model.fit(data.x, data.y, {.epochs = 2});

  const Array signal = data.x.slice(0, 1);  // (1, 400, 16)
  const Array whole = model.predict(signal);
  Stream stream = model.stream();
  int differing = 0;
  for (Index t = 0; t < 400; ++t) {
    const auto labels = stream.push({signal.data() + t * 16, 16});
    differing += labels.size() != 1 || labels[0] != whole(0, t, 0);
  }
  std::printf("latency: %td steps; steps that differ from predict(): %d\n", stream.latency(),
              differing);
  return differing;
}
