#pragma once
#include <sonde/graph.hpp>
#include <string>
#include <vector>

namespace sonde::formats::keras {

/// One group of model.weights.h5 that holds numbered variables.
struct WeightGroup {
  std::string path;         ///< "layers/lstm/cell/vars"
  std::string name;         ///< that Keras notes there: "lstm_cell"
  std::string prefix = {};  ///< holds only the weights whose names begin with this and a slash
};

/// Where one layer, or one part of a composite, stands in the file.
struct WeightSite {
  std::string where;                ///< for messages: `LSTM "memory"`
  LayerInstance* holder = nullptr;  ///< whose weights lie here; null when there can be none
  std::vector<WeightGroup> groups;  ///< the layer's own group first

  /// Where each of the holder's weights lies.
  std::vector<std::string> places(const std::vector<std::string>& weights) const;
};

/// All sites of a graph's layers, in the order of layers. Keras numbers the layers of one class and
/// keeps parts under the attribute that holds them: Bidirectional has forward_layer and
/// backward_layer, recurrent layers a cell, MultiHeadAttention one group for each projection,
/// nested models layers of their own. keras.src.saving.saving_lib.
std::vector<WeightSite> weight_sites(const Graph& graph, const std::string& root = "layers");

}  // namespace sonde::formats::keras
