#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sonde/calibration.hpp>
#include <sonde/formats.hpp>
#include <sonde/scores.hpp>
#include <sonde/words.hpp>

#include "cli/data.hpp"
#include "cli/label_files.hpp"
#include "cli/labeller.hpp"
#include "cli/model_file.hpp"
#include "cli/options.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

struct PredictOptions {
  static constexpr std::string_view type = "predict";
  std::string out = {};
  bool labels = false;
  bool intervals = false;
  bool probabilities = false;
  bool edf = false;
  bool each_channel = false;
  std::optional<double> threshold = {};
  double rate = 0;
  std::string label_column = {};
  std::string weights = {};
  Index batch_size = 32;
  int threads = 0;

  static constexpr auto fields() {
    using P = PredictOptions;
    return fields_of(field("out", &P::out), field("labels", &P::labels),
                     field("intervals", &P::intervals), field("probabilities", &P::probabilities),
                     field("edf", &P::edf), field("each_channel", &P::each_channel),
                     field("threshold", &P::threshold), field("rate", &P::rate),
                     field("label_column", &P::label_column), field("weights", &P::weights),
                     field("batch_size", &P::batch_size), field("threads", &P::threads));
  }
};

constexpr std::string_view group = "Options";
constexpr OptionText texts[] = {
    {group, "out", "FILE|FOLDER",
     "labels.npy or labels.csv; a folder for recordings; left out: a table on stdout", 'o'},
    {group, "labels", "", "final class numbers instead of probabilities"},
    {group, "intervals", "", "a table of labelled stretches: onset, offset, label, probability"},
    {group, "probabilities", "", "into the folder, the probabilities of each step too"},
    {group, "edf", "", "into the folder, the stretches as EDF+ annotations too"},
    {group, "each_channel", "",
     "labels of each channel by itself, where the model makes one labelling of what it says of "
     "all"},
    {group, "threshold", "P",
     "of one output: class 1 above it; left out: the model file's, or 0.5"},
    {group, "rate", "HZ", "steps per second of files that do not say it; 0: the model's"},
    {group, "label_column", "NAME|N",
     "a column of a .csv file that is no signal: its name, or its number from 0; -1: the last"},
    {group, "weights", "FILE", "use these: .weights.h5 or .h5 of Keras, or a .keras file"},
    {group, "batch_size", "N", "samples at once"},
    {group, "threads", "N", "0: all cores"},
};

/// (…, K) probabilities → (…, 1) class numbers: each sample's steps by the settings, where there
/// are any, or else the largest of K.
Array class_numbers(const Array& probabilities, const Recipe& recipe) {
  const Index outputs = probabilities.shape().last();
  Shape shape = probabilities.shape();
  shape[-1] = outputs > 1 ? 1 : outputs;
  Array numbers(shape);
  const bool plain = recipe.post_processing == PostProcessing{} && outputs > 1;
  const Index samples = shape.rank() > 2 ? shape[0] : numbers.size();
  const Index steps = numbers.size() / std::max<Index>(samples, 1);
  for (Index i = 0; i < samples; ++i) {
    const Array sample = Array({steps, outputs}, probabilities.values().subspan(
                                                     static_cast<std::size_t>(i * steps * outputs),
                                                     static_cast<std::size_t>(steps * outputs)));
    const std::vector<Index> labels =
        plain ? most_likely(sample.values(), outputs)
              : labels_from(sample, recipe.frequency > 0 ? recipe.frequency : 1,
                            recipe.post_processing, recipe.background);
    std::copy(labels.begin(), labels.end(), numbers.data() + i * steps);
  }
  return numbers;
}

/// A line for each label. Several samples: their number and the step come first.
void save_table(const std::string& path, const Array& result, bool recording,
                const Recipe& recipe) {
  const Shape& shape = result.shape();
  const Index steps = shape.rank() > 2 ? shape[1] : 1, width = shape.last();
  const Index rows = result.size() / width, first = recording ? 0 : shape.rank() > 2 ? 2 : 1;
  std::vector<std::string> columns;
  if (first > 0) columns.emplace_back("sample");
  if (first > 1) columns.emplace_back("step");
  const auto names = names_of_outputs(recipe, width, columns);
  columns.insert(columns.end(), names.begin(), names.end());
  Array table({rows, first + width});
  for (Index r = 0; r < rows; ++r) {
    const Index sample = r / steps, step = r % steps;
    if (first > 0) table(r, 0) = static_cast<float>(sample);
    if (first > 1) table(r, 1) = static_cast<float>(step);
    std::copy_n(result.data() + r * width, width, table.data() + r * (first + width) + first);
  }
  save_csv(path, table, columns);
}

bool is_file_of_labels(const std::string& out) {
  return out.ends_with(".npy") || out.ends_with(".csv");
}

/// Settings of the command line win over those of the file.
Recipe recipe_with(Recipe recipe, const PredictOptions& o) {
  if (o.threshold && recipe.classes.size() > 2)
    throw ArgumentError(
        "--threshold is of the second of two classes, and the model has more: class_factors of "
        "[post_processing] make a class more or less frequent.");
  if (o.threshold) {
    recipe.post_processing.threshold = *o.threshold;
    if (recipe.post_processing.low_threshold.value_or(0) > *o.threshold)
      recipe.post_processing.low_threshold.reset();
  }
  if (o.each_channel && !recipe.each_channel)
    throw ArgumentError("--each-channel: the model takes all channels of a recording together.");
  if (o.each_channel) recipe.combine_channels = false;
  check(recipe, "--threshold");
  return recipe;
}

void save(const Array& result, const PredictOptions& o, bool recording, const Recipe& recipe) {
  if (o.out.ends_with(".npy")) save_npy(o.out, result);
  else
    save_table(o.out.empty() ? "/dev/stdout" : o.out, result, recording,
               o.labels ? Recipe{} : recipe);  // numbers of classes are no probabilities
}

/// One recording goes the way that its stretches go, pauses, windows and rates included.
void predict_recording_file(LabellingModel opened, Recording recording, const PredictOptions& o) {
  const Recipe& recipe = opened.extras;
  if (takes_apart(recipe, recording))
    throw DataError(fmt::format(
        "{} has {} channels, and the model labels each by itself: one table of labels has no room "
        "for them. --intervals or -o FOLDER writes them one by one.",
        recording.name, recording.signal.shape()[1]));
  say_what_is_taken(recording.name, recording, opened.extras);
  sonde::Labeller labeller(std::move(opened.model), std::move(opened.extras));
  const LabelledRecording found =
      labeller.label(recording, {.batch_size = o.batch_size, .threads = o.threads});
  Array result = found.probabilities;
  if (o.labels) {
    result = Array({static_cast<Index>(found.labels.size()), 1});
    std::copy(found.labels.begin(), found.labels.end(), result.data());
  }
  save(result.reshaped(result.shape().with_front(1)), o, true, labeller.recipe());
}

void predict_arrays(LabellingModel opened, const std::string& x, const PredictOptions& o) {
  const Recipe& recipe = opened.extras;
  const bool labels = labels_steps(opened.model);
  if (labels && (is_recording_file(x) || is_table(x))) {
    Recording recording = read_recording(x, recipe.channels, o.label_column, o.rate).recording;
    if (!recipe.each_channel)
      check_columns(x, recording.signal.shape()[1], recording.channels, channels_of(opened.model));
    return predict_recording_file(std::move(opened), std::move(recording), o);
  }
  Data data = load_data({.x = x,
                         .label_column = o.label_column,
                         .channels = recipe.channels,
                         .labels = false,
                         .recording = true,
                         .gaps = labels});
  const bool one_recording = labels && data.recording;
  if (!(one_recording && recipe.each_channel))
    check_columns(x, data.x.shape()[2], data.columns, channels_of(opened.model));
  if (one_recording) {
    Recording recording;
    recording.name = x, recording.frequency = o.rate;
    recording.signal = data.x.reshaped(data.x.shape().without_front());
    return predict_recording_file(std::move(opened), std::move(recording), o);
  }
  if (o.rate > 0 && recipe.frequency > 0 && o.rate != recipe.frequency)
    throw ArgumentError(fmt::format(
        "--rate {}: {} holds samples, which are not resampled; the model has learned {} steps per "
        "second.",
        rate_text(o.rate, recipe.frequency), x, rate_text(recipe.frequency, o.rate)));
  if (recipe.normalizer) scale(data.x, *recipe.normalizer);
  Array result =
      Labeller(opened.model).predict(data.x, {.batch_size = o.batch_size, .threads = o.threads});
  if (recipe.temperature != 1)
    apply_temperature(result.values(), result.shape().last(), recipe.temperature);
  if (o.labels) result = class_numbers(result, recipe);
  save(result, o, data.recording, recipe);
}

int predict(const std::string& model_file, const std::vector<std::string>& files,
            const PredictOptions& o) {
  const bool folder = !o.out.empty() && !is_file_of_labels(o.out);
  const bool stretches = o.intervals || folder || files.size() > 1;
  if (folder && std::filesystem::path(o.out).has_extension())
    throw ArgumentError(
        fmt::format("--out must end in .npy or .csv, or be a folder, got \"{}\".", o.out));
  if (stretches && o.out.ends_with(".npy"))
    throw ArgumentError("--out: labelled stretches go to a .csv file or a folder.");
  if (o.labels && stretches)
    throw ArgumentError(
        "--labels is the label of each step of one file. Stretches are final already; -o FOLDER "
        "writes the labels of each step of every file too.");
  if ((o.probabilities || o.edf) && !folder)
    throw ArgumentError("--probabilities and --edf go with a folder: --out FOLDER.");
  if (o.batch_size < 1 || o.threads < 0 || !(o.rate >= 0))
    throw ArgumentError("--batch-size must be at least 1, and --threads and --rate not negative.");
  LabellingModel opened = load_model_file(model_file, false, o.weights);
  opened.extras = recipe_with(opened.extras, o);
  if (!stretches) {
    predict_arrays(std::move(opened), files.front(), o);
    return 0;
  }
  sonde::Labeller labeller(std::move(opened.model), std::move(opened.extras));
  label_files(labeller, files,
              {.out = o.out,
               .label_column = o.label_column,
               .rate = o.rate,
               .probabilities = o.probabilities,
               .edf = o.edf,
               .predict = {.batch_size = o.batch_size, .threads = o.threads}});
  return 0;
}

}  // namespace

void add_predict(CLI::App& program, Chosen& chosen) {
  CLI::App* verb = program.add_subcommand("predict", "Label signals with a trained model");
  verb->footer(
      "A recording, .csv or an array (time, channels), gives one line for each step. Labels and "
      "stretches\nare final: scale, temperature, thresholds and post-processing are those of the "
      "model file.\n\n"
      "Examples:\n  sonde predict run/model.keras X.npy -o labels.npy\n"
      "  sonde predict run/model.keras recording.csv --labels > labels.csv\n"
      "  sonde predict run/model.keras night1.edf night2.edf -o labelled");
  struct State {
    std::string model;
    std::vector<std::string> files;
    std::unique_ptr<Options<PredictOptions>> options;
  };
  const auto state = std::make_shared<State>();
  verb->add_option("model", state->model, "a model file: .keras, .h5, or Keras' .json")
      ->type_name("FILE")
      ->required();
  verb->add_option("files", state->files,
                   "signals: .npy, .npz, .npz:KEY or .csv; recordings also .edf, .bdf and .hea")
      ->type_name("FILE")
      ->required();
  state->options = std::make_unique<Options<PredictOptions>>(*verb, texts);
  verb->final_callback([state, &chosen] {
    chosen = [state] { return predict(state->model, state->files, state->options->read("")); };
  });
}

}  // namespace sonde::cli
