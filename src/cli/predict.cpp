#include <fmt/format.h>

#include <algorithm>
#include <sonde/formats.hpp>

#include "cli/data.hpp"
#include "cli/labeller.hpp"
#include "cli/model_file.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

struct PredictOptions {
  static constexpr std::string_view type = "predict";
  std::string out = {};
  bool labels = false;
  double threshold = 0.5;
  std::string label_column = {};
  std::string weights = {};
  Index batch_size = 32;
  int threads = 0;

  static constexpr auto fields() {
    using P = PredictOptions;
    return fields_of(field("out", &P::out), field("labels", &P::labels),
                     field("threshold", &P::threshold), field("label_column", &P::label_column),
                     field("weights", &P::weights), field("batch_size", &P::batch_size),
                     field("threads", &P::threads));
  }
};

constexpr std::string_view group = "Options";
constexpr OptionText texts[] = {
    {group, "out", "FILE", "labels.npy or labels.csv; left out: a table on stdout", 'o'},
    {group, "labels", "", "class numbers instead of probabilities"},
    {group, "threshold", "P", "with --labels, for one output: class 1 above it"},
    {group, "label_column", "NAME", "a column of a .csv file that is no signal"},
    {group, "weights", "FILE", "use these: .weights.h5 or .h5 of Keras, or a .keras file"},
    {group, "batch_size", "N", "samples at once"},
    {group, "threads", "N", "0: all cores"},
};

/// (…, K) probabilities → (…, 1) class numbers.
Array class_numbers(const Array& probabilities, float threshold) {
  const Index outputs = probabilities.shape().last();
  Shape shape = probabilities.shape();
  shape[-1] = outputs > 1 ? 1 : outputs;
  Array numbers(shape);
  for (Index i = 0; i < numbers.size(); ++i) {
    const float* p = probabilities.data() + i * outputs;
    numbers.data()[i] = outputs == 1 ? static_cast<float>(*p > threshold)
                                     : static_cast<float>(std::max_element(p, p + outputs) - p);
  }
  return numbers;
}

/// A line for each label. Several samples: their number and the step come first.
void save_table(const std::string& path, const Array& result, bool recording) {
  const Shape& shape = result.shape();
  const Index steps = shape.rank() > 2 ? shape[1] : 1, width = shape.last();
  const Index rows = result.size() / width, first = recording ? 0 : shape.rank() > 2 ? 2 : 1;
  std::vector<std::string> columns;
  if (first > 0) columns.push_back("sample");
  if (first > 1) columns.push_back("step");
  for (Index k = 0; k < width; ++k) columns.push_back(width == 1 ? "y" : fmt::format("y{}", k));
  Array table({rows, first + width});
  for (Index r = 0; r < rows; ++r) {
    if (first > 0) table(r, 0) = static_cast<float>(r / steps);
    if (first > 1) table(r, 1) = static_cast<float>(r % steps);
    std::copy_n(result.data() + r * width, width, table.data() + r * (first + width) + first);
  }
  save_csv(path, table, columns);
}

int predict(const std::string& model_file, const std::string& x, const PredictOptions& o) {
  if (!o.out.empty() && !o.out.ends_with(".npy") && !o.out.ends_with(".csv"))
    throw ArgumentError(fmt::format("--out must end in .npy or .csv, got \"{}\".", o.out));
  if (o.batch_size < 1 || o.threads < 0)
    throw ArgumentError("--batch-size must be at least 1, and --threads not negative.");
  LabellingModel opened = load_model_file(model_file, false, o.weights);
  Data data =
      load_data({.x = x, .label_column = o.label_column, .labels = false, .recording = true});
  if (opened.extras.normalizer) scale(data.x, *opened.extras.normalizer);
  Array result =
      Labeller(opened.model).predict(data.x, {.batch_size = o.batch_size, .threads = o.threads});
  if (o.labels) result = class_numbers(result, static_cast<float>(o.threshold));
  if (o.out.ends_with(".npy")) save_npy(o.out, result);
  else save_table(o.out.empty() ? "/dev/stdout" : o.out, result, data.recording);
  return 0;
}

}  // namespace

void add_predict(CLI::App& program, Chosen& chosen) {
  CLI::App* verb = program.add_subcommand("predict", "Label signals with a trained model");
  verb->footer(
      "A recording, .csv or an array (time, channels), gives one line for each step.\n\n"
      "Examples:\n  sonde predict run/model.keras X.npy -o labels.npy\n"
      "  sonde predict run/model.keras recording.csv --labels > labels.csv");
  struct State {
    std::string model, x;
    std::unique_ptr<Options<PredictOptions>> options;
  };
  const auto state = std::make_shared<State>();
  verb->add_option("model", state->model, "a model file: .keras, .h5, or Keras' .json")
      ->type_name("FILE")
      ->required();
  verb->add_option("x", state->x, "signals: .npy, .npz, .npz:KEY or .csv")
      ->type_name("FILE")
      ->required();
  state->options = std::make_unique<Options<PredictOptions>>(*verb, texts);
  verb->final_callback([state, &chosen] {
    chosen = [state] { return predict(state->model, state->x, state->options->read("")); };
  });
}

}  // namespace sonde::cli
