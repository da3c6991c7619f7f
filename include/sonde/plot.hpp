#pragma once
#include <sonde/model.hpp>
#include <string>

namespace sonde {

/// What a picture of a model shows. Names, order and defaults are those of Keras' plot_model.
struct PlotOptions {
  bool show_shapes = false;
  bool show_dtype = false;
  bool show_layer_names = false;
  std::string rankdir = "TB";  ///< from top to bottom; LR: from left to right, BT, RL
  bool expand_nested = false;  ///< models in the model as boxes with their layers
  int dpi = 200;               ///< dots for each inch of a .png
  bool show_layer_activations = false;
  bool show_trainable = false;
};

/// The model as a graph in Graphviz' language. Layers that are called several times stand in it
/// once. Whatever the names of layers hold is text there. Throws ArgumentError for another rankdir
/// and a dpi below 1.
///   std::ofstream("model.dot") << to_dot(model, {.show_shapes = true});  // dot -Tsvg -O model.dot
std::string to_dot(const Model& model, const PlotOptions& options = {});

}  // namespace sonde
