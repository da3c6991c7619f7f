#include <fmt/format.h>

#include <algorithm>
#include <sonde/layers.hpp>

#include "model/diagnosis/array_changes.hpp"
#include "model/diagnosis/edits.hpp"
#include "model/diagnosis/propose.hpp"

namespace sonde::diagnosis {
namespace {

constexpr std::string_view convolutions[] = {"Conv1D", "SeparableConv1D", "DepthwiseConv1D"};
constexpr std::string_view poolings[] = {"MaxPooling1D", "AveragePooling1D"};
constexpr std::string_view windows[] = {"Conv1D", "SeparableConv1D", "DepthwiseConv1D",
                                        "MaxPooling1D", "AveragePooling1D"};
constexpr std::string_view collapsing[] = {"Flatten", "GlobalMaxPooling1D",
                                           "GlobalAveragePooling1D"};
constexpr std::string_view repeating[] = {"RepeatVector"};
constexpr std::string_view remaking[] = {"RepeatVector", "Reshape", "Permute", "Conv1DTranspose",
                                         "Functional"};
constexpr std::string_view recurrent[] = {"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"};

void keep(std::optional<Candidate> found, std::vector<Candidate>& out) {
  if (found) out.push_back(*std::move(found));
}

/// The calls among `calls` whose argument has that value.
std::vector<Index> having(const Candidate& c, std::vector<Index> calls, std::string_view key,
                          const Value& value) {
  const auto other = [&](Index call) {
    return !(argument(c.draft.part(c.draft.calls[at(call)]).layer, key) == value);
  };
  calls.erase(std::remove_if(calls.begin(), calls.end(), other), calls.end());
  return calls;
}

std::vector<Index> ending_time(const Candidate& c, std::size_t o) {
  return having(c, calls_of(c, o, recurrent), "return_sequences", Value(false));
}

Index whole(const Value& value, Index otherwise) {
  const auto* number = value.as<std::int64_t>();
  return number ? static_cast<Index>(*number) : otherwise;
}

bool has_time(const Shape& shape) { return shape.rank() > 1; }

/// How the steps of an output lie over those of the signal.
struct Grid {
  bool known = true;           ///< no layer made time anew
  Index strides = 1, ups = 1;  ///< signal steps for `ups` steps of the output
  Index before = 0;            ///< signal steps before the first that the output stands for
  /// The output's steps cover the signal from end to end.
  bool covers(Index output, Index signal) const { return output * strides == signal * ups; }
};

Grid grid_of(const Candidate& c, std::size_t o) {
  Grid grid;
  const auto number = [&](const AnyLayer& layer, std::string_view key, Index otherwise) {
    Value value = argument(layer, key);
    if (const auto* list = value.as<Value::List>(); list && !list->empty())
      value = Value(list->front());
    return whole(value, otherwise);
  };
  for (const Index call : c.draft.path(o)) {
    if (c.draft.calls[at(call)].removed) continue;
    const AnyLayer& layer = c.draft.part(c.draft.calls[at(call)]).layer;
    const std::string_view type = layer.type();
    const Index step = std::max<Index>(grid.strides / grid.ups, 1);
    if (is_one_of(type, windows)) {
      const bool pools = is_one_of(type, poolings);
      const Index size = number(layer, pools ? "pool_size" : "kernel_size", 1);
      if (!pools && argument(layer, "padding") == Value("valid"))
        grid.before += step * ((size - 1) * number(layer, "dilation_rate", 1) / 2);
      grid.strides *= number(layer, "strides", pools ? size : 1);
    } else if (type == "UpSampling1D") {
      grid.ups *= number(layer, "size", 1);
    } else if (type == "Cropping1D") {
      grid.before += step * number(layer, "cropping", 0);
    } else if (type == "ZeroPadding1D") {
      grid.before -= step * number(layer, "padding", 0);
    } else if (is_one_of(type, remaking)) {
      grid.known = false;
    }
  }
  return grid;
}

}  // namespace

void propose_sequences(const Candidate& c, std::size_t o, std::vector<Candidate>& out) {
  const std::vector<Index> ends = ending_time(c, o);
  keep(set_argument(c, 1, ends, "return_sequences", Value(true)), out);
  if (ends.size() > 1)  // the last one may be meant to end time
    keep(set_argument(c, 1, {ends.begin(), ends.end() - 1}, "return_sequences", Value(true)), out);
  keep(leave_out(c, 1, calls_of(c, o, collapsing)), out);
}

void propose_lengths(const Candidate& c, std::size_t o, std::vector<Candidate>& out) {
  const auto valid = [&](Types types) {
    return having(c, calls_of(c, o, types), "padding", Value("valid"));
  };
  keep(set_argument(c, 1, valid(convolutions), "padding", Value("same")), out);
  keep(leave_out(c, 1, calls_of(c, o, poolings)), out);
  std::vector<Index> strided;
  for (const Index call : calls_of(c, o, convolutions))
    if (whole(argument(c.draft.part(c.draft.calls[at(call)]).layer, "strides"), 1) > 1)
      strided.push_back(call);
  keep(set_argument(c, 1, strided, "strides", Value(1)), out);
  for (const std::string_view type : {"UpSampling1D", "ZeroPadding1D", "Cropping1D"})
    keep(leave_out(c, 1.1, calls_of(c, o, Types(&type, 1))), out);
}

void propose_rates(const Candidate& c, std::size_t o, const Shape& output, const Shape& target,
                   std::vector<Candidate>& out) {
  const Index have = output[0], want = target[0];
  if (have < 1 || want < 1 || have == want) return;
  const auto before_head = [&](double price, AnyLayer layer, const std::string& words) {
    out.push_back(insert_before_head(c, price, o, std::move(layer), words));
  };
  const std::vector<Index> repeats = calls_of(c, o, repeating);
  if (!repeats.empty()) keep(set_argument(c, 0.9, repeats, "n", Value(want)), out);
  // Steps must go with the steps of the signal that they stand for, not just be as many.
  const Grid grid = grid_of(c, o);
  const Index signal = c.data.x[0].rank() > 0 ? c.data.x[0][0] : 1;
  const bool covers = !grid.known || grid.covers(have, signal);
  if (covers && want % have == 0) {
    const Index f = want / have;
    before_head(1.3, UpSampling1D{.size = f}, fmt::format("UpSampling1D({})", f));
    out.push_back(change_y(c, 1.5, o, join_steps(c.data.y[o], f)));
  } else if (covers && have % want == 0 && have <= signal) {
    const Index f = have / want;
    out.push_back(change_y(c, 1.2, o, repeat_steps(c.data.y[o], f)));
    before_head(1.3, MaxPooling1D{.pool_size = f}, fmt::format("MaxPooling1D({})", f));
  }
  constexpr double most_lost = 0.25;  // of the steps, by cutting
  const auto near = [](Index small, Index large) {
    return static_cast<double>(large - small) <= most_lost * static_cast<double>(large);
  };
  if (want > have && near(have, want) && want == signal && grid.known && grid.strides == grid.ups) {
    const Index begin = std::clamp<Index>(grid.before, 0, want - have);
    out.push_back(change_y(c, 1.5, o, crop_steps(c.data.y[o], begin, begin + have)));
  } else if (have > want && near(want, have)) {
    const Index begin = (have - want) / 2, end = have - want - begin;
    before_head(1.5, Cropping1D{.cropping = {begin, end}},
                fmt::format("Cropping1D(({}, {}))", begin, end));
  }
}

void propose_vectors(const Candidate& c, std::size_t o, const Shape& output, const Shape& target,
                     std::vector<Candidate>& out) {
  const TargetKind kind = target_kind(c.losses[o]);
  const bool classes = kind == TargetKind::class_numbers || kind == TargetKind::distribution;
  if (!has_time(output) && has_time(target)) {
    // All steps as one vector, where a label is one number.
    if (!classes && target.last() == 1 && output.last() == 1) {
      const std::optional<Candidate> wide = set_units(c, 1.6, o, target[0]);
      if (wide && c.data.y[o].rank() > 1)
        out.push_back(change_y(*wide, 1.5, o, reshape("y", {target[0]})));
      else keep(wide, out);
    }
    out.push_back(change_y(c, 3.6, o, join_all_steps(c.data.y[o])));
  } else if (has_time(output) && !has_time(target)) {
    const std::vector<Index> rnns = calls_of(c, o, recurrent);
    if (!rnns.empty())
      keep(set_argument(c, 1, {rnns.back()}, "return_sequences", Value(false)), out);
    out.push_back(
        insert_before_head(c, 1.3, o, GlobalAveragePooling1D{}, "GlobalAveragePooling1D"));
    const std::string_view stepwise = "TimeDistributed";  // which cannot do without time
    if (!calls_of(c, o, Types(&stepwise, 1)).empty())
      out.push_back(append(c, 1.5, o, GlobalAveragePooling1D{}, "GlobalAveragePooling1D"));
    out.push_back(change_y(c, 1.6, o, spread(c.data.y[o], output[0])));
  }
}

void propose_shorter_windows(const Candidate& c, const Planned& planned,
                             std::vector<Candidate>& out) {
  const Index call = planned.failed;
  const Draft::Call& failing = c.draft.calls[at(call)];
  const AnyLayer& layer = c.draft.part(failing).layer;
  if (!is_one_of(layer.type(), windows)) return;
  const Index steps = planned.shape(c.draft.resolve(failing.inputs[0]))[0];
  const bool pools = is_one_of(layer.type(), poolings);
  const std::string_view key = pools ? "pool_size" : "kernel_size";
  Value size = argument(layer, key);
  const bool listed = size.as<Value::List>() != nullptr;
  if (listed) size = size.as<Value::List>()->front();
  const Index dilation = std::max<Index>(whole(argument(layer, "dilation_rate"), 1), 1);
  const Index fits = (steps - 1) / dilation + 1;
  if (pools) keep(leave_out(c, 1, {call}), out);
  if (steps < 1 || whole(size, 0) <= fits) return;
  const Value shorter = listed ? Value(Value::List{Value(fits)}) : Value(fits);
  if (argument(layer, "padding") == Value("valid"))
    keep(set_argument(c, 0.9, {call}, "padding", Value("same")), out);
  if (fits > 1) keep(set_argument(c, 1, {call}, key, shorter), out);
}

}  // namespace sonde::diagnosis
