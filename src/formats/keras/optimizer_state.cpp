#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sonde/error.hpp>
#include <sonde/layers/multi_head_attention.hpp>
#include "formats/keras/legacy_h5.hpp"
#include "formats/keras/weight_checks.hpp"
#include "formats/printable.hpp"
#include "training/optimizer.hpp"

// The optimizer's state in files, in the orders in which Keras has kept it.
namespace sonde::formats::keras {
namespace {

constexpr std::string_view optimizer_path = "optimizer/vars";

/// One of the optimizer's variables: a block of its state, and the weight it belongs to.
struct StateVariable {
  std::size_t block;
  const WeightEntry* entry;
};

/// The weights that Keras gives the optimizer a state for. `with_attention`: also those of a frozen
/// MultiHeadAttention, which Keras trains on where only the argument of the layer said it.
std::vector<const WeightEntry*> weights_with_state(const Model& model, bool with_attention) {
  std::set<Index> also;
  const auto note = [&](const LayerInstance& instance, const auto& again) -> void {
    if (instance.layer.type() == MultiHeadAttention::type)
      also.insert(instance.entries.begin(), instance.entries.end());
    for (const auto& part : instance.parts) again(*part, again);
  };
  if (with_attention)
    for (const auto& instance : model.graph().layers()) note(*instance, note);
  std::vector<const WeightEntry*> all;
  for (const Index e : model.graph().entries())
    if (const WeightEntry& entry = model.weights().entries()[static_cast<std::size_t>(e)];
        entry.trainable || also.contains(e))
      all.push_back(&entry);
  return all;
}

/// In Keras' order: Adam's two moments interleaved, weight by weight; everything else block by
/// block.
std::vector<StateVariable> state_variables(const Model& model, bool with_attention = false) {
  const std::vector<const WeightEntry*> trainable = weights_with_state(model, with_attention);
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

/// Those that a file of so many variables holds.
std::vector<StateVariable> state_variables_of(const Model& model, std::size_t count) {
  auto variables = state_variables(model);
  if (variables.size() == count) return variables;
  auto more = state_variables(model, true);
  return more.size() == count ? more : variables;
}

bool has_schedule(const Optimizer& optimizer) {
  return std::visit([](const auto& s) { return s.learning_rate.schedule() != nullptr; }, optimizer);
}

/// Where a file keeps an optimizer.
struct StatePlaces {
  std::string iterations;
  std::string rate = {};                ///< empty where the file does not say it
  std::vector<std::string> state = {};  ///< in the order of state_variables; empty before any step
};

void read_state(Model& model, const Hdf5Reader& file, const StatePlaces& places,
                const std::string& where) {
  const auto read = [&](const std::string& place, const Shape& shape) {
    Array values = file.read(place, shape);
    check_finite(values.values(), place, where);
    return values;
  };
  const std::int64_t iterations = file.read_integer(places.iterations);
  if (iterations < 0)
    throw FormatError(fmt::format("{}: \"{}\" counts {} steps.", where,
                                  printable(places.iterations), iterations));
  model.set_iterations(iterations);
  if (!places.rate.empty())
    model.set_learning_rate(static_cast<double>(*read(places.rate, Shape{}).data()));
  const auto variables = state_variables_of(model, places.state.size());
  for (std::size_t i = 0; i < places.state.size(); ++i) {
    const WeightEntry& entry = *variables[i].entry;
    const Array values = read(places.state[i], entry.shape);
    if (!entry.trainable) continue;
    std::copy(values.values().begin(), values.values().end(),
              model.optimizer_state()[variables[i].block].data() + entry.offset);
  }
}

}  // namespace

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

void read_optimizer_state(Model& model, const Hdf5Reader& file, const std::string& where) {
  const std::string path(optimizer_path);
  const std::size_t found = file.names(path).size();
  if (found == 0) return;  // compiled, and saved before the optimizer existed
  const std::size_t first = has_schedule(model.compiled()->optimizer) ? 1 : 2;
  const std::size_t all =
      first + state_variables_of(model, found < first ? 0 : found - first).size();
  // An optimizer that has never stepped may have been saved without its state.
  const bool is_fresh = found == first && file.read_integer(path + "/0") == 0;
  check_count(file, path, is_fresh ? first : all, where + ": optimizer");
  const auto place = [&](std::size_t number) { return fmt::format("{}/{}", path, number); };
  StatePlaces places{place(0), first == 2 ? place(1) : ""};
  for (std::size_t i = first; i < found; ++i) places.state.push_back(place(i));
  read_state(model, file, places, where);
}

void read_legacy_optimizer_state(Model& model, const Hdf5Reader& file, const std::string& where) {
  const std::string group = "optimizer_weights";
  if (!file.is_group(group)) return;
  std::vector<std::string> names = numbered_texts(file, group, "weight_names");
  if (names.empty()) return;
  for (std::string& name : names) name = fmt::format("{}/{}", group, name);
  const auto ends_in_rate = [](const std::string& name) {
    return name.ends_with("learning_rate") || name.ends_with("learning_rate:0");
  };
  // Before Keras 2.11 all weights' first moments came before all second ones.
  const bool is_by_block = names[0].ends_with("iter:0") || names[0].ends_with("iterations:0");
  StatePlaces places{names[0]};
  names.erase(names.begin());
  if (!names.empty() && ends_in_rate(names[0])) {
    places.rate = names[0];
    names.erase(names.begin());
  }
  const auto variables = state_variables_of(model, names.size());
  if (!names.empty()) {
    const bool has_spare_block =  // Keras 2.2 kept room for amsgrad
        is_by_block && 2 * names.size() == 3 * variables.size();
    if (names.size() != variables.size() && !has_spare_block)
      throw FormatError(fmt::format("{}: the optimizer's state has {} arrays, expected {}.", where,
                                    names.size(), variables.size()));
    const std::size_t blocks = model.optimizer_state().size();
    const std::size_t weights = blocks == 0 ? 0 : variables.size() / blocks;
    std::vector<std::size_t> next(blocks, 0);
    for (std::size_t i = 0; i < variables.size(); ++i) {
      const std::size_t block = variables[i].block;
      places.state.push_back(names[is_by_block ? block * weights + next[block]++ : i]);
    }
  }
  read_state(model, file, places, where);
}

}  // namespace sonde::formats::keras
