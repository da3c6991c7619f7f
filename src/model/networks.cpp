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

/// DENS-ECG's kind: convolutions see what a step looks like, LSTMs from both ends what is around
/// it.
Tensor conv_bilstm(Tensor x, const NetworkOptions& o) {
  const auto drop = [&](Tensor h) {
    return o.dropout > 0 ? Dropout{.rate = o.dropout}(std::move(h)) : h;
  };
  for (Index i = 0; i < (o.conv_layers > 0 ? o.conv_layers : 2); ++i)
    x = drop(convolve(std::move(x), o, Padding::same));
  for (Index i = 0; i < (o.lstm_layers > 0 ? o.lstm_layers : 2); ++i)
    x = drop(
        Bidirectional{.layer = LSTM{.units = o.units, .return_sequences = true}}(std::move(x)));
  return label(std::move(x), o);
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

/// Each step's channels, or what Conv1D made of them, as a sequence: Conv2D slides across it, an
/// LSTM walks along it, and time is left alone.
Tensor walk_across(Tensor x, const NetworkOptions& o) {
  const Index width = x.shape()[1];
  if (x.shape().rank() == 2) x = Reshape{.target_shape = {{-1, width, 1}}}(std::move(x));
  x = Conv2D{.filters = o.filters,
             .kernel_size = {1, std::min(o.kernel_size, width)},
             .activation = Activation::relu}(std::move(x));
  return TimeDistributed{.layer = LSTM{.units = o.units}}(std::move(x));
}

Tensor spatial_conv_lstm(Tensor x, const NetworkOptions& o) {
  return label(walk_across(std::move(x), o), o);
}

Tensor temporal_spatial_conv_lstm(Tensor x, const NetworkOptions& o) {
  return label(walk_across(convolve(std::move(x), o, Padding::same), o), o);
}

/// With a second input: the label before each label, and a last number that is 1 at the start.
Tensor encoder_decoder(std::vector<Tensor>& inputs, const NetworkOptions& o) {
  const Index labels = o.label_steps > 0 ? o.label_steps : inputs[0].shape()[0];
  inputs.push_back(Input({labels, o.outputs + 1}, {.name = "previous"}));
  std::vector<Tensor> states =
      LSTM{.units = o.units, .return_state = true, .name = "encoder"}.outputs(inputs[0]);
  states.erase(states.begin());
  return label(
      LSTM{.units = o.units, .return_sequences = true, .return_state = true, .name = "decoder"}(
          inputs[1], std::move(states)),
      o);
}

template <Tensor (*build)(Tensor x, const NetworkOptions& options)>
Tensor of_one_input(std::vector<Tensor>& inputs, const NetworkOptions& options) {
  return build(inputs[0], options);
}

struct Network {
  NetworkName name;
  /// Adds further inputs to the first one.
  Tensor (*build)(std::vector<Tensor>& inputs, const NetworkOptions& options);
  bool wide = false;  ///< also takes (time, channels, 1)
};

constexpr std::array<Network, 8> all = {{
    {{"conv-lstm", "Conv1D (same), LSTM, Dense: one label for each step"}, of_one_input<conv_lstm>},
    {{"conv-bilstm",
      "Conv1D (same), LSTMs in both directions, Dense: one label for each step, the whole signal "
      "in mind"},
     of_one_input<conv_bilstm>},
    {{"conv-pool-lstm-up",
      "Conv1D (same), MaxPooling1D, LSTM, UpSampling1D, Conv1D, Dense: one label for each step"},
     of_one_input<conv_pool_lstm_up>},
    {{"conv-pool-lstm-last",
      "Conv1D (valid), MaxPooling1D, LSTM, Dense: one label for the whole signal", false, false},
     of_one_input<conv_pool_lstm_last>},
    {{"conv-pool-lstm-wide",
      "Conv1D (valid), MaxPooling1D, LSTM, Dense: the labels of all steps as one vector", false,
      false},
     of_one_input<conv_pool_lstm_wide>},
    {{"spatial-conv-lstm",
      "Conv2D and LSTM across the channels of each step, Dense: one label for each step"},
     of_one_input<spatial_conv_lstm>,
     true},
    {{"temporal-spatial-conv-lstm",
      "Conv1D (same), then as spatial-conv-lstm: one label for each step"},
     of_one_input<temporal_spatial_conv_lstm>},
    {{"encoder-decoder",
      "LSTM, whose last states begin an LSTM that writes labels one by one, Dense", true, false},
     encoder_decoder},
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
  const Network& network = all[static_cast<std::size_t>(&find_network(name) - all_names.data())];
  const bool axis_added = network.wide && input.rank() == 3 && input[2] == 1;
  if (input.rank() != 2 && !axis_added)
    throw ArgumentError(fmt::format(
        "{}: samples must be of shape (time, channels), got {}. A single recording of one channel "
        "is (time, 1).",
        name, to_string(input)));
  if (input[1] == dynamic)
    throw ArgumentError(fmt::format("{}: the number of channels must be known.", name));
  const bool deep = options.conv_layers > 1 || options.lstm_layers > 1 || options.dropout > 0;
  if (deep && name != "conv-bilstm")
    throw ArgumentError(fmt::format(
        "{}: has one convolution, one LSTM and no dropout. Use conv-bilstm for more.", name));
  if (options.conv_layers < 0 || options.lstm_layers < 0)
    throw ArgumentError(
        fmt::format("{}: conv_layers and lstm_layers must not be negative, got {} "
                    "and {}.",
                    name, options.conv_layers, options.lstm_layers));

  std::vector<Tensor> inputs = {Input(input)};
  Tensor y = network.build(inputs, options);
  std::string model_name(name);
  std::replace(model_name.begin(), model_name.end(), '-', '_');
  return Model(std::move(inputs), {std::move(y)}, {.seed = options.seed, .name = model_name});
}

}  // namespace sonde
