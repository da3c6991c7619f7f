#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <sonde/error.hpp>
#include "formats/keras/weight_checks.hpp"
#include "formats/keras/weight_sites.hpp"

namespace sonde::formats::keras {
namespace {

void write_layers(Hdf5Writer& file, const Model& model) {
  const WeightBlock& block = model.weights();
  for (const WeightSite& site : weight_sites(model.graph())) {
    for (const WeightGroup& group : site.groups) {
      file.group(group.path);
      file.attribute(group.path, "name", group.name);
    }
    if (site.holder == nullptr) continue;
    const LayerInstance& instance = *site.holder;
    std::vector<std::string> names;
    for (const Index e : instance.entries)
      names.push_back(block.entries()[static_cast<std::size_t>(e)].name);
    const std::vector<std::string> places = site.places(names);
    for (std::size_t i = 0; i < instance.entries.size(); ++i) {
      const auto& entry = block.entries()[static_cast<std::size_t>(instance.entries[i])];
      refuse_diverged(values_of(block.data(), entry), entry.path());
      const std::string& place = places[i];
      const auto values = values_of(block.data(), entry);
      if (is_whole_number(instance, entry)) file.write(place, static_cast<std::int64_t>(values[0]));
      else file.write(place, entry.shape, values);
    }
  }
}

}  // namespace

bool is_whole_number(const LayerInstance& instance, const WeightEntry& entry) {
  return instance.layer.type() == "Normalization" && entry.name == "count";
}

void refuse_diverged(std::span<const float> values, const std::string& path) {
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
    throw DivergedError(
        fmt::format("Model cannot be saved: \"{}\" holds NaN or infinity. A smaller "
                    "learning rate or clipnorm may keep training from diverging.",
                    path));
}

std::vector<std::byte> write_weights(const Model& model) {
  Hdf5Writer file;
  write_layers(file, model);
  if (model.compiled()) write_optimizer_state(file, model);
  file.group("vars");
  file.attribute("vars", "name", model.name());
  return file.bytes();
}

}  // namespace sonde::formats::keras
