#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sonde/networks.hpp>

#include "cli/array_report.hpp"
#include "cli/augment.hpp"
#include "cli/data_memory.hpp"
#include "cli/fitting.hpp"
#include "cli/interrupt.hpp"
#include "cli/labeller.hpp"
#include "cli/loss_text.hpp"
#include "cli/model_file.hpp"
#include "cli/parts.hpp"
#include "cli/prepare.hpp"
#include "cli/provenance.hpp"
#include "cli/run_directory.hpp"
#include "cli/run_report.hpp"
#include "cli/scores.hpp"
#include "cli/task.hpp"
#include "cli/train_options.hpp"
#include "cli/train_recordings.hpp"
#include "cli/training_run.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

/// Fits on the training part, applies to all.
Normalizer normalize(Parts& parts) {
  Normalizer normalizer = fit_scale(parts.data().x, parts.training());
  scale(parts.data().x, normalizer);
  if (parts.apart()) scale(parts.apart()->x, normalizer);
  return normalizer;
}

/// What the header of a table calls them, so that other tables may have them in another order.
std::vector<std::string> names_of_channels(const Data& data) {
  const std::set<std::string> names(data.columns.begin(), data.columns.end());
  const bool telling = static_cast<Index>(names.size()) == data.x.shape()[2] && !names.contains("");
  return telling ? data.columns : std::vector<std::string>{};
}

/// Channels that a network can hardly learn from as they are: far from 0, or very large or small.
/// A part of the samples is enough to see it.
void hint_at_scale(RunDirectory& run, const Parts& parts) {
  constexpr Index looked_at = 64;
  const Normalizer seen = fit_scale(parts.data().x, std::min(parts.training(), looked_at));
  for (std::size_t c = 0; c < seen.center.size(); ++c) {
    const double middle = std::abs(seen.center[c]), spread = seen.scale[c];
    if (spread < 100 && spread > 0.01 && middle < 10 * spread) continue;
    const std::vector<std::string> names = names_of_channels(parts.data());
    const std::string name =
        names.empty() ? fmt::format("{} (the first is 0)", c) : fmt::format("\"{}\"", names[c]);
    return run.say(fmt::format(
        "hint:   channel {} has mean {:.4g} and deviation {:.4g}. --normalize zscore brings all "
        "channels to 0 and 1.",
        name, seen.center[c], spread));
  }
}

void tell(RunDirectory& run, const TrainOptions& o, const Parts& parts, const Task& task,
          const Model& model, std::string_view given_loss) {
  const Data& data = parts.data();
  const Index judging = parts.validation() ? parts.validation()->size() : 0;
  run.say(fmt::format("data:   {} samples train, {} judge; {} steps of {} channels",
                      parts.training(), judging, data.steps(), data.x.shape()[2]));
  run.say(fmt::format("labels: {}", task.text()));
  if (are_signs(task, data.y, data.weights, data.steps()) && given_loss == "auto")
    run.say(
        "hint:   the labels are -1 and 1, taken for measured values. For two classes save "
        "(y + 1) / 2, which are 0 and 1.");
  const Tensor& output = model.graph().output_tensors().front();
  Index parameters = 0;
  for (const Array& weights : model.get_weights()) parameters += weights.size();
  run.say(fmt::format("model:  {}, {} parameters, {} → {}, loss {}", o.model, parameters,
                      to_string(model.graph().input_tensors().front().shape().with_front(dynamic)),
                      to_string(output.shape().with_front(dynamic)), loss_text(task.loss)));
}

int train(const TrainOptions& given) {
  check_options(given);
  RunDirectory run = run_directory(given);
  Parts parts = load_parts(given);
  for (const std::string& remark : parts.data().remarks) run.say(remark);
  auto [opened, task, fix] = prepare(given, parts);
  Model& model = opened.model;
  if (!fix.empty()) run.say("fix:    " + fix);
  // A model that goes on learning sees its signals as it always did.
  if (opened.extras.normalizer) {
    run.say(fmt::format("scale:  that of {}", given.model));
    scale(parts.data().x, *opened.extras.normalizer);
    if (parts.apart()) scale(parts.apart()->x, *opened.extras.normalizer);
  } else if (given.normalize == "zscore") {
    opened.extras.normalizer = normalize(parts);
  } else {
    hint_at_scale(run, parts);
  }
  if (opened.extras.channels.empty()) opened.extras.channels = names_of_channels(parts.data());
  const Index batches = (parts.training() + given.batch_size - 1) / given.batch_size;
  if (const std::string left_out = compile(model, given, task, given.epochs * batches);
      !left_out.empty())
    run.say(left_out);
  const TrainOptions o = effective(given, task, model, parts.validation() ? "val_loss" : "loss");
  std::vector<std::string> watched = metric_names(*model.compiled());
  watched.insert(watched.begin(), "loss");
  if (parts.validation())
    for (const std::string& name : std::vector(watched)) watched.push_back("val_" + name);
  check_monitor(o, watched);
  tell(run, o, parts, task, model, given.loss);

  const auto before = [&] {
    run.open();
    run.write("config.toml", write_toml(to_config(o), train_texts()));
    const nlohmann::ordered_json origin =
        provenance(o.seed, {{"x", file_of(o.x)},
                            {"y", file_of(o.y)},
                            {"sample_weight", file_of(o.sample_weight)},
                            {"validation_x", file_of(o.validation_x)},
                            {"validation_y", file_of(o.validation_y)},
                            {"model", is_model_file(o.model) ? o.model : ""}});
    if (given.resume) check_same_files(run.file("provenance.json"), origin);
    else run.write("provenance.json", origin.dump(2) + "\n");
  };
  Labeller labeller(model);
  FitOptions fit = fit_options(run, o, given.resume);
  fit.validation_data = labeller.show(parts.validation());
  fit.class_weight = read_class_weights(o.class_weight, task, parts.data().y, parts.data().weights,
                                        parts.training(), parts.data().steps());
  TrainingRun training(run, model, opened.extras, o.monitor, before);
  const std::optional<Augmented> changed = augmented(parts.train(), o);
  const SampleSource& samples =
      changed ? static_cast<const SampleSource&>(*changed) : parts.train();
  const SampleSource& lessons = *labeller.show(&samples);
  run.say("memory: " + model.training_memory(lessons, fit).text());
  if (const std::string text = data_on_disk_text(); !text.empty()) run.say("disk:   " + text);
  training.fit(lessons, std::move(fit));

  const std::vector<DataPart> who = data_parts(parts);
  auto [name, part] = judged_part(parts);
  const PredictOptions how{.batch_size = o.batch_size, .threads = o.threads};
  const Array predictions = labeller.predict(part.x, how);
  part.weights = masked_weights(part.weights, labeller.mask(part.x, how));
  const Scores scores = score(task, predictions, part.y, part.weights, part.steps());
  nlohmann::ordered_json result =
      training.finish({{"scored_on", name}, {"scores", to_json(scores)}});
  Report report = judged_report(task, scores, name, part, predictions, opened.extras);
  report.title = fmt::format("{} on {}", o.model, o.x);
  report.parts = who;
  add_run(report, run.folder(), model);
  write_report(run.file("report.html"), report);
  run.say(fmt::format("best:   {}, saved in {}", training.best_text(),
                      run.file("model.keras").string()));
  run.log(to_text(scores));
  if (o.json) {
    result["out"] = o.out;
    fmt::print("{}\n", result.dump(2));
  } else if (!o.quiet) {
    fmt::print("scores on the {} part\n{}", name, to_text(scores));
  }
  return 0;
}

}  // namespace

void add_train(CLI::App& program, Chosen& chosen) {
  CLI::App* verb = program.add_subcommand("train", "Train a network on labelled signals");
  std::string networks_text;
  for (const NetworkName& each : networks())
    networks_text += fmt::format("  {:<28}{}\n", each.name, each.layers);
  verb->footer(
      "Networks:\n" + networks_text +
      "\nLabels decide the last layer and the loss: 0 and 1 (sigmoid, binary cross-entropy), whole "
      "numbers\nfrom 0 (softmax, sparse categorical cross-entropy), one-hot (softmax, "
      "categorical), "
      "others\n(linear, mean squared error).\n\n"
      "Examples:\n  sonde train --x X.npy --y y.npy --out run\n"
      "  sonde train recording.toml --folds 5 --seeds 3\n"
      "  sonde train recording.toml --set split.test='[\"anna\"]' --set augmentation.noise=0.2\n"
      "  sonde train --x walk.csv --label-column label --window 200 --normalize zscore");
  struct State {
    std::string config;
    std::vector<std::string> settings;
    std::unique_ptr<Options<TrainOptions>> options;
  };
  const auto state = std::make_shared<State>();
  verb->add_option("config", state->config, "a TOML file with these options; those given win")
      ->type_name("FILE.toml");
  verb->add_option("--set", state->settings,
                   "a key of that file, also of its tables: --set split.folds=5")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  state->options = std::make_unique<Options<TrainOptions>>(*verb, train_texts());
  verb->final_callback([state, &chosen] {
    chosen = [state] {
      TrainOptions options = state->options->read(state->config, state->settings);
      find_files(options, state->config);
      if (options.resume) {
        std::vector<std::string> given = state->options->given();
        for (const std::string& each : state->settings) given.push_back(first_key(each));
        options = resumed_options(options, given);
      }
      return options.recordings ? train_recordings(options) : train(options);
    };
  });
}

}  // namespace sonde::cli
