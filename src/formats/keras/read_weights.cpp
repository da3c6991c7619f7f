#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sonde/error.hpp>
#include "formats/keras/weight_checks.hpp"
#include "formats/keras/weight_sites.hpp"
#include "formats/printable.hpp"

namespace sonde::formats::keras {
namespace {

/// Adds up bytes of weights; a stranger's shapes may not overflow anything.
class Budget {
 public:
  Budget(std::uint64_t limit, const std::string& where) : limit_(limit), where_(where) {}

  void add(const WeightEntry& entry) {
    std::uint64_t bytes = sizeof(float);
    for (const Index size : entry.shape) {
      const auto n = static_cast<std::uint64_t>(size);
      if (size < 0 || (n != 0 && bytes > limit_ / n)) refuse(entry);
      bytes *= n;
    }
    if (bytes > limit_ - used_) refuse(entry);
    used_ += bytes;
  }

 private:
  [[noreturn]] void refuse(const WeightEntry& entry) const {
    throw LimitError(
        fmt::format("{}: with \"{}\" of shape {} the weights take more than the limit "
                    "of {} bytes.",
                    where_, entry.path(), to_string(entry.shape), limit_));
  }

  std::uint64_t limit_;
  const std::string& where_;
  std::uint64_t used_ = 0;
};

/// "layers", or what Keras 2.12 and 2.13 wrote in its place.
std::string root_of_layers(const Hdf5Reader& file) {
  constexpr std::string_view old = "_layer_checkpoint_dependencies";
  return std::string(!file.is_group("layers") && file.is_group(old) ? old : "layers");
}

/// Refuses groups under a model's layers that belong to none of them.
void check_no_more(const Hdf5Reader& file, const std::vector<WeightSite>& sites,
                   const std::string& where) {
  std::map<std::string, std::set<std::string>> known;  // folder → what it holds
  for (const WeightSite& site : sites) {
    const std::string path = site.groups[0].path.substr(0, site.groups[0].path.rfind('/'));
    const std::size_t slash = path.rfind('/');
    known[path.substr(0, slash)].insert(path.substr(slash + 1));
  }
  for (const auto& [folder, names] : known) {
    const bool holds_layers = folder.ends_with("layers") || folder.ends_with("dependencies");
    if (!holds_layers) continue;
    for (const std::string& name : file.names(folder))
      if (!names.count(name))
        throw FormatError(
            fmt::format("{}: \"{}/{}\" belongs to no layer of config.json.", where, folder, name));
  }
}

/// Everything that can be verified without taking memory.
void check_claims(const std::vector<PlacedWeight>& weights, const Hdf5Reader& file,
                  std::uint64_t limit, const std::string& where) {
  Budget budget(limit, where);
  for (const PlacedWeight& weight : weights) {
    budget.add(weight.entry);
    if (is_whole_number(*weight.holder, weight.entry)) continue;
    if (const Shape found = file.shape(weight.place); !(found == weight.entry.shape))
      throw FormatError(fmt::format("{}: {}: {} (\"{}\") has shape {}, expected {}.", where,
                                    weight.label, weight.entry.name, printable(weight.place),
                                    to_string(found), to_string(weight.entry.shape)));
  }
}

/// The values of one weight.
Array read_values(const PlacedWeight& weight, const Hdf5Reader& file, const std::string& where) {
  if (is_whole_number(*weight.holder, weight.entry)) {
    Array one(weight.entry.shape);
    one.data()[0] = static_cast<float>(file.read_integer(weight.place));
    return one;
  }
  Array values = file.read(weight.place, weight.entry.shape);
  check_finite(values.values(), weight.place, where);
  return values;
}

}  // namespace

void check_count(const Hdf5Reader& file, const std::string& variables, std::size_t count,
                 const std::string& where) {
  const std::vector<std::string> names = file.names(variables);
  std::set<std::string> expected;
  for (std::size_t i = 0; i < count; ++i) expected.insert(std::to_string(i));
  for (const std::string& name : expected)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw FormatError(fmt::format("{}: variable {} of \"{}\" is missing: expected {}, found {}.",
                                    where, name, variables, count, names.size()));
  for (const std::string& name : names)
    if (!expected.count(name))
      throw FormatError(
          fmt::format("{}: \"{}/{}\" is one variable too many: expected {}, found {}.", where,
                      variables, name, count, names.size()));
}

void check_finite(std::span<const float> values, const std::string& path,
                  const std::string& where) {
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
    throw FormatError(
        fmt::format("{}: \"{}\" holds NaN or infinity: the training of this model "
                    "diverged.",
                    where, path));
}

void check_weights(const Graph& graph, std::uint64_t limit, const std::string& where) {
  Budget budget(limit, where);
  for (const auto& asked : planned_weights(graph))
    for (const WeightEntry& entry : asked.second) budget.add(entry);
}

std::vector<PlacedWeight> place_weights(const Graph& graph, const Hdf5Reader& file,
                                        const std::string& where) {
  std::map<const LayerInstance*, std::vector<WeightEntry>> planned;
  for (auto& asked : planned_weights(graph)) planned[asked.first] = std::move(asked.second);
  const std::vector<WeightSite> sites = weight_sites(graph, root_of_layers(file));
  check_no_more(file, sites, where);
  std::vector<PlacedWeight> weights;
  std::set<const LayerInstance*> seen;
  for (const WeightSite& site : sites) {
    std::vector<WeightEntry> entries;
    if (const auto found = planned.find(site.holder); found != planned.end())
      entries = found->second;
    std::vector<std::string> names;
    for (const WeightEntry& entry : entries) names.push_back(entry.name);
    const std::vector<std::string> at = site.places(names);
    for (const WeightGroup& group : site.groups)
      check_count(file, group.path,
                  static_cast<std::size_t>(
                      std::count_if(at.begin(), at.end(),
                                    [&](const std::string& place) {
                                      return place.substr(0, place.rfind('/')) == group.path;
                                    })),
                  fmt::format("{}: {}", where, site.where));
    // A layer that two models share stands in the file once for each.
    if (entries.empty() || !seen.insert(site.holder).second) continue;
    for (std::size_t i = 0; i < entries.size(); ++i)
      weights.push_back({site.holder, entries[i], at[i], site.where});
  }
  return weights;
}

void read_weights(const std::vector<PlacedWeight>& weights, const Hdf5Reader& file,
                  std::uint64_t limit, const std::string& where) {
  check_claims(weights, file, limit, where);
  std::vector<WeightEntry> all;
  for (const PlacedWeight& weight : weights) all.push_back(weight.entry);
  const auto block = std::make_shared<WeightBlock>(std::move(all));
  for (const PlacedWeight& weight : weights) weight.holder->entries.clear();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Array values = read_values(weights[i], file, where);
    std::copy(values.values().begin(), values.values().end(),
              block->values(block->entries()[i]).begin());
    weights[i].holder->entries.push_back(static_cast<Index>(i));
  }
  for (const PlacedWeight& weight : weights) weight.holder->weights = block;
}

void replace_weights(const std::vector<PlacedWeight>& weights, const Hdf5Reader& file,
                     std::uint64_t limit, const std::string& where) {
  check_claims(weights, file, limit, where);
  std::vector<Array> values;
  for (const PlacedWeight& weight : weights) values.push_back(read_values(weight, file, where));
  std::map<const LayerInstance*, std::size_t> counts;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const LayerInstance& holder = *weights[i].holder;
    WeightBlock& block = *holder.weights;
    const Index entry = holder.entries[counts[&holder]++];
    std::copy(values[i].values().begin(), values[i].values().end(),
              block.values(block.entries()[static_cast<std::size_t>(entry)]).begin());
  }
}

}  // namespace sonde::formats::keras
