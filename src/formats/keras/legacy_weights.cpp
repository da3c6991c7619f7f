#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <sonde/error.hpp>
#include "formats/keras/legacy_h5.hpp"
#include "formats/keras/weights_file.hpp"
#include "formats/printable.hpp"

// keras.src.legacy.saving.legacy_h5_format: weights by the order of layers, not by name.
namespace sonde::formats::keras {
namespace {

using Planned = std::map<const LayerInstance*, std::vector<WeightEntry>>;

/// All weights of a layer and of its parts, in the order in which Keras lists them.
void gather(LayerInstance& instance, const Planned& planned, const std::string& label,
            std::vector<PlacedWeight>& weights) {
  if (const auto found = planned.find(&instance); found != planned.end())
    for (const WeightEntry& entry : found->second) weights.push_back({&instance, entry, "", label});
  for (const auto& part : instance.parts) gather(*part, planned, label, weights);
}

/// "td/bn/gamma" and "bn/gamma:0" are a gamma.
std::string_view last_part(std::string_view name) {
  name = name.substr(0, name.rfind(':'));
  return name.substr(name.rfind('/') + 1);  // npos + 1 is 0
}

/// The order in which a layer's weights lie in the file, under `names`: trainable ones first. Where
/// a whole layer is frozen, Keras 3 keeps the order of its parts, and Keras 2 that in which they
/// were trained. A layer that holds others may be frozen in the file and its parts not: names tell.
std::vector<std::size_t> stored_order(const LayerInstance& layer, int keras_major,
                                      const std::vector<PlacedWeight>& weights,
                                      const std::vector<std::string>& names) {
  const bool as_trained = keras_major < 3 && !layer.layer.trainable();
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const bool as_parts = keras_major >= 3 && !layer.parts.empty() &&
                        std::equal(names.begin(), names.end(), weights.begin(), weights.end(),
                                   [](const std::string& name, const PlacedWeight& weight) {
                                     return last_part(name) == last_part(weight.entry.name);
                                   });
  if (as_parts) return order;
  std::stable_partition(order.begin(), order.end(), [&](std::size_t i) {
    const WeightEntry& entry = weights[i].entry;
    return as_trained ? entry.options.trainable : entry.trainable;
  });
  return order;
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

}  // namespace

std::vector<std::string> numbered_texts(const Hdf5Reader& file, const std::string& path,
                                        const std::string& name) {
  if (file.has_attribute(path, name)) return file.texts(path, name);
  // Lists too long for one attribute are cut into several.
  std::vector<std::string> all;
  for (int part = 0; file.has_attribute(path, fmt::format("{}{}", name, part)); ++part)
    for (std::string& text : file.texts(path, fmt::format("{}{}", name, part)))
      all.push_back(std::move(text));
  return all;
}

std::string attribute_text(const Hdf5Reader& file, const std::string& path,
                           const std::string& name) {
  std::string all;
  for (const std::string& text : numbered_texts(file, path, name)) all += text;
  return all;
}

std::vector<PlacedWeight> place_legacy_weights(const Graph& graph, const Hdf5Reader& file,
                                               const std::string& group, int keras_major,
                                               const std::string& where) {
  Planned planned;
  for (auto& asked : planned_weights(graph)) planned[asked.first] = std::move(asked.second);
  struct Layer {
    const LayerInstance* instance;
    std::vector<PlacedWeight> weights;
  };
  std::vector<Layer> layers;
  for (const auto& instance : graph.layers()) {
    std::vector<PlacedWeight> weights;
    gather(*instance, planned, fmt::format("{} \"{}\"", instance->layer.type(), instance->name),
           weights);
    if (!weights.empty()) layers.push_back({instance.get(), std::move(weights)});
  }

  std::vector<PlacedWeight> placed;
  std::set<std::pair<const LayerInstance*, std::string>> seen;
  std::set<std::string> taken;
  std::size_t next = 0;
  for (const std::string& name : numbered_texts(file, group, "layer_names")) {
    const std::string folder = joined(group, name);
    const std::vector<std::string> names = numbered_texts(file, folder, "weight_names");
    if (names.empty()) continue;
    if (next == layers.size())
      throw FormatError(
          fmt::format("{}: has weights of \"{}\", but the model has only {} layers "
                      "with weights.",
                      where, printable(name), layers.size()));
    const Layer& layer = layers[next++];
    if (names.size() != layer.weights.size())
      throw FormatError(fmt::format("{}: {} has {} weights, but \"{}\" in the file has {}.", where,
                                    layer.weights.front().label, layer.weights.size(),
                                    printable(name), names.size()));
    const std::vector<std::size_t> order =
        stored_order(*layer.instance, keras_major, layer.weights, names);
    std::vector<std::string> places(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) places[order[i]] = joined(folder, names[i]);
    for (std::size_t i = 0; i < order.size(); ++i) {
      PlacedWeight weight = layer.weights[i];
      // A layer that two models share stands in the file once for each.
      if (!seen.insert({weight.holder, weight.entry.name}).second) continue;
      weight.place = places[i];
      if (!taken.insert(weight.place).second)
        throw FormatError(
            fmt::format("{}: \"{}\" names two weights.", where, printable(places[i])));
      placed.push_back(std::move(weight));
    }
  }
  if (next != layers.size())
    throw FormatError(
        fmt::format("{}: has weights of {} layers, but the model has {} with weights.", where, next,
                    layers.size()));
  return placed;
}

}  // namespace sonde::formats::keras
