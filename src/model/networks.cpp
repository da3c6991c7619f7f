#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sonde/layers.hpp>
#include <sonde/networks.hpp>

namespace sonde {
namespace {

Tensor convolve(Tensor x, const NetworkOptions& o, Padding padding) {
  return Conv1D{.filters = o.filters,
                .kernel_size = o.kernel_size,
                .padding = padding,
                .activation = Activation::relu}(std::move(x));
}

Tensor pool(Tensor x, const NetworkOptions& o) {
  return MaxPooling1D{.pool_size = o.pool_size}(std::move(x));
}

Tensor remember(Tensor x, const NetworkOptions& o, bool sequences) {
  return LSTM{.units = o.units, .return_sequences = sequences}(std::move(x));
}

Tensor label(Tensor x, const NetworkOptions& o, Index labels = 1) {
  return Dense{.units = o.outputs * labels, .activation = o.activation}(std::move(x));
}

Tensor conv_lstm(Tensor x, const NetworkOptions& o) {
  return label(remember(convolve(std::move(x), o, Padding::same), o, true), o);
}

Tensor conv_pool_lstm_last(Tensor x, const NetworkOptions& o) {
  return label(remember(pool(convolve(std::move(x), o, Padding::valid), o), o, false), o);
}

Tensor conv_pool_lstm_wide(Tensor x, const NetworkOptions& o) {
  const Index steps = x.shape()[0];
  if (steps == dynamic)
    throw ArgumentError(
        "conv-pool-lstm-wide: needs a fixed number of steps, because its last layer has one unit "
        "for each. Use conv-lstm for signals of any length.");
  if (o.outputs != 1)
    throw ArgumentError(
        fmt::format("conv-pool-lstm-wide: gives one number for each step, not {}. Use conv-lstm or "
                    "conv-pool-lstm-up for classes.",
                    o.outputs));
  return label(remember(pool(convolve(std::move(x), o, Padding::valid), o), o, false), o, steps);
}

Tensor conv_pool_lstm_up(Tensor x, const NetworkOptions& o) {
  const Index steps = x.shape()[0];
  if (steps != dynamic && o.pool_size > 0 && steps % o.pool_size != 0)
    throw ArgumentError(fmt::format(
        "conv-pool-lstm-up: the number of steps must be a multiple of pool_size = {}, got {}. Cut "
        "the signals to {} steps, or use conv-lstm.",
        o.pool_size, steps, steps / o.pool_size * o.pool_size));
  Tensor h = remember(pool(convolve(std::move(x), o, Padding::same), o), o, true);
  h = UpSampling1D{.size = o.pool_size}(std::move(h));
  return label(convolve(std::move(h), o, Padding::same), o);
}

struct Network {
  NetworkName name;
  Tensor (*build)(Tensor x, const NetworkOptions& options);
};

constexpr std::array<Network, 4> all = {{
    {{"conv-lstm", "Conv1D (same), LSTM, Dense: one label for each step"}, conv_lstm},
    {{"conv-pool-lstm-up",
      "Conv1D (same), MaxPooling1D, LSTM, UpSampling1D, Conv1D, Dense: one label for each step"},
     conv_pool_lstm_up},
    {{"conv-pool-lstm-last",
      "Conv1D (valid), MaxPooling1D, LSTM, Dense: one label for the whole signal", false},
     conv_pool_lstm_last},
    {{"conv-pool-lstm-wide",
      "Conv1D (valid), MaxPooling1D, LSTM, Dense: the labels of all steps as one vector", false},
     conv_pool_lstm_wide},
}};

constexpr auto all_names = [] {
  std::array<NetworkName, all.size()> names;
  for (std::size_t i = 0; i < all.size(); ++i) names[i] = all[i].name;
  return names;
}();

}  // namespace

std::span<const NetworkName> networks() { return all_names; }

const NetworkName& find_network(std::string_view name) {
  std::vector<std::string_view> known;
  for (const NetworkName& each : all_names) {
    if (each.name == name) return each;
    known.push_back(each.name);
  }
  refuse_name("network", name, known);
}

Model make_network(std::string_view name, const Shape& input, NetworkOptions options) {
  const auto position = static_cast<std::size_t>(&find_network(name) - all_names.data());
  if (input.rank() != 2)
    throw ArgumentError(fmt::format(
        "{}: samples must be of shape (time, channels), got {}. A single recording of one channel "
        "is (time, 1).",
        name, to_string(input)));
  if (input[1] == dynamic)
    throw ArgumentError(fmt::format("{}: the number of channels must be known.", name));

  Tensor x = Input(input);
  Tensor y = all[position].build(x, options);
  std::string model_name(name);
  std::replace(model_name.begin(), model_name.end(), '-', '_');
  return Model(std::move(x), std::move(y), {.seed = options.seed, .name = model_name});
}

}  // namespace sonde
