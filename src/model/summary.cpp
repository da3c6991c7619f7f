#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <sonde/stream.hpp>

#include "model/state.hpp"
#include "model/table.hpp"
#include "model/training_memory.hpp"

// The layout and the words are those of keras.src.utils.summary_utils.
namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// 12481 → "12,481".
std::string thousands(Index number) {
  std::string text = fmt::format("{}", number);
  for (Index i = static_cast<Index>(text.size()) - 3; i > 0; i -= 3) text.insert(at(i), ",");
  return text;
}

std::string count_text(Index steps) { return steps == dynamic ? "any number" : thousands(steps); }
std::string step_text(Index steps) {
  return fmt::format("{} step{}", thousands(steps), steps == 1 ? "" : "s");
}

/// True when each call reads the one before it and no layer is shared.
bool is_chain(const Graph& graph) {
  for (std::size_t c = 0; c < graph.calls().size(); ++c) {
    const auto& call = graph.calls()[c];
    if (call.number > 0) return false;
    if (c == 0 ? !call.inputs.empty()
               : call.inputs.size() != 1 || call.inputs[0].call + 1 != static_cast<Index>(c))
      return false;
  }
  return true;
}

std::string shape_text(const Node& node) {
  std::string text;
  for (const Shape& shape : node.outputs) {
    if (!text.empty()) text += ", ";
    text += to_string(shape.with_front(dynamic));
  }
  return node.outputs.size() > 1 ? "[" + text + "]" : text;
}

std::string connections(const Graph& graph, Index layer) {
  std::string text;
  for (const auto& call : graph.calls()) {
    if (call.layer != layer) continue;
    for (const auto& source : call.inputs) {
      const auto& from = graph.calls()[at(source.call)];
      if (!text.empty()) text += ", ";
      text += fmt::format("{}[{}][{}]", graph.layer(from).name, from.number, source.output);
    }
  }
  return text.empty() ? "-" : text;
}

/// Scalars of the weights of one layer, or of its trainable ones.
Index parameters(const LayerInstance& layer, const WeightBlock& weights, bool trainable_only) {
  Index count = 0;
  for (const Index e : layer.entries)
    if (const auto& entry = weights.entries()[at(e)]; entry.trainable || !trainable_only)
      count += entry.size();
  return count;
}

BoxTable layer_table(const Graph& graph, const WeightBlock& weights) {
  const bool chain = is_chain(graph);
  BoxTable table;
  if (chain) table.columns = {{"Layer (type)", 0.45}, {"Output Shape", 0.8}, {"Param #", 1, true}};
  else
    table.columns = {
        {"Layer (type)", 0.3}, {"Output Shape", 0.56}, {"Param #", 0.74, true}, {"Connected to"}};
  for (Index l = 0; l < static_cast<Index>(graph.layers().size()); ++l) {
    const LayerInstance& layer = *graph.layers()[at(l)];
    std::string shape = "?";
    for (const auto& call : graph.calls())
      if (call.layer == l) shape = shape_text(*call.node);
    std::vector<std::string> row = {fmt::format("{} ({})", layer.name, layer.layer.type()), shape,
                                    thousands(parameters(layer, weights, false))};
    if (!chain) row.push_back(connections(graph, l));
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string parameter_lines(const Model::State& state) {
  Index all = 0, trainable = 0, optimizer = 0;
  for (const auto& layer : state.graph.layers()) {
    all += parameters(*layer, *state.weights, false);
    trainable += parameters(*layer, *state.weights, true);
  }
  // Keras counts the optimizer's variables from the first step on: its step number, its learning
  // rate and a few numbers for each trainable one.
  if (state.iterations > 0)
    optimizer = 2 + static_cast<Index>(state.optimizer_state.size()) * trainable;
  const auto line = [](const char* name, Index count) {
    return fmt::format(" {} params: {} ({})\n", name, thousands(count),
                       bytes_text(count * static_cast<Index>(sizeof(float))));
  };
  std::string text = line("Total", all + optimizer) + line("Trainable", trainable) +
                     line("Non-trainable", all - trainable);
  return optimizer > 0 ? text + line("Optimizer", optimizer) : text;
}

/// Empty when the model can label a signal while it arrives.
std::string why_no_stream(const Model& model) {
  try {
    Stream stream(model);
    return {};
  } catch (const ArgumentError& error) {
    return error.what();
  }
}

std::string time_lines(const Model& model) {
  const TimeReport time = model.time();
  if (time.steps_in == 0 && time.steps_out == 0) return {};
  std::string text = fmt::format(" Steps in: {}\n", count_text(time.steps_in));
  if (time.steps_out == 0) return text + " Steps out: none, one output for the whole signal\n";
  text += fmt::format(" Steps out: {}\n", count_text(time.steps_out));
  text +=
      fmt::format(" Receptive field: {}\n", time.receptive_field ? step_text(*time.receptive_field)
                                            : time.lookahead == dynamic ? "the whole signal"
                                                                        : "all earlier steps");
  text += fmt::format(" Lookahead: {}\n",
                      time.lookahead == dynamic ? "the whole signal" : step_text(time.lookahead));
  const std::string reason = why_no_stream(model);
  return text + fmt::format(" Streaming: {}\n", reason.empty() ? "yes" : "no. " + reason);
}

std::string text_for(const Model& model, const Model::State& state, int columns) {
  const BoxTable table = layer_table(state.graph, *state.weights);
  const int width = std::min(table.columns.size() == 3 ? 88 : 108, std::max(columns - 4, 40));
  return fmt::format("Model: \"{}\"\n{}{}{}", model.name(), draw(table, width),
                     parameter_lines(state), time_lines(model));
}

int terminal_columns() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string Model::summary_text() const {
  state_->refresh();
  return text_for(*this, *state_, 80);
}

void Model::summary() const {
  state_->refresh();
  std::fputs(text_for(*this, *state_, terminal_columns()).c_str(), stdout);
}

}  // namespace sonde
