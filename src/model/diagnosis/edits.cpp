#include "model/diagnosis/edits.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sonde/layers.hpp>

namespace sonde::diagnosis {
namespace {

/// The value as a user would write it: "same" in quotes, true, 400.
std::string written(const Value& value) {
  if (const auto* text = value.as<std::string>()) return fmt::format("\"{}\"", *text);
  if (const auto* flag = value.as<bool>()) return *flag ? "true" : "false";
  return to_string(value);
}

/// "conv1d, conv1d_1".
std::string names_of(const Candidate& c, const std::vector<Index>& calls) {
  std::vector<std::string> names;
  for (const Index call : calls) {
    const std::string name = short_name(c.draft.part(c.draft.calls[at(call)]));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

/// One edit of several layers is a little more than of one.
double price_of(double price, std::size_t layers) {
  return price * (1 + 0.1 * static_cast<double>(layers - 1));
}

constexpr std::string_view stepwise[] = {"Dense",
                                         "TimeDistributed",
                                         "Activation",
                                         "Softmax",
                                         "ReLU",
                                         "LeakyReLU",
                                         "ELU",
                                         "PReLU",
                                         "Dropout",
                                         "SpatialDropout1D",
                                         "GaussianNoise",
                                         "GaussianDropout",
                                         "Rescaling",
                                         "LayerNormalization",
                                         "BatchNormalization",
                                         "UnitNormalization"};

}  // namespace

bool is_one_of(std::string_view a, Types words) {
  return std::find(words.begin(), words.end(), a) != words.end();
}

std::vector<Index> calls_of(const Candidate& c, std::size_t o, Types types) {
  std::vector<Index> found;
  for (const Index call : c.draft.path(o)) {
    const Draft::Call& each = c.draft.calls[at(call)];
    const Draft::Part& part = c.draft.part(each);
    const bool put_in = part.name.empty();  // by an edit, which another one need not take back
    if (!each.removed && !put_in && is_one_of(part.layer.type(), types)) found.push_back(call);
  }
  return found;
}

std::optional<Candidate> set_argument(const Candidate& c, double price,
                                      const std::vector<Index>& calls, std::string_view key,
                                      const Value& value) {
  if (calls.empty()) return std::nullopt;
  std::set<std::string> made;
  for (const Index call : calls) {
    const std::string place =
        fmt::format("{} {} = ", short_name(c.draft.part(c.draft.calls[at(call)])), key);
    for (const std::string& before : c.keys)
      if (before.starts_with(place)) return std::nullopt;  // no argument is changed twice
    made.insert(place + written(value));
  }
  Candidate next =
      c.edited(price_of(price, calls.size()), std::move(made), static_cast<double>(calls.front()),
               fmt::format("{}: {} = {}", names_of(c, calls), key, written(value)));
  for (const Index call : calls) {
    Draft::Part& part = next.draft.part(next.draft.calls[at(call)]);
    std::optional<AnyLayer> changed = with_argument(part.layer, key, value);
    if (!changed) return std::nullopt;
    part.layer = *std::move(changed);
  }
  return next;
}

std::optional<Candidate> leave_out(const Candidate& c, double price,
                                   const std::vector<Index>& calls) {
  if (calls.empty()) return std::nullopt;
  std::set<std::string> made;
  for (const Index call : calls)
    made.insert(short_name(c.draft.part(c.draft.calls[at(call)])) + " out");
  Candidate next =
      c.edited(price_of(price, calls.size()), std::move(made), static_cast<double>(calls.front()),
               fmt::format("{} left out", names_of(c, calls)));
  for (const Index call : calls) next.draft.remove(call);
  return next;
}

std::vector<Index> head_of_output(const Candidate& c, std::size_t o) {
  std::vector<Index> head;
  for (Graph::Source source = c.draft.resolve(c.draft.outputs[o]);;) {
    const Draft::Call& call = c.draft.calls[at(source.call)];
    if (call.inputs.size() != 1 || !is_one_of(c.draft.part(call).layer.type(), stepwise))
      return head;
    head.push_back(source.call);
    source = c.draft.resolve(call.inputs[0]);
  }
}

Candidate insert_before_head(const Candidate& c, double price, std::size_t o, AnyLayer layer,
                             const std::string& words) {
  const std::vector<Index> head = head_of_output(c, o);
  if (head.empty()) return append(c, price, o, std::move(layer), words);
  const Draft::Call& first = c.draft.calls[at(head.back())];
  Candidate next = c.edited(price, {words + " before"}, static_cast<double>(head.back()) - 0.5,
                            words + " before " + short_name(c.draft.part(first)));
  next.draft.insert_after(next.draft.resolve(first.inputs[0]), std::move(layer));
  return next;
}

Candidate append(const Candidate& c, double price, std::size_t o, AnyLayer layer,
                 const std::string& words) {
  const Graph::Source end = c.draft.resolve(c.draft.outputs[o]);
  const Draft::Part& last = c.draft.part(c.draft.calls[at(end.call)]);
  Candidate next = c.edited(price, {words + " after"}, static_cast<double>(end.call) + 0.5,
                            words + " after " + short_name(last));
  const Index call = next.draft.insert_after(end, std::move(layer));
  next.draft.outputs[o] = {call, 0};
  return next;
}

std::optional<Candidate> set_units(const Candidate& c, double price, std::size_t o, Index units) {
  std::vector<Index> places = head_of_output(c, o);
  const Graph::Source end = c.draft.resolve(
      places.empty() ? c.draft.outputs[o] : c.draft.calls[at(places.back())].inputs[0]);
  places.push_back(end.call);
  for (const Index call : places) {
    const AnyLayer& layer = c.draft.part(c.draft.calls[at(call)]).layer;
    for (const std::string_view key : {"units", "filters"})
      if (has_argument(layer, key)) return set_argument(c, price, {call}, key, Value(units));
  }
  return std::nullopt;
}

std::optional<Candidate> set_activation(const Candidate& c, double price, std::size_t o,
                                        std::string_view name) {
  for (const Index call : head_of_output(c, o)) {
    const AnyLayer& layer = c.draft.part(c.draft.calls[at(call)]).layer;
    if (argument(layer, "activation") == Value(name)) return c;
    if (has_argument(layer, "activation"))
      return set_argument(c, price, {call}, "activation", Value(name));
    if (layer.type() != "Softmax" || name == "softmax") continue;
    std::optional<Candidate> next = leave_out(c, price / 2, {call});
    return next ? set_activation(*next, price / 2, o, name) : next;
  }
  return std::nullopt;
}

Candidate set_loss(const Candidate& c, double price, std::size_t o, Loss loss) {
  Candidate next = c.edited(price, {fmt::format("loss {}", o)}, after_all, "loss " + name_of(loss));
  next.losses[o] = std::move(loss);
  return next;
}

Candidate change_x(const Candidate& c, double price, std::size_t input, ArrayChange change) {
  Candidate next = c.edited(price, {change.text}, before_all, change.text);
  next.data.x[input] = change.shape;
  next.x[input].push_back(std::move(change));
  return next;
}

Candidate change_y(const Candidate& c, double price, std::size_t output, ArrayChange change) {
  Candidate next = c.edited(price, {change.text}, after_all, change.text);
  next.data.y[output] = change.shape;
  if (change.over_time && output < next.data.weights.size() && next.data.weights[output] > 1)
    next.data.weights[output] = change.shape.rank() > 1 ? change.shape[0] : 1;
  next.y[output].push_back(std::move(change));
  return next;
}

Candidate follow_x(const Candidate& c, double price, std::size_t input) {
  Shape shape = c.data.x[input];
  const Shape& before = c.draft.input_shapes[input];
  if (before.rank() == shape.rank() && before.rank() > 0 && before[0] == dynamic)
    shape[0] = dynamic;
  const std::string name = short_name(c.draft.part(c.draft.calls[at(c.draft.inputs[input].call)]));
  Candidate next =
      c.edited(price, {name + " shape"}, 0, fmt::format("{}: shape {}", name, to_string(shape)));
  next.draft.input_shapes[input] = std::move(shape);
  return next;
}

}  // namespace sonde::diagnosis
