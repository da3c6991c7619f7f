#pragma once
#include <optional>
#include <sonde/augmentation.hpp>
#include <sonde/fields.hpp>
#include <sonde/judge.hpp>
#include <sonde/matmul_precision.hpp>
#include <sonde/recipe.hpp>
#include <sonde/splits.hpp>
#include <span>
#include <string>
#include <vector>

#include "cli/byte_count.hpp"
#include "cli/options.hpp"
#include "cli/recordings.hpp"

namespace sonde::cli {

/// All that `sonde train` can be told: its options, the keys of its configuration file, and what it
/// writes to config.toml.
struct TrainOptions {
  static constexpr std::string_view type = "train";
  std::string x = {};
  std::string y = {};
  std::string label_column = {};
  std::string sample_weight = {};
  std::optional<Index> ignore_label = {};
  double validation_split = 0.2;
  std::string validation_x = {};
  std::string validation_y = {};
  Index window = 0;
  Index hop = 0;
  std::string normalize = "none";
  double normalize_seconds = 60;
  Index windows_per_epoch = 0;
  bool balanced = false;
  Index mixtures = 0;
  bool combine_channels = false;
  std::string predict = "auto";
  Index predict_window = 0;
  Index predict_hop = 0;
  std::optional<Index> folds = {};
  Index fold = 0;
  Index seeds = 1;

  std::string model = "conv-lstm";
  std::string weights = {};
  Index apply_fix = 0;
  Index filters = 32;
  Index kernel_size = 8;
  Index pool_size = 4;
  Index units = 32;
  Index conv_layers = 0;
  Index lstm_layers = 0;
  double dropout = 0;
  bool any_length = false;

  Index epochs = 20;
  Index batch_size = 32;
  std::string optimizer = "auto";
  std::optional<double> learning_rate = {};
  std::optional<double> clipnorm = {};
  std::string decay = "none";
  std::string loss = "auto";
  std::string class_weight = "none";
  std::optional<Index> early_stopping = {};
  std::string monitor = "auto";
  std::string post_process = "none";
  Index seed = 0;
  int threads = 0;
  ByteCount memory = {};
  MatmulPrecision matmul_precision = MatmulPrecision::f32;

  std::string out = "run";
  bool force = false;
  bool resume = false;
  double checkpoint_seconds = 60;
  std::string progress = "auto";
  bool quiet = false;
  bool json = false;

  // Tables of the configuration file.
  std::optional<RecordingSet> recordings = {};
  std::optional<SplitRules> split = {};
  std::optional<JudgeRules> evaluation = {};
  std::optional<Augmentation> augmentation = {};
  std::optional<PostProcessing> post_processing = {};

  static constexpr auto fields() {
    using T = TrainOptions;
    return fields_of(
        field("x", &T::x), field("y", &T::y), field("label_column", &T::label_column),
        field("sample_weight", &T::sample_weight), field("ignore_label", &T::ignore_label),
        field("validation_split", &T::validation_split), field("validation_x", &T::validation_x),
        field("validation_y", &T::validation_y), field("window", &T::window), field("hop", &T::hop),
        field("normalize", &T::normalize), field("normalize_seconds", &T::normalize_seconds),
        field("windows_per_epoch", &T::windows_per_epoch), field("balanced", &T::balanced),
        field("mixtures", &T::mixtures), field("combine_channels", &T::combine_channels),
        field("predict", &T::predict), field("predict_window", &T::predict_window),
        field("predict_hop", &T::predict_hop), field("folds", &T::folds), field("fold", &T::fold),
        field("seeds", &T::seeds), field("model", &T::model), field("weights", &T::weights),
        field("apply_fix", &T::apply_fix), field("filters", &T::filters),
        field("kernel_size", &T::kernel_size), field("pool_size", &T::pool_size),
        field("units", &T::units), field("conv_layers", &T::conv_layers),
        field("lstm_layers", &T::lstm_layers), field("dropout", &T::dropout),
        field("any_length", &T::any_length), field("epochs", &T::epochs),
        field("batch_size", &T::batch_size), field("optimizer", &T::optimizer),
        field("learning_rate", &T::learning_rate), field("clipnorm", &T::clipnorm),
        field("decay", &T::decay), field("loss", &T::loss), field("class_weight", &T::class_weight),
        field("early_stopping", &T::early_stopping), field("monitor", &T::monitor),
        field("post_process", &T::post_process), field("seed", &T::seed),
        field("threads", &T::threads), field("memory", &T::memory),
        field("matmul_precision", &T::matmul_precision), field("out", &T::out),
        field("force", &T::force), field("resume", &T::resume),
        field("checkpoint_seconds", &T::checkpoint_seconds), field("progress", &T::progress),
        field("quiet", &T::quiet), field("json", &T::json), field("recordings", &T::recordings),
        field("split", &T::split), field("evaluation", &T::evaluation),
        field("augmentation", &T::augmentation), field("post_processing", &T::post_processing));
  }
};

std::span<const OptionText> train_texts();

/// The options of the run in folder `asked.out`, with those of `asked` that do not change what its
/// epochs compute; `asked` itself where there is no run yet. `given`: the fields that the user
/// named. Throws ArgumentError where one of them says something else than the run.
TrainOptions resumed_options(const TrainOptions& asked, const std::vector<std::string>& given);

/// Throws ArgumentError for values that no data could make right.
void check_options(const TrainOptions& options);

}  // namespace sonde::cli
