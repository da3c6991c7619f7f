#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <sonde/error.hpp>
#include <sonde/stream.hpp>

#include "cli/csv_cell.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_file.hpp"
#include "cli/options.hpp"
#include "cli/steps_in.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

struct StreamOptions {
  static constexpr std::string_view type = "stream";
  bool labels = false;
  double threshold = 0.5;
  bool raw_input = false;
  bool raw_output = false;
  Index at_once = 64;
  std::string weights = {};
  bool quiet = false;
  bool json = false;

  static constexpr auto fields() {
    using S = StreamOptions;
    return fields_of(field("labels", &S::labels), field("threshold", &S::threshold),
                     field("raw_input", &S::raw_input), field("raw_output", &S::raw_output),
                     field("at_once", &S::at_once), field("weights", &S::weights),
                     field("quiet", &S::quiet), field("json", &S::json));
  }
};

constexpr std::string_view group = "Options";
constexpr OptionText texts[] = {
    {group, "labels", "", "class numbers instead of probabilities"},
    {group, "threshold", "P", "with --labels, for one output: class 1 above it"},
    {group, "raw_input", "", "the signal comes as float32 numbers, little-endian, not as text"},
    {group, "raw_output", "", "labels leave as float32 numbers, little-endian, not as text"},
    {group, "at_once", "N", "steps that are labelled together where so many are waiting"},
    {group, "weights", "FILE", "use these: .weights.h5 or .h5 of Keras, or a .keras file"},
    {group, "quiet", "", "do not say on stderr by how many steps labels come late"},
    {group, "json", "", "print one JSON object for each label"},
};

/// The class that one label's outputs say: of one output 1 above the threshold, else the largest.
float class_number(std::span<const float> outputs, float threshold) {
  if (outputs.size() == 1) return static_cast<float>(outputs.front() > threshold);
  return static_cast<float>(std::max_element(outputs.begin(), outputs.end()) - outputs.begin());
}

/// Labels as they become known, in the order of their steps, flushed at once.
class LabelsOut {
 public:
  LabelsOut(const StreamOptions& options, const Recipe& recipe, Index width)
      : options_(options), width_(width) {
    if (options_.raw_output || options_.json) return;
    const auto names = options_.labels ? names_of_outputs({}, 1) : names_of_outputs(recipe, width);
    for (const std::string& name : names) text_ += (text_.empty() ? "" : ",") + csv_cell(name);
    text_ += '\n';
    send();
  }

  void write(std::span<const float> outputs) {
    for (std::size_t at = 0; at < outputs.size(); at += static_cast<std::size_t>(width_)) {
      const auto row = outputs.subspan(at, static_cast<std::size_t>(width_));
      const float label = class_number(row, static_cast<float>(options_.threshold));
      one(options_.labels ? std::span(&label, 1) : row);
    }
    if (!outputs.empty()) send();
  }

 private:
  void one(std::span<const float> label) {
    auto to = std::back_inserter(text_);
    if (options_.raw_output) {
      text_.append(reinterpret_cast<const char*>(label.data()), label.size_bytes());
    } else if (options_.json) {
      fmt::format_to(to, "{{\"step\": {}, \"y\": [{}]}}\n", step_++, fmt::join(label, ", "));
    } else {
      fmt::format_to(to, "{}\n", fmt::join(label, ","));
    }
  }
  void send() {
    if (std::fwrite(text_.data(), 1, text_.size(), stdout) != text_.size() ||
        std::fflush(stdout) != 0)
      throw IoError("stdout cannot be written. Is the disk full?");
    text_.clear();
  }

  const StreamOptions& options_;
  Index width_;
  Index step_ = 0;
  std::string text_;
};

void check(const StreamOptions& o) {
  if (o.at_once < 1) throw ArgumentError("--at-once must be at least 1.");
  if (o.raw_output && o.json)
    throw ArgumentError("--raw-output and --json are two forms of the same labels. Choose one.");
}

/// What can only be done to a whole recording is refused, not left out.
void check_recipe(const Recipe& recipe, const std::string& model_file) {
  constexpr std::string_view mend = "Use sonde predict.";
  if (recipe.normalizer && needs_whole_recording(recipe.normalizer->scaling))
    throw ArgumentError(fmt::format(
        "{} scales each recording by its own median and spread, known only when it ends. {}",
        model_file, mend));
  const auto refuse = [&](std::string_view why) {
    throw ArgumentError(fmt::format("{} {}. {}", model_file, why, mend));
  };
  if (recipe.windows) refuse("labels recordings in overlapping windows");
  if (recipe.temperature != 1) refuse("calibrates its probabilities by a temperature");
  if (recipe.post_processing != PostProcessing{}) refuse("works on its labels afterwards");
}

int stream(const std::string& model_file, const StreamOptions& o) {
  check(o);
  const LabellingModel opened = load_model_file(model_file, false, o.weights);
  const auto& normalizer = opened.extras.normalizer;
  check_recipe(opened.extras, model_file);
  Stream labels = opened.model.stream(o.at_once);
  const std::vector<std::string>& names = opened.extras.channels;
  if (!names.empty() && static_cast<Index>(names.size()) != labels.channels())
    throw FormatError(fmt::format("\"{}\" names {} channels, but its network takes {}.", model_file,
                                  names.size(), labels.channels()));
  if (!o.quiet)
    fmt::print(stderr, "{} channels in, {} out; a label leaves {} steps after its own step.\n",
               labels.channels(), labels.width(), labels.latency());

  watch_signals();
  StepsIn signal(labels.channels(), o.raw_input, names);
  LabelsOut out(o, opened.extras, labels.width());
  try {
    for (;;) {
      std::span<float> steps = signal.next(o.at_once);
      if (steps.empty()) break;
      if (normalizer) {
        Array scaled({static_cast<Index>(steps.size()) / labels.channels(), labels.channels()});
        std::copy(steps.begin(), steps.end(), scaled.data());
        normalizer->apply(scaled);
        std::copy_n(scaled.data(), steps.size(), steps.begin());
      }
      out.write(labels.push(steps));
    }
  } catch (const DataError&) {  // the steps before it have their labels
    out.write(labels.flush());
    throw;
  }
  out.write(labels.flush());
  if (signal_seen())
    throw Interrupted(signal_seen(), "interrupted; all steps that came are labelled.");
  return 0;
}

}  // namespace

void add_stream(CLI::App& program, Chosen& chosen) {
  CLI::App* verb = program.add_subcommand("stream", "Label a signal on stdin while it arrives");
  verb->footer(
      "A line of numbers for each step comes in, one number for each channel; a line for each "
      "step\n"
      "goes out as soon as its label is known. The labels are those of sonde predict, bit for "
      "bit.\n"
      "The first line may hold names: where the model file has names too, it takes its channels by "
      "them.\n\n"
      "Examples:\n  recorder | sonde stream run/model.keras --labels\n"
      "  sonde stream run/model.keras --raw-input --json < signal.f32");
  struct State {
    std::string model;
    std::unique_ptr<Options<StreamOptions>> options;
  };
  const auto state = std::make_shared<State>();
  verb->add_option("model", state->model, "a model file: .keras, .h5, or Keras' .json")
      ->type_name("FILE")
      ->required();
  state->options = std::make_unique<Options<StreamOptions>>(*verb, texts);
  verb->final_callback([state, &chosen] {
    chosen = [state] { return stream(state->model, state->options->read("")); };
  });
}

}  // namespace sonde::cli
