#include <fmt/format.h>

#include "cli/data.hpp"
#include "cli/evaluate_recordings.hpp"
#include "cli/labeller.hpp"
#include "cli/loss_text.hpp"
#include "cli/model_file.hpp"
#include "cli/options.hpp"
#include "cli/scores.hpp"
#include "cli/table.hpp"
#include "cli/task.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

struct EvaluateOptions {
  static constexpr std::string_view type = "evaluate";
  std::string x = {};
  std::string y = {};
  std::string label_column = {};
  std::string sample_weight = {};
  std::optional<Index> ignore_label = {};
  std::string loss = "auto";
  std::string weights = {};
  Index batch_size = 32;
  int threads = 0;
  std::string part = "all";
  bool json = false;

  static constexpr auto fields() {
    using E = EvaluateOptions;
    return fields_of(
        field("x", &E::x), field("y", &E::y), field("label_column", &E::label_column),
        field("sample_weight", &E::sample_weight), field("ignore_label", &E::ignore_label),
        field("loss", &E::loss), field("weights", &E::weights), field("batch_size", &E::batch_size),
        field("threads", &E::threads), field("part", &E::part), field("json", &E::json));
  }
};

constexpr std::string_view group = "Options";
constexpr OptionText texts[] = {
    {group, "x", "FILE", "signals (samples, time, channels): .npy, .npz, .npz:KEY or .csv"},
    {group, "y", "FILE", "labels, one for each step or each sample"},
    {group, "label_column", "NAME|N",
     "the column of a .csv file that holds the labels: its name, or its number from 0; -1: the "
     "last"},
    {group, "sample_weight", "FILE", "weights (samples,) or (samples, time); 0: left out"},
    {group, "ignore_label", "N", "labels of this number count nowhere, as if of weight 0"},
    {group, "loss", "NAME", "auto: the model's own, or what fits its last layer"},
    {group, "weights", "FILE", "use these: .weights.h5 or .h5 of Keras, or a .keras file"},
    {group, "batch_size", "N", "samples at once"},
    {group, "threads", "N", "0: all cores"},
    {group, "part", "NAME",
     "of recordings: those of this part of the file's split, train, validation or test; all; or "
     "auto: test where there is one, else validation, else train"},
    {group, "json", "", "print one JSON object"},
};

int evaluate_on_recordings(const std::string& model_file, const std::string& config,
                           const EvaluateOptions& o) {
  LabellingModel opened = load_model_file(model_file, false, o.weights);
  TrainOptions options = recording_options(config);
  if (o.ignore_label) options.ignore_label = o.ignore_label;
  const EvaluatedRecordings found = evaluate_recordings(
      opened, options, {.part = o.part, .batch_size = o.batch_size, .threads = o.threads});
  if (o.json) fmt::print("{}\n", to_json(found.judged, found.classes, found.whole).dump(2));
  else fmt::print("{}", to_text(found.judged, found.classes, found.whole));
  return 0;
}

/// What the diagnosis offers are changes to train with: this verb makes none.
[[noreturn]] void refuse(const Error& error, const std::string& model_file,
                         const EvaluateOptions& o) {
  const std::string what = error.what();
  if (what.find("\nChanges that fit:") == std::string::npos) throw Error(error);
  throw Error(error.failure(),
              fmt::format("{}\nTo train the model with change N of these: sonde train --model {} "
                          "--x {}{} --apply-fix N.",
                          what, model_file, o.x, o.y.empty() ? "" : " --y " + o.y));
}

int evaluate(const std::string& model_file, const std::string& config, const EvaluateOptions& o) {
  if (o.batch_size < 1 || o.threads < 0)
    throw ArgumentError("--batch-size must be at least 1, and --threads not negative.");
  if (!config.empty() && !o.x.empty())
    throw ArgumentError(
        fmt::format("--x is for arrays, \"{}\" for recordings. Leave one of them out.", config));
  if (!config.empty()) return evaluate_on_recordings(model_file, config, o);
  if (o.x.empty())
    throw ArgumentError(
        "there is no data. Give --x FILE and --y FILE, or a file with a table [recordings].");
  LabellingModel opened = load_model_file(model_file, true, o.weights);
  Model& model = opened.model;
  Data data = load_data({.x = o.x,
                         .y = o.y,
                         .weights = o.sample_weight,
                         .label_column = o.label_column,
                         .channels = opened.extras.channels,
                         .recording = true,
                         .ignore_label = o.ignore_label});
  for (const std::string& remark : data.remarks) fmt::print(stderr, "sonde: {}\n", remark);
  check_columns(o.x, data.x.shape()[2], data.columns, channels_of(model));
  if (opened.extras.temperature != 1 || opened.extras.post_processing != PostProcessing{})
    fmt::print(stderr,
               "sonde: hint: the model file's temperature and post-processing are not applied to "
               "--x: these scores are of what the network says by itself. Recordings, named by a "
               "file with a table [recordings], are judged with both.\n");
  if (opened.extras.normalizer) scale(data.x, *opened.extras.normalizer);

  const Task task = task_for(model, data.y, data.weights, data.steps(), o.loss);
  model.compile({.loss = task.loss});
  Labeller labeller(model);
  ArraySamples::Arrays weights;
  if (!data.weights.empty()) weights.push_back(&data.weights);
  const ArraySamples samples({&data.x}, {&data.y}, weights);
  const double loss = [&] {
    try {
      return model
          .evaluate(*labeller.show(&samples), {.batch_size = o.batch_size, .threads = o.threads})
          .at("loss");
    } catch (const Error& error) {
      refuse(error, model_file, o);
    }
  }();
  const PredictOptions how{.batch_size = o.batch_size, .threads = o.threads};
  const Array predictions = labeller.predict(data.x, how);
  const Scores scores =
      score(task, predictions, data.y, masked_weights(data.weights, labeller.mask(data.x, how)),
            data.steps());

  if (o.json) {
    nlohmann::ordered_json json = {{"loss", loss}};
    json.update(to_json(scores));
    fmt::print("{}\n", json.dump(2));
  } else {
    fmt::print("loss               {:.6g}   ({})\n{}", loss, loss_text(task.loss), to_text(scores));
  }
  return 0;
}

}  // namespace

void add_evaluate(CLI::App& program, Chosen& chosen) {
  CLI::App* verb = program.add_subcommand("evaluate", "Judge a trained model on labelled signals");
  verb->footer(
      "Labels with weight 0 are left out of all scores; other weights count in the loss only. AUC "
      "is exact.\nOf two classes, F1 and AUC are those of class 1; of more, means over the "
      "classes.\n\n"
      "Recordings are judged by the rules of the file's table [evaluation].\n\n"
      "Examples:\n  sonde evaluate run/model.keras --x X.npy --y y.npy --json\n"
      "  sonde evaluate run/model.keras run/config.toml --part test");
  struct State {
    std::string model, config;
    std::unique_ptr<Options<EvaluateOptions>> options;
  };
  const auto state = std::make_shared<State>();
  verb->add_option("model", state->model, "a model file: .keras, .h5, or Keras' .json")
      ->type_name("FILE")
      ->required();
  verb->add_option("config", state->config, "recordings: a file with a table [recordings]")
      ->type_name("FILE.toml");
  state->options = std::make_unique<Options<EvaluateOptions>>(*verb, texts);
  verb->final_callback([state, &chosen] {
    chosen = [state] { return evaluate(state->model, state->config, state->options->read("")); };
  });
}

}  // namespace sonde::cli
