#include "cli/tune_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <sonde/callbacks.hpp>
#include <sonde/error.hpp>

#include "cli/csv_cell.hpp"

namespace sonde::cli {
bool TrialLine::take(const Json& result, const std::string& wanted) {
  if (result.value("code", 1) != 0) {
    status = result.value("status", "failed");
    reason = result.value("reason", "");
    return false;
  }
  criterion = wanted == "auto" ? result.value("monitor", "") : wanted;
  const Json best = result.value("best", Json::object());
  if (!best.contains(criterion)) {
    std::vector<std::string> names;
    for (const auto& entry : best.items()) names.push_back(entry.key());
    throw ArgumentError(fmt::format("[tune]: criterion \"{}\" is none of the values of a run: {}.",
                                    criterion, fmt::join(names, ", ")));
  }
  const Json& value = best[criterion];
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    status = "failed";
    reason = criterion + " is no number";
    return false;
  }
  values.push_back(value.get<double>());
  return true;
}

std::optional<double> TrialLine::mean() const {
  if (status != "finished" || values.empty()) return std::nullopt;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double TrialLine::deviation() const {
  const double middle = mean().value_or(0);
  double squares = 0;
  for (const double value : values) squares += (value - middle) * (value - middle);
  return values.size() > 1 ? std::sqrt(squares / static_cast<double>(values.size() - 1)) : 0;
}

std::string TrialLine::words() const {
  if (!mean()) return status;
  if (values.size() == 1) return fmt::format("{} {:.6g}", criterion, values[0]);
  return fmt::format("{} {:.6g} ± {:.2g} over {} folds", criterion, *mean(), deviation(),
                     values.size());
}

TrialTable::TrialTable(const TunePlan& plan) {
  for (const Trial& trial : plan.trials) lines_.push_back({.trial = trial});
}

bool TrialTable::better(const TrialLine& a, const TrialLine& b) const {
  if (!a.mean() || !b.mean()) return a.mean() && !b.mean();
  if (a.epochs != b.epochs) return a.epochs > b.epochs;
  return Monitor{.name = a.criterion}.better(*a.mean(), *b.mean());
}

std::string TrialTable::csv() const {
  std::size_t folds = 0;
  for (const TrialLine& line : lines_) folds = std::max(folds, line.values.size());
  std::string text = "trial,status,epochs";
  for (const auto& entry : lines_.front().trial.values) text += "," + csv_cell(entry.first);
  text += ",criterion,mean,deviation";
  for (std::size_t fold = 1; folds > 1 && fold <= folds; ++fold)
    text += fmt::format(",fold_{}", fold);
  text += ",reason\n";
  for (const TrialLine& line : lines_) {
    text += fmt::format("{},{},{}", line.trial.number, line.status, line.epochs);
    for (const auto& entry : line.trial.values) text += "," + csv_cell(shown(entry.second));
    text += fmt::format(",{},{},{}", csv_cell(line.criterion),
                        line.mean() ? fmt::format("{}", *line.mean()) : "",
                        line.mean() ? fmt::format("{}", line.deviation()) : "");
    for (std::size_t fold = 0; folds > 1 && fold < folds; ++fold)
      text += fold < line.values.size() ? fmt::format(",{}", line.values[fold]) : ",";
    text += "," + csv_cell(line.reason) + "\n";
  }
  return text;
}

Json TrialTable::json() const {
  Json trials = Json::array();
  for (const TrialLine& line : lines_) {
    Json each = {{"trial", line.trial.number},
                 {"status", line.status},
                 {"epochs", line.epochs},
                 {"values", to_json(Value(line.trial.values))}};
    if (const auto mean = line.mean()) {
      each["criterion"] = line.criterion;
      each["mean"] = *mean;
      each["deviation"] = line.deviation();
      each["folds"] = line.values;
    }
    if (!line.reason.empty()) each["reason"] = line.reason;
    trials.push_back(std::move(each));
  }
  return {{"trials", std::move(trials)}};
}

std::string TrialTable::text() const {
  std::vector<const TrialLine*> order;
  for (const TrialLine& line : lines_) order.push_back(&line);
  std::stable_sort(order.begin(), order.end(),
                   [&](const TrialLine* a, const TrialLine* b) { return better(*a, *b); });
  constexpr std::size_t shown_lines = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(order.size(), shown_lines); ++i) {
    std::vector<std::string> values;
    for (const auto& [key, value] : order[i]->trial.values)
      values.push_back(fmt::format("{} {}", key, shown(value)));
    text += fmt::format("trial {:<5} {} epochs, {}   {}\n", order[i]->trial.number,
                        order[i]->epochs, order[i]->words(), fmt::join(values, ", "));
  }
  return text;
}

Json to_json(const TunePlan& plan) {
  Json trials = Json::array();
  for (const Trial& trial : plan.trials) trials.push_back(to_json(Value(trial.values)));
  return {{"base", to_json(Value(to_config(plan.base)))},
          {"rules", to_json(Value(to_config(plan.rules)))},
          {"rungs", plan.rungs},
          {"trials", std::move(trials)}};
}

}  // namespace sonde::cli
