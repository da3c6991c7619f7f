#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sonde/error.hpp>
#include <sonde/keras.hpp>

#include "cli/evaluate_recordings.hpp"
#include "cli/export_recordings.hpp"
#include "cli/model_file.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

struct ConvertOptions {
  static constexpr std::string_view type = "convert";
  std::string weights = {};
  bool no_compile = false;
  bool json = false;

  static constexpr auto fields() {
    using C = ConvertOptions;
    return fields_of(field("weights", &C::weights), field("no_compile", &C::no_compile),
                     field("json", &C::json));
  }
};

constexpr std::string_view group = "Options";
constexpr OptionText texts[] = {
    {group, "weights", "FILE", "put these in: .weights.h5 or .h5 of Keras, or a .keras file"},
    {group, "no_compile", "", "leave out loss, metrics, optimizer and its state"},
    {group, "json", "", "print one JSON object"},
};

enum class Kind { model, weights, architecture };

Kind kind_of(const std::string& path) {
  if (path.ends_with(".keras")) return Kind::model;
  if (path.ends_with(".weights.h5")) return Kind::weights;
  if (path.ends_with(".json")) return Kind::architecture;
  throw ArgumentError(fmt::format(
      "{} is written by no one here: the name must end in .keras (the whole model), .weights.h5 "
      "(weights and the optimizer's state) or .json (the architecture).",
      path));
}

void write(const LabellingModel& opened, Kind kind, const std::string& path) {
  if (kind == Kind::model) return save_model_file(path, opened.model, opened.extras);
  if (!to_extra(opened.extras).is_null())
    fmt::print(stderr,
               "sonde: {} has no room for what goes with this network: the scale of its signals, "
               "names of classes and the like. See to them yourself.\n",
               path);
  if (kind == Kind::weights) save_weights(opened.model, path);
  else save_model(opened.model, path);
}

int convert(const std::string& from, const std::string& to, const ConvertOptions& o) {
  if (from.ends_with(".toml")) {
    if (!o.weights.empty() || o.no_compile)
      throw ArgumentError("--weights and --no-compile are for models, not for recordings.");
    const TrainOptions options = recording_options(from);
    const Index count = export_recordings(*options.recordings, to, options.ignore_label);
    const nlohmann::ordered_json json = {{"from", from}, {"to", to}, {"recordings", count}};
    if (o.json) fmt::print("{}\n", json.dump(2));
    else fmt::print(stderr, "{} recordings are in {}.\n", count, to);
    return 0;
  }
  const Kind kind = kind_of(to);
  const bool drawn = from.ends_with(".json") && o.weights.empty();
  if (drawn && kind != Kind::architecture)
    throw ArgumentError(fmt::format(
        "{} holds no weights, and {} would hold some drawn by lot. Give the weights in --weights.",
        from, to));
  const LabellingModel opened = load_model_file(from, !o.no_compile, o.weights);
  write(opened, kind, to);
  if (o.json) {
    Index parameters = 0;
    for (const WeightEntry& each : opened.model.weights().entries()) parameters += each.size();
    const nlohmann::ordered_json json = {{"from", from},
                                         {"to", to},
                                         {"parameters", parameters},
                                         {"compiled", opened.model.compiled() != nullptr},
                                         {"optimizer_steps", opened.model.iterations()}};
    fmt::print("{}\n", json.dump(2));
  }
  return 0;
}

}  // namespace

void add_convert(CLI::App& program, Chosen& chosen) {
  CLI::App* verb = program.add_subcommand(
      "convert", "Write a model in another form of Keras', or recordings as arrays");
  verb->footer(
      "Real Keras opens all of them: .keras, .weights.h5 and .json. Read is .h5 as well, of Keras "
      "2\n"
      "and 3. docs/keras.md says which versions. Recordings become an .npz file each, with "
      "signal,\n"
      "labels and weights as a network sees them before scaling, for other programs to read.\n\n"
      "Examples:\n  sonde convert old.h5 new.keras\n"
      "  sonde convert run/model.keras run/model.json\n"
      "  sonde convert model.json --weights model.weights.h5 model.keras\n"
      "  sonde convert recording.toml arrays");
  struct State {
    std::string from, to;
    std::unique_ptr<Options<ConvertOptions>> options;
  };
  const auto state = std::make_shared<State>();
  verb->add_option("from", state->from,
                   "a model file: .keras, .h5, or Keras' .json; or a .toml file with a table "
                   "[recordings]")
      ->type_name("FILE")
      ->required();
  verb->add_option("to", state->to,
                   "the file to write: .keras, .weights.h5 or .json; of recordings a folder")
      ->type_name("FILE")
      ->required();
  state->options = std::make_unique<Options<ConvertOptions>>(*verb, texts);
  verb->final_callback([state, &chosen] {
    chosen = [state] { return convert(state->from, state->to, state->options->read("")); };
  });
}

}  // namespace sonde::cli
