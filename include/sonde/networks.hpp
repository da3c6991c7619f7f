#pragma once
#include <cstdint>
#include <sonde/activations.hpp>
#include <sonde/model.hpp>
#include <span>
#include <string_view>

/// Networks by name, for those who bring data and no opinion.
namespace sonde {

/// A network that make_network can build.
struct NetworkName {
  std::string_view name;
  std::string_view layers;   ///< what it is made of, in one line
  bool labels_steps = true;  ///< its output has a time axis; else one vector for the whole signal
  bool any_length = true;    ///< what it learned on windows holds for signals of any length
};

/// All of them; the first is the default.
std::span<const NetworkName> networks();

/// The entry of that name. Throws ArgumentError, with the nearest name, for others.
const NetworkName& find_network(std::string_view name);

struct NetworkOptions {
  Index filters = 32;     ///< of each convolution
  Index kernel_size = 8;  ///< steps; across channels: at most as many as there are
  Index pool_size = 4;    ///< steps that a pooling layer makes one of
  Index units = 32;       ///< of each LSTM; in both directions where it walks in both
  Index outputs = 1;      ///< numbers for each label: 1, or one for each class
  Index label_steps =
      0;  ///< labels that encoder-decoder writes; 0: as many as the signal has steps
  ActivationFunction activation = ActivationFunction::sigmoid;  ///< of the last layer
  std::uint64_t seed = 0;
  Index conv_layers = 0;  ///< convolutions, one after the other; 0: conv-bilstm has 2, others 1
  Index lstm_layers = 0;  ///< recurrent layers; 0: conv-bilstm has 2, others 1
  double dropout = 0;     ///< rate behind each convolution and recurrent layer of conv-bilstm
};

/// A network for samples of shape (time, channels), not compiled. Time may be dynamic where all
/// layers allow it. spatial-conv-lstm gives its input the axis that Conv2D wants, or takes (time,
/// channels, 1). encoder-decoder has a second input: see EncoderDecoder. Throws ArgumentError for
/// unknown names and shapes that do not fit.
///   Model model = make_network("conv-lstm", {400, 16});
///   model.summary();  // 4,128 + 8,320 + 33 = 12,481 parameters, output (None, 400, 1)
Model make_network(std::string_view name, const Shape& input, NetworkOptions options = {});

}  // namespace sonde
