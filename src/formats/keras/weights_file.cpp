#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sonde/error.hpp>
#include "formats/keras/layer_config.hpp"
#include "formats/keras/weight_sites.hpp"
#include "formats/keras/weights_file.hpp"
#include "training/optimizer.hpp"

namespace sonde::formats::keras {
namespace {

constexpr std::string_view optimizer_path = "optimizer/vars";

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

/// Keras keeps one kind of weight as a whole number.
bool is_whole_number(const LayerInstance& instance, const WeightEntry& entry) {
  return instance.layer.type() == "Normalization" && entry.name == "count";
}

/// Refuses a group that does not hold exactly the variables 0 … count - 1.
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

/// One of the optimizer's variables: a block of its state, and the weight it belongs to.
struct StateVariable {
  std::size_t block;
  const WeightEntry* entry;
};

/// In Keras' order: Adam's two moments interleaved, weight by weight; everything else block by
/// block.
std::vector<StateVariable> state_variables(const Model& model) {
  std::vector<const WeightEntry*> trainable;
  for (const Index e : model.graph().entries())
    if (const WeightEntry& entry = model.weights().entries()[static_cast<std::size_t>(e)];
        entry.trainable)
      trainable.push_back(&entry);
  const Optimizer& optimizer = model.compiled()->optimizer;
  const std::size_t blocks = optimizer_slot_names(optimizer).size();
  const bool has_average = std::visit([](const auto& spec) { return spec.use_ema; }, optimizer);
  std::vector<StateVariable> variables;
  const auto interleave = [&](std::size_t begin, std::size_t end) {
    for (const WeightEntry* entry : trainable)
      for (std::size_t block = begin; block < end; ++block) variables.push_back({block, entry});
  };
  // The average is the last block here and the first in Keras.
  const std::size_t own = has_average ? blocks - 1 : blocks;
  interleave(own, blocks);
  const bool is_adam =
      std::holds_alternative<Adam>(optimizer) || std::holds_alternative<AdamW>(optimizer);
  for (std::size_t begin = 0, end = 0; begin < own; begin = end) {
    end = begin + (begin == 0 && is_adam ? 2 : 1);
    interleave(begin, end);
  }
  return variables;
}

bool has_schedule(const Optimizer& optimizer) {
  return std::visit([](const auto& s) { return s.learning_rate.schedule() != nullptr; }, optimizer);
}

/// Writing what cannot be read back would hide that training failed.
void refuse_diverged(std::span<const float> values, const std::string& path) {
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
    throw DivergedError(
        fmt::format("Model cannot be saved: \"{}\" holds NaN or infinity. A smaller "
                    "learning rate or clipnorm may keep training from diverging.",
                    path));
}

std::span<const float> values_of(const float* block, const WeightEntry& entry) {
  return {block + entry.offset, static_cast<std::size_t>(entry.size())};
}

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

void write_optimizer_state(Hdf5Writer& file, const Model& model) {
  const Optimizer& optimizer = model.compiled()->optimizer;
  const std::string path(optimizer_path);
  file.group(path);
  file.attribute(path, "name", std::visit([](const auto& s) { return s.name; }, optimizer));
  std::size_t next = 0;
  const auto number = [&] { return fmt::format("{}/{}", path, next++); };
  file.write(number(), model.iterations());
  if (!has_schedule(optimizer)) {
    const auto rate = static_cast<float>(model.learning_rate());
    file.write(number(), Shape{}, {&rate, 1});
  }
  for (const StateVariable& variable : state_variables(model)) {
    const float* block = model.optimizer_state()[variable.block].data();
    refuse_diverged(values_of(block, *variable.entry),
                    "the optimizer's state of " + variable.entry->path());
    file.write(number(), variable.entry->shape, values_of(block, *variable.entry));
  }
}

}  // namespace

std::vector<std::byte> write_weights(const Model& model) {
  Hdf5Writer file;
  write_layers(file, model);
  if (model.compiled()) write_optimizer_state(file, model);
  file.group("vars");
  file.attribute("vars", "name", model.name());
  return file.bytes();
}

void check_weights(const Graph& graph, std::uint64_t limit, const std::string& where) {
  Budget budget(limit, where);
  for (const auto& asked : planned_weights(graph))
    for (const WeightEntry& entry : asked.second) budget.add(entry);
}

void read_weights(const Graph& graph, const Hdf5Reader& file, std::uint64_t limit,
                  const std::string& where) {
  std::map<const LayerInstance*, std::vector<WeightEntry>> planned;
  for (auto& asked : planned_weights(graph)) planned[asked.first] = std::move(asked.second);
  const std::vector<WeightSite> sites = weight_sites(graph, root_of_layers(file));
  check_no_more(file, sites, where);

  // First every claim is checked, then memory is taken.
  Budget budget(limit, where);
  std::vector<WeightEntry> all;
  std::vector<std::string> places;
  std::vector<bool> whole;
  std::set<const LayerInstance*> seen;
  for (const WeightSite& site : sites) {
    const std::string here = fmt::format("{}: {}", where, site.where);
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
                  here);
    // A layer that two models share stands in the file once for each.
    if (entries.empty() || !seen.insert(site.holder).second) continue;
    LayerInstance& instance = *site.holder;
    instance.entries.clear();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      budget.add(entries[i]);
      places.push_back(at[i]);
      whole.push_back(is_whole_number(instance, entries[i]));
      if (const Shape found = whole.back() ? Shape{} : file.shape(places.back());
          !(found == entries[i].shape))
        throw FormatError(fmt::format("{}: {} (\"{}\") has shape {}, expected {}.", here,
                                      entries[i].name, places.back(), to_string(found),
                                      to_string(entries[i].shape)));
      instance.entries.push_back(static_cast<Index>(all.size()));
      all.push_back(entries[i]);
    }
  }

  auto block = std::make_shared<WeightBlock>(std::move(all));
  for (std::size_t i = 0; i < places.size(); ++i) {
    const WeightEntry& entry = block->entries()[i];
    if (whole[i]) {
      block->values(entry)[0] = static_cast<float>(file.read_integer(places[i]));
      continue;
    }
    const Array values = file.read(places[i], entry.shape);
    check_finite(values.values(), places[i], where);
    std::copy(values.values().begin(), values.values().end(), block->values(entry).begin());
  }
  for (const WeightSite& site : sites)
    if (site.holder != nullptr && !site.holder->entries.empty()) site.holder->weights = block;
}

void read_optimizer_state(Model& model, const Hdf5Reader& file, const std::string& where) {
  const std::string path(optimizer_path);
  const std::vector<std::string> found = file.names(path);
  if (found.empty()) return;  // compiled, and saved before the optimizer existed
  const bool has_rate = !has_schedule(model.compiled()->optimizer);
  const auto variables = state_variables(model);
  const std::size_t first = has_rate ? 2 : 1;
  const std::int64_t iterations = file.read_integer(path + "/0");
  if (iterations < 0)
    throw FormatError(fmt::format("{}: \"{}/0\" counts {} steps.", where, path, iterations));
  // An optimizer that has never stepped may have been saved without its state.
  const bool is_fresh = iterations == 0 && found.size() == first;
  check_count(file, path, is_fresh ? first : first + variables.size(), where + ": optimizer");

  const auto read = [&](std::size_t number, const Shape& shape) {
    const std::string place = fmt::format("{}/{}", path, number);
    Array values = file.read(place, shape);
    check_finite(values.values(), place, where);
    return values;
  };
  model.set_iterations(iterations);
  if (has_rate) model.set_learning_rate(static_cast<double>(*read(1, Shape{}).data()));
  if (is_fresh) return;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const WeightEntry& entry = *variables[i].entry;
    const Array values = read(first + i, entry.shape);
    std::copy(values.values().begin(), values.values().end(),
              model.optimizer_state()[variables[i].block].data() + entry.offset);
  }
}

}  // namespace sonde::formats::keras
