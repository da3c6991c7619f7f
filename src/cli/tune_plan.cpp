#include "cli/tune_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <sonde/error.hpp>

namespace sonde::cli {
namespace {

constexpr Index most_trials = 10'000;

/// What one option may be: these values, or all from one number to another.
struct Choice {
  std::string key;
  Value::List values = {};
  bool whole = false, log = false;
  double from = 0, to = 0;
  Index count = 0;
};

double number_of(const Value& value, const Where& where) {
  double number = 0;
  from_value(value, where, number);
  if (!std::isfinite(number)) refuse_value(where, "a finite number", value);
  return number;
}

/// Few digits, so that a table of trials can be read and a value be typed again.
Value rounded(double value, bool whole) {
  if (whole) return static_cast<std::int64_t>(std::llround(value));
  return real_number(fmt::format("{:.4g}", value));
}

/// The place `part` of the way from one end to the other.
Value between(const Choice& choice, double part) {
  if (choice.log)
    return rounded(choice.from * std::pow(choice.to / choice.from, part), choice.whole);
  return rounded(choice.from + (choice.to - choice.from) * part, choice.whole);
}

Choice read_range(const Value::Dict& table, Choice choice, const Where& where) {
  bool has_from = false, has_to = false;
  choice.whole = true;
  for (const auto& [key, value] : table) {
    const Where here = fmt::format("{}: {}", where, key);
    if (key == "from" || key == "to") {
      (key == "from" ? choice.from : choice.to) = number_of(value, here);
      (key == "from" ? has_from : has_to) = true;
      choice.whole = choice.whole && value.as<std::int64_t>() != nullptr;
    } else if (key == "log") {
      from_value(value, here, choice.log);
    } else if (key == "count") {
      from_value(value, here, choice.count);
      if (choice.count < 2 || choice.count > most_trials)
        throw ArgumentError(
            fmt::format("{} must be from 2 to {}, got {}.", here, most_trials, choice.count));
    } else {
      refuse_name(where, key, {"from", "to", "log", "count"});
    }
  }
  if (!has_from || !has_to || !(choice.from < choice.to))
    throw ArgumentError(where + ": needs from and to, from below to: {from = 16, to = 128}.");
  if (choice.log && !(choice.from > 0)) throw ArgumentError(where + ": log needs from above 0.");
  return choice;
}

Choice read_choice(const std::string& key, const Value& value, const TuneRules& rules,
                   const Where& where) {
  Choice choice{.key = key};
  if (const auto* table = value.as<Value::Dict>()) {
    choice = read_range(*table, std::move(choice), where);
    if (rules.search != Search::grid) return choice;
    if (choice.count == 0)
      throw ArgumentError(where + ": a grid needs count, the number of values; or a list.");
    std::set<std::string> seen;
    for (Index i = 0; i < choice.count; ++i) {
      Value each = between(choice, static_cast<double>(i) / static_cast<double>(choice.count - 1));
      if (seen.insert(shown(each)).second) choice.values.push_back(std::move(each));
    }
    return choice;
  }
  const auto* list = value.as<Value::List>();
  if (!list || list->empty()) refuse_value(where, "a list of values, or {from = …, to = …}", value);
  choice.values = *list;
  return choice;
}

/// A draw that depends on (seed, trial, option) only: splitmix64 (Steele, Lea, Flood 2014).
double draw(Index seed, Index trial, std::size_t option) {
  std::uint64_t state = static_cast<std::uint64_t>(seed);
  std::uint64_t bits = 0;
  for (const std::uint64_t part :
       {static_cast<std::uint64_t>(trial), static_cast<std::uint64_t>(option)}) {
    state += 0x9E3779B97F4A7C15u * (part + 1);
    bits = state;
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
    state = bits ^ (bits >> 31);
  }
  return static_cast<double>(state >> 11) * 0x1p-53;
}

std::vector<Trial> grid(const std::vector<Choice>& choices) {
  Index count = 1;
  for (const Choice& choice : choices) {
    count *= static_cast<Index>(choice.values.size());
    if (count > most_trials)
      throw ArgumentError(fmt::format(
          "[tune.values]: the grid has more than {} combinations. Use search = \"random\".",
          most_trials));
  }
  std::vector<Trial> trials;
  for (Index i = 0; i < count; ++i) {
    Trial trial{.number = i + 1};
    Index rest = i;  // the last option changes fastest
    for (auto choice = choices.rbegin(); choice != choices.rend(); ++choice) {
      const auto size = static_cast<Index>(choice->values.size());
      trial.values.insert(trial.values.begin(),
                          {choice->key, choice->values[static_cast<std::size_t>(rest % size)]});
      rest /= size;
    }
    trials.push_back(std::move(trial));
  }
  return trials;
}

/// Combinations that come twice are drawn again: until there are enough, or no new ones come.
std::vector<Trial> drawn(const std::vector<Choice>& choices, const TuneRules& rules) {
  std::vector<Trial> trials;
  std::set<std::string> seen;
  for (Index i = 0; i < 20 * rules.trials; ++i) {
    if (static_cast<Index>(trials.size()) == rules.trials) break;
    Trial trial{.number = static_cast<Index>(trials.size()) + 1};
    for (std::size_t c = 0; c < choices.size(); ++c) {
      const double part = draw(rules.seed, i, c);
      const Value::List& values = choices[c].values;
      trial.values.emplace_back(
          choices[c].key,
          values.empty()
              ? between(choices[c], part)
              : values[static_cast<std::size_t>(part * static_cast<double>(values.size()))]);
    }
    std::string words;
    for (const auto& entry : trial.values) words += shown(entry.second) + "\n";
    if (seen.insert(words).second) trials.push_back(std::move(trial));
  }
  return trials;
}

void check(const TuneRules& r, const TrainOptions& base) {
  const auto at_least = [](std::string_view key, Index value, Index least, Index most) {
    if (value < least || value > most)
      throw ArgumentError(
          fmt::format("[tune]: {} must be from {} to {}, got {}.", key, least, most, value));
  };
  at_least("trials", r.trials, 1, most_trials);
  at_least("folds", r.folds, 0, 1000);
  if (r.folds == 1) throw ArgumentError("[tune]: folds must be 0 for one run, or at least 2.");
  at_least("keep_one_of", r.keep_one_of, 2, 100);
  at_least("first_epochs", r.first_epochs, 0, base.epochs);
  at_least("seed", r.seed, 0, std::numeric_limits<Index>::max());
}

std::vector<Index> rungs_of(const TuneRules& r, Index epochs) {
  if (r.search != Search::halving) return {epochs};
  std::vector<Index> rungs;
  Index first = r.first_epochs > 0 ? r.first_epochs : epochs / (r.keep_one_of * r.keep_one_of);
  for (Index each = std::max<Index>(first, 1); each < epochs; each *= r.keep_one_of)
    rungs.push_back(each);
  rungs.push_back(epochs);
  return rungs;
}

}  // namespace

TunePlan plan_tuning(const std::string& file) {
  TunePlan plan;
  const Value::Dict all = read_toml(file);
  const Value* table = nullptr;
  for (const auto& [key, value] : all) {
    if (key == "tune") table = &value;
    else plan.config.emplace_back(key, value);
  }
  const auto* tune = table ? table->as<Value::Dict>() : nullptr;
  if (!tune)
    throw ArgumentError(file +
                        ": has no table [tune]. Add one, and [tune.values] with a list for each "
                        "option to be tried.");
  read_config(plan.config, file, plan.base);
  check_options(plan.base);
  Value::Dict rules;
  const Value* values = nullptr;
  for (const auto& [key, value] : *tune) {
    if (key == "values") values = &value;
    else rules.emplace_back(key, value);
  }
  read_config(rules, file + ": [tune]", plan.rules);
  check(plan.rules, plan.base);

  const Where where = file + ": [tune.values]";
  const auto* entries = values ? values->as<Value::Dict>() : nullptr;
  if (!entries || entries->empty())
    throw ArgumentError(where +
                        " is missing or empty. Give a list for each option to be tried: "
                        "units = [16, 32, 64].");
  const std::set<std::string_view> own = {"out",  "force",   "resume", "quiet",
                                          "json", "threads", "fold",   "folds"};
  std::vector<Choice> choices;
  for (const auto& [key, value] : *entries) {
    if (own.contains(key) || (key == "epochs" && plan.rules.search == Search::halving))
      throw ArgumentError(fmt::format("{}: {} is set by the search itself.", where, key));
    choices.push_back(read_choice(key, value, plan.rules, fmt::format("{}: {}", where, key)));
  }
  plan.trials = plan.rules.search == Search::grid ? grid(choices) : drawn(choices, plan.rules);
  plan.rungs = rungs_of(plan.rules, plan.base.epochs);
  for (const Trial& trial : plan.trials) {
    TrainOptions options = plan.base;
    read_config(trial.values, where, options);
    check_options(options);
  }
  return plan;
}

TrainOptions options_of(const TunePlan& plan, const Trial& trial) {
  TrainOptions options = plan.base;
  read_config(trial.values, "a trial", options);
  return options;
}

}  // namespace sonde::cli
