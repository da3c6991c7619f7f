#pragma once
#include <array>
#include <sonde/fields.hpp>
#include <string>
#include <vector>

#include "cli/train_options.hpp"

namespace sonde::cli {

enum class Search {
  grid,     ///< all combinations
  random,   ///< so many combinations, drawn
  halving,  ///< drawn ones that train for few epochs; the best of them for longer, and so on
};
constexpr auto enum_names(Search) {
  return std::array<std::string_view, 3>{"grid", "random", "halving"};
}

/// The table [tune] of a configuration file, without its [tune.values].
struct TuneRules {
  static constexpr std::string_view type = "tune";
  Search search = Search::random;
  Index trials = 20;  ///< of random and halving
  std::string criterion =
      "auto";              ///< a value of metrics.json's best epoch; auto: the monitored one
  Index folds = 0;         ///< each trial is judged by the mean over so many; 0: one run
  Index first_epochs = 0;  ///< of halving; 0: epochs / keep_one_of², at least 1
  Index keep_one_of = 3;   ///< of halving: the part that goes on, with so many times the epochs
  Index seed = 0;          ///< of the draws

  static constexpr auto fields() {
    using T = TuneRules;
    return fields_of(field("search", &T::search), field("trials", &T::trials),
                     field("criterion", &T::criterion), field("folds", &T::folds),
                     field("first_epochs", &T::first_epochs), field("keep_one_of", &T::keep_one_of),
                     field("seed", &T::seed));
  }
};

/// One combination of values, in the order of [tune.values].
struct Trial {
  Index number = 0;  ///< from 1
  Value::Dict values = {};
};

struct TunePlan {
  TrainOptions base;
  Value::Dict config;  ///< the file without its table [tune]
  TuneRules rules;
  std::vector<Trial> trials;
  std::vector<Index> rungs;  ///< epochs of each round: one, or those of halving
};

/// What `sonde tune FILE` is going to try: the same file, the same trials in the same order.
/// [tune.values] holds for any option of `sonde train` a list, or a table {from, to} with `log =
/// true` for a draw of the logarithm and `count` for the number of values in a grid. Throws
/// ArgumentError for what cannot be tried.
TunePlan plan_tuning(const std::string& file);

/// The options of a trial.
TrainOptions options_of(const TunePlan& plan, const Trial& trial);

}  // namespace sonde::cli
