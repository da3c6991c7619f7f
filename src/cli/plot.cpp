#include <fmt/format.h>

#include <filesystem>
#include <sonde/plot.hpp>

#include "cli/draw.hpp"
#include "cli/named_model.hpp"
#include "cli/options.hpp"
#include "cli/run_directory.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

struct PlotVerb {
  static constexpr std::string_view type = "plot";
  std::string out = "model.svg";
  bool show_shapes = false;
  bool show_dtype = false;
  bool show_layer_names = false;
  std::string rankdir = "TB";
  bool expand_nested = false;
  int dpi = 200;
  bool show_layer_activations = false;
  bool show_trainable = false;
  Shape input = {400, 16};
  Index outputs = 1;
  Index filters = 32;
  Index kernel_size = 8;
  Index pool_size = 4;
  Index units = 32;

  static constexpr auto fields() {
    using P = PlotVerb;
    return fields_of(field("out", &P::out), field("show_shapes", &P::show_shapes),
                     field("show_dtype", &P::show_dtype),
                     field("show_layer_names", &P::show_layer_names), field("rankdir", &P::rankdir),
                     field("expand_nested", &P::expand_nested), field("dpi", &P::dpi),
                     field("show_layer_activations", &P::show_layer_activations),
                     field("show_trainable", &P::show_trainable), field("input", &P::input),
                     field("outputs", &P::outputs), field("filters", &P::filters),
                     field("kernel_size", &P::kernel_size), field("pool_size", &P::pool_size),
                     field("units", &P::units));
  }
};

constexpr std::string_view picture = "Picture", network = "Networks by name";
constexpr OptionText texts[] = {
    {picture, "out", "FILE", "where it goes: .svg, .png, .pdf (by Graphviz) or .dot", 'o'},
    {picture, "show_shapes", "", "shapes of what goes in and comes out"},
    {picture, "show_dtype", "", "the type of the numbers"},
    {picture, "show_layer_names", "", "names of the layers beside their types"},
    {picture, "rankdir", "TB|LR|BT|RL",
     "from top to bottom, left to right, bottom to top, or right to left"},
    {picture, "expand_nested", "", "models inside of the model as boxes with their layers"},
    {picture, "dpi", "N", "dots for each inch of a .png"},
    {picture, "show_layer_activations", "", "activations of the layers"},
    {picture, "show_trainable", "", "whether layers learn"},
    {network, "input", "T,C", "steps and channels; None: any number of steps"},
    {network, "outputs", "N", "numbers for each label: 1, or the number of classes"},
    {network, "filters", "N", "filters of each convolution"},
    {network, "kernel_size", "STEPS", "length of each filter"},
    {network, "pool_size", "STEPS", "steps that a pooling layer makes one of"},
    {network, "units", "N", "units of the LSTM"},
};

int plot(const std::string& name, const PlotVerb& o) {
  std::string format = std::filesystem::path(o.out).extension().string();
  if (format != ".svg" && format != ".png" && format != ".pdf" && format != ".dot")
    throw ArgumentError(
        fmt::format("--out must end in .svg, .png, .pdf or .dot, got \"{}\".", o.out));
  // Pictures made of lines have their own size: 72 is one to one, and Graphviz cuts off an .svg of
  // any other.
  const int dpi = format == ".svg" || format == ".pdf" ? 72 : o.dpi;
  const std::string dot =
      to_dot(named_model(name, o), {.show_shapes = o.show_shapes,
                                    .show_dtype = o.show_dtype,
                                    .show_layer_names = o.show_layer_names,
                                    .rankdir = o.rankdir,
                                    .expand_nested = o.expand_nested,
                                    .dpi = dpi,
                                    .show_layer_activations = o.show_layer_activations,
                                    .show_trainable = o.show_trainable});
  write_text(o.out, format == ".dot" ? dot : draw(dot, format.substr(1)));
  return 0;
}

}  // namespace

void add_plot(CLI::App& program, Chosen& chosen) {
  CLI::App* verb = program.add_subcommand("plot", "Draw a model's layers");
  verb->footer(
      "Pictures are drawn by Graphviz' program dot; without it, .dot files can still be written.\n"
      "\nExamples:\n  sonde plot run/model.keras -o model.svg --show-shapes --show-layer-names\n"
      "  sonde plot conv-lstm --input 400,16 -o conv_lstm.png --rankdir LR");
  struct State {
    std::string model;
    std::unique_ptr<Options<PlotVerb>> options;
  };
  const auto state = std::make_shared<State>();
  verb->add_option("model", state->model, "a network by name, a .keras file, or Keras' JSON")
      ->type_name("NAME|FILE")
      ->required();
  state->options = std::make_unique<Options<PlotVerb>>(*verb, texts);
  verb->final_callback([state, &chosen] {
    chosen = [state] { return plot(state->model, state->options->read("")); };
  });
}

}  // namespace sonde::cli
