#include <sonde/plot.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sonde/error.hpp>
#include <sonde/layers/functional.hpp>

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// How many bytes of UTF-8 begin at `i`; 0 when they are none.
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto byte = static_cast<unsigned char>(text[i]);
  const std::size_t length = byte < 0x80   ? 1
                             : byte < 0xc2 ? 0
                             : byte < 0xe0 ? 2
                             : byte < 0xf0 ? 3
                             : byte < 0xf5 ? 4
                                           : 0;
  if (length == 0 || i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k)
    if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return 0;
  return length;
}

/// As text inside of one of Graphviz' HTML labels: a name must not become markup, and bytes that
/// are no characters must not stop the drawing.
std::string escaped(std::string_view text) {
  std::string safe;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text, i);
    const char c = text[i];
    if (length == 0) safe += "?";
    else if (length > 1) safe += text.substr(i, length);
    else if (c == '&') safe += "&amp;";
    else if (c == '<') safe += "&lt;";
    else if (c == '>') safe += "&gt;";
    else if (c == '"') safe += "&quot;";
    else safe += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    i += std::max<std::size_t>(length, 1);
  }
  return safe;
}

/// The colours of a kind of layer: its title's ground.
std::string_view colour_of(std::string_view type) {
  const auto has = [&](std::string_view part) { return type.find(part) != type.npos; };
  if (type == "InputLayer") return "#d9dee5";
  if (has("Pooling") || has("UpSampling") || has("Cropping") || has("ZeroPadding"))
    return "#f6dfb8";
  if (has("Conv")) return "#bcd9f2";
  if (has("LSTM") || has("GRU") || has("RNN") || type == "Bidirectional") return "#cfe6c4";
  if (type == "Dense" || type == "TimeDistributed" || type == "Embedding") return "#e3d3f0";
  if (has("Normalization") || has("Dropout") || has("Noise") || type == "Rescaling")
    return "#eeeeee";
  if (has("Attention")) return "#f5cfd3";
  if (type == "Functional" || type == "Sequential") return "#d3ecea";
  return "#f2efe6";
}

constexpr std::string_view line_colour = "#4a5563";

class Drawing {
 public:
  Drawing(const Model& model, const PlotOptions& options) : options_(options) {
    text_ = fmt::format(
        "digraph model {{\n"
        "  graph [rankdir={}, dpi={}, bgcolor=\"white\", nodesep=0.35, ranksep=0.4, "
        "concentrate=true,"
        " fontname=\"Helvetica\"];\n"
        "  node [shape=plain, fontname=\"Helvetica\", fontsize=12];\n"
        "  edge [color=\"{}\", arrowsize=0.7, penwidth=1.2];\n",
        options.rankdir, options.dpi, line_colour);
    draw(model.graph(), "  ");
    for (const auto& [from, to] : edges_) text_ += fmt::format("  {} -> {};\n", from, to);
    text_ += "}\n";
  }

  const std::string& text() const { return text_; }

 private:
  /// Where edges begin and end: one node for each output and each input, or one for all.
  struct Ends {
    std::vector<std::string> inputs, outputs;
  };
  static const std::string& end(const std::vector<std::string>& all, std::size_t i) {
    return all[std::min(i, all.size() - 1)];
  }

  Ends draw(const Graph& graph, const std::string& indent) {
    std::vector<Ends> ends;
    for (std::size_t l = 0; l < graph.layers().size(); ++l)
      ends.push_back(layer(graph, static_cast<Index>(l), indent));
    for (const Graph::Call& call : graph.calls())
      for (std::size_t i = 0; i < call.inputs.size(); ++i) {
        const Graph::Source& source = call.inputs[i];
        const Index from = graph.calls()[at(source.call)].layer;
        edge(end(ends[at(from)].outputs, at(source.output)), end(ends[at(call.layer)].inputs, i));
      }
    Ends own;
    for (const auto& each : graph.inputs())
      own.inputs.push_back(end(ends[at(graph.calls()[at(each.call)].layer)].inputs, 0));
    for (const auto& each : graph.outputs())
      own.outputs.push_back(
          end(ends[at(graph.calls()[at(each.call)].layer)].outputs, at(each.output)));
    return own;
  }

  void edge(const std::string& from, const std::string& to) {
    if (known_.insert({from, to}).second) edges_.emplace_back(from, to);
  }

  Ends layer(const Graph& graph, Index number, const std::string& indent) {
    const LayerInstance& layer = *graph.layers()[at(number)];
    const auto* nested = layer.layer.as<Functional>();
    if (nested && options_.expand_nested) {
      text_ += fmt::format(
          "{0}subgraph cluster_{1} {{\n{0}  label=<<b>{2}</b> ({3})>; fontsize=12; labeljust=l; "
          "style=\"rounded,filled\"; fillcolor=\"#f6f8fa\"; color=\"{4}\"; margin=14;\n",
          indent, count_++, escaped(layer.name), nested->sequential ? "Sequential" : "Functional",
          line_colour);
      Ends ends = draw(*nested->graph, indent + "  ");
      text_ += indent + "}\n";
      return ends;
    }
    const std::string node = fmt::format("n{}", count_++);
    text_ += fmt::format("{}{} [label=<{}>];\n", indent, node, table(graph, number, layer));
    return {{node}, {node}};
  }

  std::string table(const Graph& graph, Index number, const LayerInstance& layer) const {
    std::string_view type = layer.layer.type();
    if (const auto* nested = layer.layer.as<Functional>(); nested && nested->sequential)
      type = "Sequential";
    const std::string colour(colour_of(type));
    const std::string title =
        options_.show_layer_names
            ? fmt::format("<b>{}</b> ({})", escaped(layer.name), escaped(kind(layer, type)))
            : fmt::format("<b>{}</b>", escaped(kind(layer, type)));
    std::string rows;
    if (options_.show_layer_activations) add_row(rows, "Activation", activation(layer));
    if (options_.show_shapes) {
      add_row(rows, "Input shape", shapes(graph, number, true));
      add_row(rows, "Output shape", shapes(graph, number, false));
    }
    if (options_.show_dtype) add_row(rows, "Output dtype", "float32");
    if (options_.show_trainable && type != "InputLayer")
      add_row(rows, "Trainable", layer.layer.trainable() ? "True" : "False");
    return fmt::format(
        "<table border=\"1\" color=\"{}\" cellborder=\"0\" cellspacing=\"0\" cellpadding=\"6\" "
        "style=\"rounded\" bgcolor=\"{}\"><tr><td colspan=\"2\">{}</td></tr>{}</table>",
        line_colour, colour, title, rows);
  }

  static void add_row(std::string& rows, std::string_view name, const std::string& value) {
    if (value.empty()) return;
    rows += fmt::format(
        "<tr><td align=\"left\" bgcolor=\"white\" sides=\"T\" border=\"1\" color=\"#c9cfd6\"><font "
        "color=\"#5f6b7a\">{}</font></td>"
        "<td align=\"left\" bgcolor=\"white\" sides=\"T\" border=\"1\" "
        "color=\"#c9cfd6\">{}</td></tr>",
        name, escaped(value));
  }

  /// "Conv1D"; of a wrapper also what it wraps: "Bidirectional of LSTM".
  static std::string kind(const LayerInstance& layer, std::string_view type) {
    std::string text(type);
    for (const auto& [key, value] : layer.layer.config())
      if (key == "layer")
        if (const Value* inner = value.find("class_name"); inner && inner->as<std::string>())
          text += " of " + *inner->as<std::string>();
    return text;
  }

  static std::string activation(const LayerInstance& layer) {
    for (const auto& [key, value] : layer.layer.config())
      if (key == "activation" && value.as<std::string>()) return *value.as<std::string>();
    return "";
  }

  /// All that the calls of a layer take or give, each once.
  static std::string shapes(const Graph& graph, Index number, bool inputs) {
    std::vector<std::string> found;
    for (const Graph::Call& call : graph.calls()) {
      if (call.layer != number) continue;
      std::vector<Shape> each;
      if (inputs)
        for (const Tensor& input : call.node->inputs) each.push_back(input.shape());
      else each = call.node->outputs;
      std::string text;
      for (const Shape& shape : each)
        text += (text.empty() ? "" : ", ") + to_string(shape.with_front(dynamic));
      if (text.empty()) continue;
      if (each.size() > 1) text = fmt::format("[{}]", text);
      if (std::find(found.begin(), found.end(), text) == found.end()) found.push_back(text);
    }
    std::string all;
    for (const std::string& text : found) all += (all.empty() ? "" : ", ") + text;
    return all;
  }

  const PlotOptions& options_;
  std::string text_;
  int count_ = 0;
  std::vector<std::pair<std::string, std::string>> edges_;
  std::set<std::pair<std::string, std::string>> known_;
};

}  // namespace

std::string to_dot(const Model& model, const PlotOptions& options) {
  static constexpr std::string_view directions[] = {"TB", "LR", "BT", "RL"};
  if (std::find(std::begin(directions), std::end(directions), options.rankdir) ==
      std::end(directions))
    throw ArgumentError(
        fmt::format("plot: rankdir must be TB, LR, BT or RL, got \"{}\".", options.rankdir));
  if (options.dpi < 1)
    throw ArgumentError(fmt::format("plot: dpi must be at least 1, got {}.", options.dpi));
  return Drawing(model, options).text();
}

}  // namespace sonde
