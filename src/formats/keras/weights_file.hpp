#pragma once
#include <cstddef>
#include <memory>
#include <sonde/model.hpp>
#include <string>
#include <vector>
#include "base/file.hpp"

#include "formats/hdf5.hpp"

/// Weights and the optimizer's state as model.weights.h5 and back.
namespace sonde::formats::keras {

std::vector<std::byte> write_weights(const Model& model);

/// A weight of a graph, and the dataset of a file that holds it.
struct PlacedWeight {
  LayerInstance* holder;
  WeightEntry entry;
  std::string place;
  std::string label = {};  ///< of the layer, for messages: `LSTM "memory"`
};

/// Where the file keeps the weights of a graph, as Keras 3 writes them. Every weight must be there
/// with the shape that the graph gives it, and no other.
std::vector<PlacedWeight> place_weights(const Graph& graph, const Hdf5Reader& file,
                                        const std::string& where);
/// The same for Keras 2, and for .h5 files of Keras 3: in the order of layers that have weights.
/// `group` holds them: "model_weights", or "" for a file of weights alone.
std::vector<PlacedWeight> place_legacy_weights(const Graph& graph, const Hdf5Reader& file,
                                               const std::string& group, int keras_major,
                                               const std::string& where);

/// Gives these weights a block of their own, with the values of the file. All claims are verified
/// before the block is allocated, and so is that it takes no more than `limit` bytes.
void read_weights(const std::vector<PlacedWeight>& weights, const Hdf5Reader& file,
                  std::uint64_t limit, const std::string& where);
/// Replaces the values of weights that have a block; all of them, or none when one is refused.
void replace_weights(const std::vector<PlacedWeight>& weights, const Hdf5Reader& file,
                     std::uint64_t limit, const std::string& where);

/// Throws LimitError when the weights of `graph` take more than `limit` bytes.
void check_weights(const Graph& graph, std::uint64_t limit, const std::string& where);

/// hard_sigmoid was clip(0.2 x + 0.5, 0, 1) before Keras 3 and is clip(x / 6 + 0.5, 0, 1) since:
/// what feeds it is multiplied by 1.2, so that the layers of `graph` compute what they did.
void rescale_old_hard_sigmoid(const Graph& graph);
constexpr double old_hard_sigmoid_scale = 1.2;
/// Whether some layer's weights would be changed by that.
bool has_hard_sigmoid(const Graph& graph);

/// Step count, learning rate and state blocks of a compiled model.
void read_optimizer_state(Model& model, const Hdf5Reader& file, const std::string& where);
/// The same of an .h5 file.
void read_legacy_optimizer_state(Model& model, const Hdf5Reader& file, const std::string& where);

}  // namespace sonde::formats::keras
