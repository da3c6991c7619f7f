// What a device needs of a network that it does not train: predict() and a stream. Learns nothing
// and reads no file, so that neither is linked: check_install.cmake holds the program to its size.
#include <sonde/layers/conv1d.hpp>
#include <sonde/layers/dense.hpp>
#include <sonde/layers/lstm.hpp>
#include <sonde/model.hpp>
#include <sonde/stream.hpp>

using namespace sonde;

int main() {
  auto x = Input({dynamic, 16});
  auto h = Conv1D{.filters = 32,
                  .kernel_size = 8,
                  .padding = Padding::causal,
                  .activation = Activation::relu}(x);
  h = LSTM{.units = 32, .return_sequences = true}(h);
  auto y = Dense{.units = 1, .activation = Activation::sigmoid}(h);
  Model model(x, y);
  model.set_weights(model.get_weights());

  Array signal({1, 50, 16});
  for (Index i = 0; i < signal.shape().elements(); ++i)
    signal.data()[i] = static_cast<float>(i % 7) - 3.0f;
  const Array labels = model.predict(signal);
  Stream stream = model.stream();
  for (Index t = 0; t < 50; ++t)
    if (stream.push({signal.data() + t * 16, 16})[0] != labels(0, t, 0)) return 1;
  return 0;
}
