#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sonde/error.hpp>

#include "cli/array_report.hpp"
#include "cli/evaluate_recordings.hpp"
#include "cli/labeller.hpp"
#include "cli/prepare.hpp"
#include "cli/provenance.hpp"
#include "cli/recording_report.hpp"
#include "cli/recording_split.hpp"
#include "cli/run_report.hpp"
#include "cli/sha256.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

struct ReportOptions {
  static constexpr std::string_view type = "report";
  std::string x = {};
  std::string y = {};
  std::string sample_weight = {};
  std::string label_column = {};
  std::string out = {};
  std::string figures = {};
  Index batch_size = 32;
  int threads = 0;
  bool json = false;

  static constexpr auto fields() {
    using R = ReportOptions;
    return fields_of(field("x", &R::x), field("y", &R::y),
                     field("sample_weight", &R::sample_weight),
                     field("label_column", &R::label_column), field("out", &R::out),
                     field("figures", &R::figures), field("batch_size", &R::batch_size),
                     field("threads", &R::threads), field("json", &R::json));
  }
};

constexpr std::string_view group = "Options";
constexpr OptionText texts[] = {
    {group, "x", "FILE", "judge on these signals instead of the run's validation part"},
    {group, "y", "FILE", "their labels"},
    {group, "sample_weight", "FILE", "weights (samples,) or (samples, time); 0: not labelled"},
    {group, "label_column", "NAME|N",
     "the column of a .csv file that holds the labels: its name, or its number from 0; -1: the "
     "last"},
    {group, "out", "FILE", "the page; left out: report.html in the run's folder", 'o'},
    {group, "figures", "FOLDER", "also each figure as .svg and .csv"},
    {group, "batch_size", "N", "samples at once"},
    {group, "threads", "N", "0: all cores"},
    {group, "json", "", "print the scores as one JSON object"},
};

TrainOptions options_of(const std::filesystem::path& run) {
  const std::filesystem::path config = run / "config.toml";
  if (!std::filesystem::exists(config))
    throw ArgumentError(
        fmt::format("\"{}\" holds no run: there is no config.toml in it. Give the folder that "
                    "`sonde train --out` wrote.",
                    run.string()));
  TrainOptions options{};
  read_config(read_toml(config.string()), config.string(), options);
  return options;
}

/// What is to be judged.
struct JudgedArrays {
  std::string part;
  Data data;
  std::vector<DataPart> parts = {};
  std::vector<DataFile> files = {};  ///< besides those of the run
};

DataFile data_file(const std::string& role, const std::string& place) {
  const std::string path = file_of(place);
  return {role, path, std::filesystem::file_size(path), sha256_of_file(path)};
}

JudgedArrays other_data(const ReportOptions& o, const TrainOptions& then,
                        const std::vector<std::string>& channels) {
  JudgedArrays judged{.part = "given",
                      .data = load_data({.x = o.x,
                                         .y = o.y,
                                         .weights = o.sample_weight,
                                         .label_column = o.label_column,
                                         .channels = channels,
                                         .recording = true,
                                         .ignore_label = then.ignore_label})};
  for (const auto& [role, place] : {std::pair{"judged x", o.x}, std::pair{"judged y", o.y},
                                    std::pair{"judged weights", o.sample_weight}})
    if (!place.empty()) judged.files.push_back(data_file(role, place));
  return judged;
}

/// The run's own validation part, from the files that it began with.
JudgedArrays own_data(const TrainOptions& then, const std::filesystem::path& run) {
  for (const std::string& place : {then.x, then.y, then.sample_weight, then.validation_x})
    if (!place.empty() && !std::filesystem::exists(file_of(place)))
      throw IoError(fmt::format(
          "report: \"{}\", with which the run began, is not there. Start from the "
          "folder where `sonde train` was started, or judge other data with --x and --y.",
          place));
  check_same_files(run / "provenance.json",
                   provenance(then.seed, {{"x", file_of(then.x)},
                                          {"y", file_of(then.y)},
                                          {"sample_weight", file_of(then.sample_weight)},
                                          {"validation_x", file_of(then.validation_x)},
                                          {"validation_y", file_of(then.validation_y)}}),
                   "report", "judge other data with --x and --y");
  Parts parts = load_parts(then);
  if (then.apply_fix > 0) static_cast<void>(prepare(then, parts));  // it changes the arrays too
  JudgedArrays judged;
  judged.parts = data_parts(parts);
  std::tie(judged.part, judged.data) = judged_part(parts);
  return judged;
}

/// Writes page and figures, and says so; `scores` for programs and for people.
void write_all(const std::filesystem::path& run, const ReportOptions& o, const Report& page,
               const std::string& part, nlohmann::ordered_json scores, const std::string& text) {
  const std::filesystem::path out =
      o.out.empty() ? run / "report.html" : std::filesystem::path(o.out);
  write_report(out, page);
  std::vector<std::string> figures;
  if (!o.figures.empty()) figures = write_figures(o.figures, page);
  if (o.json) {
    nlohmann::ordered_json json = {{"report", out.string()}, {"scored_on", part}};
    if (!o.figures.empty()) json["figures"] = figures;
    json["scores"] = std::move(scores);
    fmt::print("{}\n", json.dump(2));
  } else {
    fmt::print("scores on the {} part\n{}", part, text);
    fmt::print(stderr, "report: {}\n", out.string());
  }
}

/// A run over recordings: those of its own split, read again.
void report_recordings(const std::filesystem::path& run, const TrainOptions& then,
                       LabellingModel opened, const ReportOptions& o) {
  if (!o.x.empty())
    throw ArgumentError(
        "--x is for arrays, and this run is one over recordings. `sonde evaluate` judges others.");
  EvaluatedRecordings found = evaluate_recordings(
      opened, then,
      {.part = "auto", .batch_size = o.batch_size, .threads = o.threads, .show = true});
  check_same_files(run / "provenance.json", {{"files", sources_of(found.split)}}, "report",
                   "judge other recordings with `sonde evaluate`");
  Report page = recording_report(found.judged, std::move(found.shown), found.classes,
                                 "the " + found.part + " part");
  page.title = fmt::format("{} on {}", then.model, then.recordings->folder);
  page.parts = std::move(found.parts);
  add_run(page, run, opened.model);
  write_all(run, o, page, found.part, to_json(found.judged, found.classes, found.whole),
            to_text(found.judged, found.classes, found.whole));
}

/// ", as run/seed-0/fold-1": the first folder below that holds a model.
std::string first_training(const std::filesystem::path& run) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(run))
    if (entry.path().filename() == "model.keras")
      found.push_back(entry.path().parent_path().string());
  std::sort(found.begin(), found.end());
  return found.empty() ? "" : ", as " + found.front();
}

int report(const std::string& folder, const ReportOptions& o) {
  const std::filesystem::path run = folder;
  const TrainOptions then = options_of(run);
  if (o.x.empty() && !o.y.empty())
    throw ArgumentError("--y is given without --x. Give both, or neither for the run's own data.");
  if (o.batch_size < 1 || o.threads < 0)
    throw ArgumentError("--batch-size must be at least 1, and --threads not negative.");
  if (then.recordings && !std::filesystem::exists(run / "model.keras"))
    throw ArgumentError(fmt::format(
        "\"{}\" holds the trainings of several folds or seeds. Give the folder of one of them{}.",
        folder, first_training(run)));
  LabellingModel opened = load_model_file((run / "model.keras").string(), true);
  if (then.recordings) {
    report_recordings(run, then, std::move(opened), o);
    return 0;
  }
  Model& model = opened.model;
  JudgedArrays judged =
      o.x.empty() ? own_data(then, run) : other_data(o, then, opened.extras.channels);
  Data& data = judged.data;
  if (opened.extras.normalizer) scale(data.x, *opened.extras.normalizer);
  const Task task = task_for(model, data.y, data.weights, data.steps(), "auto");
  const PredictOptions how{.batch_size = o.batch_size, .threads = o.threads};
  const Array predictions = Labeller(model).predict(data.x, how);
  data.weights = masked_weights(data.weights, Labeller(model).mask(data.x, how));
  const Scores scores = score(task, predictions, data.y, data.weights, data.steps());

  Report page = judged_report(task, scores, judged.part, data, predictions, opened.extras);
  page.title = fmt::format("{} on {}", then.model, o.x.empty() ? then.x : o.x);
  page.parts = std::move(judged.parts);
  add_run(page, run, model);
  page.files.insert(page.files.end(), judged.files.begin(), judged.files.end());
  write_all(run, o, page, judged.part, to_json(scores), to_text(scores));
  return 0;
}

}  // namespace

void add_report(CLI::App& program, Chosen& chosen) {
  CLI::App* verb = program.add_subcommand("report", "Make a run's page again, or on other data");
  verb->footer(
      "The page is one file that opens without a network. Without --x it is the one that `sonde "
      "train` writes.\n\n"
      "Examples:\n  sonde report run --figures figures\n"
      "  sonde report run --x X_test.npy --y y_test.npy -o test.html");
  struct State {
    std::string run;
    std::unique_ptr<Options<ReportOptions>> options;
  };
  const auto state = std::make_shared<State>();
  verb->add_option("run", state->run, "the folder of a run")->type_name("FOLDER")->required();
  state->options = std::make_unique<Options<ReportOptions>>(*verb, texts);
  verb->final_callback([state, &chosen] {
    chosen = [state] { return report(state->run, state->options->read("")); };
  });
}

}  // namespace sonde::cli
