#include "cli/train_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <sonde/optimizers.hpp>

#include "cli/loss_text.hpp"

namespace sonde::cli {

std::span<const OptionText> train_texts() {
  static constexpr std::string_view
      data = "Data",
      recordings = "Recordings (tables [recordings], [split] and [evaluation] of FILE.toml)",
      model = "Network", training = "Training", output = "Output";
  static constexpr OptionText texts[] = {
      {data, "x", "FILE",
       "signals (samples, time, channels): .npy, .npz, .npz:KEY, or a recording .csv"},
      {data, "y", "FILE", "labels, one for each step or each sample"},
      {data, "label_column", "NAME|N",
       "the column of a .csv file that holds the labels: its name, or its number from 0; -1: the "
       "last"},
      {data, "sample_weight", "FILE", "weights (samples,) or (samples, time); 0: not labelled"},
      {data, "ignore_label", "N", "labels of this number count nowhere, as if of weight 0"},
      {data, "validation_split", "PART",
       "this part of the data, at its end, judges and does not train"},
      {data, "validation_x", "FILE", "signals that judge, instead of a part of x"},
      {data, "validation_y", "FILE", "their labels"},
      {data, "window", "STEPS",
       "cut a recording (time, channels) into windows of this length; 0: none"},
      {data, "hop", "STEPS", "steps from one window to the next; 0: the window"},
      {data, "normalize", "HOW",
       "none; of the training part: zscore, robust (median, quartiles); each recording by its own: "
       "recording (median, quartiles), range (median, 2 % to 98 %), detrend (range, less a moving "
       "mean); running: by what came before"},
      {data, "normalize_seconds", "SECONDS",
       "of running: after so long a value is forgotten; of detrend: length of the moving mean"},
      {recordings, "windows_per_epoch", "N",
       "windows at random places; 0: as many as cover the labelled steps once"},
      {recordings, "balanced", "",
       "windows around each class equally often, so that rare ones are seen as often as others"},
      {recordings, "mixtures", "N",
       "with one_channel_each: so many random mixtures of a recording's channels train too"},
      {recordings, "combine_channels", "",
       "with one_channel_each: what the network says of all channels makes one labelling"},
      {recordings, "predict", "HOW",
       "whole: with state carried from the first step to the last; windows: overlapping, each "
       "begun anew; auto: whole where the network can"},
      {recordings, "predict_window", "STEPS", "length of those windows; 0: --window"},
      {recordings, "predict_hop", "STEPS", "steps from one to the next; 0: half of it"},
      {recordings, "folds", "N", "so many parts of whole groups, each of which tests once"},
      {recordings, "fold", "N", "only this one, from 1; 0: all, judged together"},
      {recordings, "seeds", "N", "repeat all with so many seeds, from --seed on"},
      {model, "model", "NAME|FILE",
       "a network by name, a .keras or .h5 file to go on with, or Keras' JSON"},
      {model, "weights", "FILE", "begin with these: .weights.h5 or .h5 of Keras, or a .keras file"},
      {model, "apply_fix", "N",
       "where model and data do not fit: make the change of this number in the list that is shown"},
      {model, "filters", "N", "filters of each convolution"},
      {model, "kernel_size", "STEPS", "length of each filter"},
      {model, "pool_size", "STEPS", "steps that a pooling layer makes one of"},
      {model, "units", "N", "units of the LSTM"},
      {model, "conv_layers", "N", "convolutions of conv-bilstm; 0: 2"},
      {model, "lstm_layers", "N", "LSTMs of conv-bilstm, in both directions; 0: 2"},
      {model, "dropout", "RATE", "of conv-bilstm, behind each of them"},
      {model, "any_length", "", "a model for signals of any length (always so with --window)"},
      {training, "epochs", "N", "times that all samples are seen"},
      {training, "batch_size", "N", "samples for each step of the optimizer"},
      {training, "optimizer", "NAME",
       "adam, adamw, rmsprop or sgd; auto: adam, or the one in the model file, which goes on"},
      {training, "learning_rate", "RATE", "left out: the optimizer's default"},
      {training, "clipnorm", "NORM", "the gradient of each weight is at most so long"},
      {training, "decay", "HOW", "none, or cosine: the learning rate falls to 0 over all epochs"},
      {training, "loss", "NAME",
       "auto: what fits the labels; or dice, binary_focal_crossentropy, mse, … of Keras' losses; "
       "with arguments: \"tversky(alpha=0.7, beta=0.3)\""},
      {training, "class_weight", "HOW",
       "none, auto (all classes weigh the same), or a number for each class"},
      {training, "early_stopping", "EPOCHS", "stop after so many epochs without improvement"},
      {training, "monitor", "NAME",
       "the value that says which epoch is best; auto: val_loss, or loss"},
      {training, "post_process", "HOW",
       "none, or auto: temperature, thresholds and lengths that the validation part chooses, kept "
       "in "
       "the model file"},
      {training, "seed", "N", "of first weights, shuffling and dropout"},
      {training, "threads", "N", "0: all cores; results do not depend on it"},
      {training, "memory", "BYTES",
       "what training may take beside the data, like 512M or 2G; where it would take more, "
       "recurrent "
       "layers take more time instead; results do not depend on it; 0: no limit"},
      {training, "matmul_precision", "HOW",
       "f32, or bf16: LSTM layers train with products of 8 bits of mantissa where the processor "
       "has "
       "them"},
      {output, "out", "FOLDER", "where the run is written", 'o'},
      {output, "force", "", "write over an earlier run"},
      {output, "resume", "", "go on with the run in --out, which was ended before its end"},
      {output, "checkpoint_seconds", "SECONDS",
       "from one checkpoint of the run to the next; 0: after every batch"},
      {output, "progress", "HOW",
       "auto: lines for people; json: one JSON object on each line of stderr; none"},
      {output, "quiet", "", "no messages"},
      {output, "json", "", "print the result as one JSON object"},
  };
  return texts;
}

namespace {

bool stands_in(const auto& list, std::string_view field) {
  return std::find(list.begin(), list.end(), field) != list.end();
}

/// Whether two words of one option mean the same: names of a loss, rates that are one float.
bool mean_the_same(std::string_view field, const Value& a, const Value& b) {
  if (a == b) return true;
  if (field == "loss" && a.as<std::string>() && b.as<std::string>())
    return read_loss(*a.as<std::string>()) == read_loss(*b.as<std::string>());
  if (field == "learning_rate" && a.as<double>() && b.as<double>())
    return static_cast<float>(*a.as<double>()) == static_cast<float>(*b.as<double>());
  return false;
}

}  // namespace

TrainOptions resumed_options(const TrainOptions& asked, const std::vector<std::string>& given) {
  const std::filesystem::path config = std::filesystem::path(asked.out) / "config.toml";
  if (!std::filesystem::exists(config)) {
    if (!asked.x.empty() || asked.recordings)
      return asked;  // the first of many times that a script runs this line
    throw ArgumentError(fmt::format(
        "--resume: \"{}\" holds no run to go on with. Start one with --x FILE.", asked.out));
  }
  TrainOptions then{};
  read_config(read_toml(config.string()), config.string(), then);
  constexpr std::array<std::string_view, 12> free = {"epochs",   "threads", "memory",
                                                     "seeds",    "fold",    "out",
                                                     "force",    "resume",  "checkpoint_seconds",
                                                     "progress", "quiet",   "json"};
  Value::Dict old = to_config(then);
  const Value::Dict now = to_config(asked);
  // A run keeps --folds in its table [split].
  if (then.split && then.split->folds > 0)
    for (auto& [field, value] : old)
      if (field == "folds") value = then.split->folds;
  for (std::size_t i = 0; i < old.size(); ++i) {
    const auto& [field, value] = old[i];
    if (stands_in(given, field) && !stands_in(free, field) && shown(now[i].second) != "auto" &&
        !mean_the_same(field, now[i].second, value))
      throw ArgumentError(fmt::format(
          "--resume goes on with what {} says, {} = {}; {} was given as {}. Leave it out, or start "
          "another run.",
          config.string(), field, shown(value), option_name(field), shown(now[i].second)));
  }
  if (stands_in(given, "epochs") && asked.epochs != then.epochs && then.decay != "none")
    throw ArgumentError(fmt::format(
        "--resume: the learning rate of this run falls to 0 over its {} epochs, so that it cannot "
        "go "
        "on for {}. Begin another run with its model, --model {}, and --out.",
        then.epochs, asked.epochs, (std::filesystem::path(asked.out) / "model.keras").string()));
  if (stands_in(given, "seeds") && asked.seeds != then.seeds) {
    // With one seed there is no folder for each. check_options looks at what is below.
    if (asked.seeds > 1 && then.seeds == 1)
      throw ArgumentError(fmt::format(
          "--resume: this run has 1 seed, and no folder for each. Give it one, and go on there: "
          "mkdir {0}-seeds && mv {0} {0}-seeds/seed-{1}, then the line that began it with "
          "--seeds {2} --out {0}-seeds --resume.",
          std::filesystem::path(asked.out).lexically_normal().string(), then.seed, asked.seeds));
    if (asked.seeds == 1)
      throw ArgumentError(
          fmt::format("--resume: this run has {} seeds, and a run of several can only go on as one "
                      "of several. Begin another one, with --out.",
                      then.seeds));
    then.seeds = asked.seeds;
  }
  if (stands_in(given, "fold")) then.fold = asked.fold;
  if (stands_in(given, "epochs")) then.epochs = asked.epochs;
  if (stands_in(given, "checkpoint_seconds")) then.checkpoint_seconds = asked.checkpoint_seconds;
  then.threads = asked.threads;
  if (stands_in(given, "memory")) then.memory = asked.memory;
  then.out = asked.out;
  then.resume = true;
  then.progress = asked.progress;
  then.quiet = asked.quiet;
  then.json = asked.json;
  return then;
}

namespace {

/// What only recordings, or only arrays, can be told.
void check_recording_options(const TrainOptions& o) {
  const Value::Dict given = to_config(o), usual = to_config(TrainOptions{});
  constexpr std::array<std::string_view, 9> of_arrays = {"x",
                                                         "y",
                                                         "label_column",
                                                         "sample_weight",
                                                         "validation_split",
                                                         "validation_x",
                                                         "validation_y",
                                                         "hop",
                                                         "apply_fix"};
  constexpr std::array<std::string_view, 14> of_recordings = {"split",
                                                              "post_process",
                                                              "post_processing",
                                                              "balanced",
                                                              "mixtures",
                                                              "evaluation",
                                                              "windows_per_epoch",
                                                              "predict",
                                                              "predict_window",
                                                              "predict_hop",
                                                              "folds",
                                                              "fold",
                                                              "seeds",
                                                              "normalize_seconds"};
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto& [field, value] = given[i];
    if (value == usual[i].second) continue;
    if (o.recordings && stands_in(of_arrays, field))
      throw ArgumentError(fmt::format(
          "{} is for arrays; the configuration names recordings. Leave one of them out.",
          option_name(field)));
    if (!o.recordings && stands_in(of_recordings, field))
      throw ArgumentError(fmt::format(
          "{} is for recordings: the configuration needs a table [recordings] that says where they "
          "are.",
          option_name(field)));
  }
  if (o.predict != "auto" && o.predict != "whole" && o.predict != "windows")
    refuse_name("--predict", o.predict, {"auto", "whole", "windows"});
  const std::vector<std::pair<std::string_view, Index>> counts = {
      {"windows_per_epoch", o.windows_per_epoch},
      {"predict_window", o.predict_window},
      {"predict_hop", o.predict_hop},
      {"fold", o.fold},
      {"mixtures", o.mixtures},
      {"conv_layers", o.conv_layers},
      {"lstm_layers", o.lstm_layers}};
  for (const auto& [field, value] : counts)
    if (value < 0)
      throw ArgumentError(fmt::format("{} must be at least 0, got {}.", option_name(field), value));
  const std::string_view of_one_channel = o.mixtures > 0       ? "mixtures"
                                          : o.combine_channels ? "combine_channels"
                                                               : "";
  if (!of_one_channel.empty() && !o.recordings->one_channel_each)
    throw ArgumentError(fmt::format(
        "{} needs recordings of one channel each: one_channel_each = true in [recordings].",
        option_name(of_one_channel)));
  if (o.seeds < 1) throw ArgumentError(fmt::format("--seeds must be at least 1, got {}.", o.seeds));
  if (!(o.normalize_seconds > 0))
    throw ArgumentError(
        fmt::format("--normalize-seconds must be above 0, got {}.", o.normalize_seconds));
}

}  // namespace

void check_options(const TrainOptions& o) {
  const auto at_least = [](std::string_view field, Index value, Index least) {
    if (value < least)
      throw ArgumentError(
          fmt::format("{} must be at least {}, got {}.", option_name(field), least, value));
  };
  if (o.x.empty() && !o.recordings)
    throw ArgumentError(
        "there is no data. Give --x FILE, for example --x X.npy --y y.npy, or a configuration file "
        "with a table [recordings].");
  check_recording_options(o);
  at_least("epochs", o.epochs, 1);
  at_least("batch_size", o.batch_size, 1);
  at_least("seed", o.seed, 0);
  if (!(o.checkpoint_seconds >= 0))
    throw ArgumentError(
        fmt::format("--checkpoint-seconds must be at least 0, got {}.", o.checkpoint_seconds));
  at_least("threads", o.threads, 0);
  at_least("window", o.window, 0);
  at_least("hop", o.hop, 0);
  at_least("apply_fix", o.apply_fix, 0);
  if (o.early_stopping) at_least("early_stopping", *o.early_stopping, 0);
  if (o.learning_rate && !(*o.learning_rate > 0))
    throw ArgumentError(fmt::format("--learning-rate must be above 0, got {}.", *o.learning_rate));
  const std::vector<std::string_view> scales =
      o.recordings ? std::vector<std::string_view>{"none",  "zscore",  "robust", "recording",
                                                   "range", "detrend", "running"}
                   : std::vector<std::string_view>{"none", "zscore"};
  if (!stands_in(scales, o.normalize)) refuse_name("--normalize", o.normalize, scales);
  if (o.post_process != "none" && o.post_process != "auto")
    refuse_name("--post-process", o.post_process, {"none", "auto"});
  if (o.post_process == "auto" && o.post_processing)
    throw ArgumentError(
        "--post-process auto chooses what the table [post_processing] says. Leave one of them "
        "out.");
  if (o.augmentation) check(*o.augmentation);
  if (o.post_processing) check(Recipe{.post_processing = *o.post_processing}, "[post_processing]");
  if (o.clipnorm && !(*o.clipnorm > 0))
    throw ArgumentError(fmt::format("--clipnorm must be above 0, got {}.", *o.clipnorm));
  if (o.decay != "none" && o.decay != "cosine") refuse_name("--decay", o.decay, {"none", "cosine"});
  if (o.progress != "auto" && o.progress != "json" && o.progress != "none")
    refuse_name("--progress", o.progress, {"auto", "json", "none"});
  if (o.optimizer != "auto") static_cast<void>(optimizer_from_name(o.optimizer));
  if (o.validation_x.empty() && !o.validation_y.empty())
    throw ArgumentError("--validation-y is given without --validation-x. Give both, or neither.");
}

}  // namespace sonde::cli
