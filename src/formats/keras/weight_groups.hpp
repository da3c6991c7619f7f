#pragma once
#include <sonde/graph.hpp>
#include <string>
#include <vector>

namespace sonde::formats::keras {

/// One group of model.weights.h5 with numbered variables in its "vars".
struct WeightGroup {
  std::string path;                 ///< "layers/lstm/cell"
  std::string name;                 ///< that Keras notes there: "lstm_cell"
  LayerInstance* holder = nullptr;  ///< whose weights lie there; null when the group has none
};

/// All groups of a graph's layers, in the order of layers. Keras numbers the layers of one class:
/// keras.src.saving.saving_lib. Parts lie under the attribute that holds them: Bidirectional has
/// forward_layer and backward_layer, recurrent layers a cell, nested models layers of their own.
std::vector<WeightGroup> weight_groups(const Graph& graph, const std::string& root = "layers");

}  // namespace sonde::formats::keras
