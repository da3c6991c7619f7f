#pragma once
#include <sonde/graph.hpp>

namespace sonde {

/// A whole model as one layer of another: its layers are called anew, with the weights that they
/// have. `model(x)` makes one. Keras: a model that is called.
struct Functional {
  static constexpr std::string_view type = "Functional";
  std::shared_ptr<const Graph> graph;
  bool sequential = false;  ///< is written as Keras' Sequential
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Functional;
    return fields_of(field("sequential", &L::sequential), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  std::vector<Tensor> expand(Expansion& expansion) const;
};

}  // namespace sonde
