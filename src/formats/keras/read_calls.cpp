#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sonde/error.hpp>
#include <sonde/layers/functional.hpp>
#include "formats/keras/graph_reader.hpp"
#include "formats/keras/layer_config.hpp"
#include "formats/keras/operations.hpp"

// The calls of layers, as files write them.
namespace sonde::formats::keras {
namespace {

std::size_t number(const Value& value, const Where& where) {
  const auto* whole = value.as<std::int64_t>();
  if (!whole || *whole < 0)
    throw FormatError(
        fmt::format("{}: expected a number from 0, got {}.", where, to_string(value)));
  return static_cast<std::size_t>(*whole);
}

}  // namespace

/// ["lstm", 0, 1]
Reference Reader::reference(const Value& triple, const Where& where, bool is_end) const {
  const auto* parts = triple.as<Value::List>();
  const auto* name = parts && parts->size() >= 3 ? parts->front().as<std::string>() : nullptr;
  if (!name)
    throw FormatError(fmt::format("{}: expected [layer, call, output], got {}.", where,
                                  to_string(triple).substr(0, 200)));
  const auto found = numbers_.find(*name);
  if (found == numbers_.end())
    throw FormatError(
        fmt::format("{}: refers to a layer \"{}\", which is not there.", where, *name));
  Reference r{found->second, number((*parts)[1], where), number((*parts)[2], where)};
  const auto* model = entries_[r.layer].layer.as<Functional>();
  // A model begins with a call of its own. Keras 3 counts it where it names the ends of the model
  // around it, though not of a Sequential; Keras 2 counts it everywhere.
  const bool counts_own = model && (keras_major_ < 3 || (is_end && !model->sequential));
  if (counts_own && r.call > 0) --r.call;
  return r;
}

Reference Reader::tensor(const Value& written, const Where& where) const {
  const Value* class_name = written.find("class_name");
  if (!class_name || *class_name != Value("__keras_tensor__"))
    throw FormatError(
        fmt::format("{}: expected the output of a layer as input, got {}. Constants "
                    "are not supported.",
                    where, to_string(written).substr(0, 200)));
  return reference(entry(entry(written, "config", where), "keras_history", where), where);
}

/// A tensor, or a list of tensors, or of lists of them, such as the states of stacked cells.
void Reader::tensors(const Value& written, const Where& where, std::vector<Reference>& into) const {
  if (const auto* list = written.as<Value::List>()) {
    for (const Value& each : *list) tensors(each, where, into);
  } else if (!written.is_null()) {
    into.push_back(tensor(written, where));
  }
}

std::vector<Reference> Reader::call(Entry& entry, const Value& written) const {
  const Where& where = entry.where;
  const CallStyle style = call_style(entry.layer);
  if (style == CallStyle::query_value_key) return attention_call(entry, written);
  const Value::List& args = list_entry(written, "args", where);
  std::vector<Reference> inputs;
  if (args.empty()) throw FormatError(where + ": is called without an input.");
  if (entry.is_operation) {
    for (const Value& each : operands(written)) inputs.push_back(tensor(each, where));
    return inputs;
  }
  tensors(args[0], where, inputs);
  const bool is_list = args[0].as<Value::List>() != nullptr;
  if (is_list != (style == CallStyle::list) && inputs.size() != 1)
    throw FormatError(fmt::format("{}: is called with {} tensors where Keras gives it {}.", where,
                                  inputs.size(), is_list ? "one" : "a list"));
  const bool takes_states = style == CallStyle::tensor_and_states;
  for (std::size_t i = 1; i < args.size(); ++i) {
    if (args[i].is_null()) continue;
    if (i != 1 || !takes_states)
      throw FormatError(fmt::format("{}: argument {} of its call is not supported, got {}.", where,
                                    i, to_string(args[i]).substr(0, 200)));
    tensors(args[i], where, inputs);
  }
  for (const auto& [key, value] : dict_entry(written, "kwargs", where)) {
    // What the file says about training was true when the model was built, not when it is used.
    if (key == "training" || value.is_null() || is_call_argument(key)) continue;
    if (key == "mask") {
      if (has_mask(value, where)) entry.masked.insert(entry.calls.size());
      continue;
    }
    if (key != "initial_state" || !takes_states)
      throw FormatError(
          fmt::format("{}: the argument {} of its call is not supported.", where, key));
    tensors(value, where, inputs);
  }
  return inputs;
}

/// query, value and key, by place or by name.
std::vector<Reference> Reader::attention_call(const Entry& entry, const Value& written) const {
  constexpr std::array<std::string_view, 3> names = {"query", "value", "key"};
  const Where& where = entry.where;
  std::array<Value, names.size()> given;
  const Value::List& args = list_entry(written, "args", where);
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (i < names.size()) given[i] = args[i];
    else if (!args[i].is_null())
      throw FormatError(fmt::format("{}: argument {} of its call is not supported, got {}.", where,
                                    i, to_string(args[i]).substr(0, 200)));
  }
  for (const auto& [key, value] : dict_entry(written, "kwargs", where)) {
    if (key == "training" || value.is_null() || is_call_argument(key)) continue;
    const auto name = std::find(names.begin(), names.end(), key);
    if (name == names.end())
      throw FormatError(
          fmt::format("{}: the argument {} of its call is not supported.", where, key));
    given[static_cast<std::size_t>(name - names.begin())] = value;
  }
  std::vector<Reference> inputs;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == 2 && given[i].is_null()) break;
    inputs.push_back(tensor(given[i], fmt::format("{}: {}", where, names[i])));
  }
  return inputs;
}

/// Of several inputs each may have one. A mask must be what Masking or Embedding gives, or layers
/// make of it: then it comes by itself. One by which every step counts is none.
bool Reader::has_mask(const Value& written, const Where& where) const {
  std::vector<Reference> masks;
  tensors(written, where, masks);
  bool masked = false;
  for (const Reference& mask : masks) {
    const Entry& entry = entries_[mask.layer];
    if (!entry.is_mask)
      throw FormatError(where + ": is called with a mask that is not of Masking or Embedding.");
    masked |= !entry.counts_all;
  }
  return masked;
}

/// Keras joins the masks of a Concatenate: ones for a part that has none. Side by side with others,
/// and not one behind the other in time, such a part makes every step count.
bool Reader::counts_all(const Entry& mask, const Value& written) const {
  const auto axis = std::find_if(mask.config.begin(), mask.config.end(),
                                 [](const auto& entry) { return entry.first == "axis"; });
  const bool joins =
      axis != mask.config.end() && (axis->second == Value(-1) || axis->second == Value(2));
  if (!joins) return mask.counts_all;
  std::vector<Reference> parts;
  for (const Value& each : list_entry(written, "inbound_nodes", mask.where)) {
    const Value* args = each.find("args");
    if (const auto* list = args ? args->as<Value::List>() : nullptr; list && !list->empty())
      tensors(list->front(), mask.where, parts);
  }
  return std::any_of(parts.begin(), parts.end(), [&](const Reference& part) {
    return entries_[part.layer].is_mask && entries_[part.layer].counts_all;
  });
}

/// As Keras 2 wrote it: [["layer", 0, 0, {}], …].
std::vector<Reference> Reader::old_call(const Entry& entry, const Value& written) const {
  std::vector<Reference> inputs;
  for (const Value& each : *written.as<Value::List>()) {
    inputs.push_back(reference(each, entry.where));
    const Value::List& parts = *each.as<Value::List>();
    if (parts.size() > 4) throw FormatError(entry.where + ": a reference has more than 4 parts.");
    if (parts.size() < 4) continue;
    const auto* kwargs = parts[3].as<Value::Dict>();
    if (!kwargs) throw FormatError(entry.where + ": the arguments of its call must be a table.");
    for (const auto& [key, value] : *kwargs)
      if (key != "training" && !value.is_null())
        throw FormatError(
            fmt::format("{}: the argument {} of its call is not supported.", entry.where, key));
  }
  return inputs;
}

void Reader::add_calls(Entry& entry, const Value& written) {
  if (entry.is_mask) {
    entry.counts_all = counts_all(entry, written);
    return;
  }
  for (const Value& each : list_entry(written, "inbound_nodes", entry.where)) {
    if (++call_count_ > limits_.calls)
      throw LimitError(fmt::format("{}: more than {} calls of layers.", where_, limits_.calls));
    entry.calls.push_back(each.as<Value::List>() ? old_call(entry, each) : call(entry, each));
  }
  const bool is_input = call_style(entry.layer) == CallStyle::none;
  if (is_input != entry.calls.empty())
    throw FormatError(
        fmt::format("{}: {}.", entry.where,
                    is_input ? "is called, but inputs come from outside" : "is never called"));
  if (is_input) entry.calls.emplace_back();
}

}  // namespace sonde::formats::keras
