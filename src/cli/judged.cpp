#include "cli/judged.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sonde/calibration.hpp>
#include <sonde/error.hpp>
#include <sonde/labeller.hpp>

namespace sonde::cli {

std::string class_name(const std::vector<std::string>& classes, std::size_t k) {
  return k < classes.size() ? classes[k] : fmt::format("{}", k);
}

bool is_event(const JudgeRules& rules, std::size_t k) {
  return static_cast<Index>(k) != rules.background;
}

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const EventScore& s) {
  const auto delay = s.median_delay();
  return {{"marked", s.marked},
          {"found", s.found},
          {"precision", s.precision()},
          {"recall", s.recall()},
          {"f1", s.f1()},
          {"false_alarms_per_hour", s.false_alarms_per_hour()},
          {"median_delay", delay ? Json(*delay) : Json()}};
}

Json to_json(const BoundaryScore& s) {
  double sum = 0;
  for (const double error : s.errors) sum += error;
  const auto count = static_cast<double>(s.errors.size());
  const double mean = count > 0 ? sum / count : NAN;
  double squares = 0;
  for (const double error : s.errors) squares += (error - mean) * (error - mean);
  return {{"marked", s.marked},
          {"found", s.found},
          {"precision", s.precision()},
          {"recall", s.recall()},
          {"f1", s.f1()},
          {"mean_error", mean},
          {"deviation", count > 0 ? std::sqrt(squares / count) : NAN}};
}

Json to_json(const StepScores& s, const std::vector<std::string>& classes) {
  Json json = {{"count", s.steps},           {"accuracy", s.accuracy},
               {"prevalence", s.prevalence}, {"balanced_accuracy", s.balanced_accuracy},
               {"macro_f1", s.macro_f1},     {"auc", s.macro_auc},
               {"classes", Json::array()}};
  for (std::size_t k = 0; k < s.classes.size(); ++k)
    json["classes"].push_back({{"name", class_name(classes, k)},
                               {"share", s.classes[k].share},
                               {"precision", s.classes[k].precision},
                               {"recall", s.classes[k].recall},
                               {"f1", s.classes[k].f1},
                               {"auc", s.classes[k].auc}});
  json["confusion"] = s.confusion;
  return json;
}

/// A network of one length is given zeros behind a shorter recording; others take it as it is.
Array probabilities_of(Model& model, const Array& signal, WholeOptions how) {
  const Index steps = signal.shape()[0], channels = signal.shape()[1];
  const bool fixed = model.graph().input_tensors().front().shape()[0] != dynamic;
  if (fixed && how.window > steps) {
    Array padded({how.window, channels});
    std::copy_n(signal.data(), signal.size(), padded.data());
    return predict_recording(model, padded, how).slice(0, steps);
  }
  how.window = std::min(how.window, steps);
  how.hop = std::min(how.hop, how.window);
  return predict_recording(model, signal, how);
}

}  // namespace

void Judged::add(Model& model, std::span<const Recording> recordings,
                 const PositionBaseline* baseline, const WholeOptions& options,
                 const Recipe& recipe, const Show& show) {
  const auto add_one = [&](const Recording& each, Array probabilities) {
    if (recipe.temperature != 1)
      apply_temperature(probabilities.values(), probabilities.shape()[1], recipe.temperature);
    std::vector<Index> predicted =
        labels_from(probabilities, each.frequency, recipe.post_processing,
                    std::max<Index>(judge.rules().background, 0));
    judge.add(each, probabilities, predicted);
    if (baseline) position.add(each, {}, baseline->labels(each.signal.shape()[0]));
    if (show) show(each, std::move(probabilities), std::move(predicted));
  };
  while (!recordings.empty()) {
    const std::size_t count = recipe.combine_channels ? count_channels(recordings) : 1;
    const auto channels = recordings.first(count);
    recordings = recordings.subspan(count);
    if (count == 1) {
      add_one(channels[0], probabilities_of(model, channels[0].signal, options));
      continue;
    }
    const auto is_flat = [](const Recording& each) { return never_changes(each.signal); };
    const bool all_flat = std::all_of(channels.begin(), channels.end(), is_flat);
    std::vector<Array> said;
    for (const Recording& each : channels)
      if (all_flat || !is_flat(each)) said.push_back(probabilities_of(model, each.signal, options));
    add_one(join_channels(channels), pooled_probabilities(said));
  }
}

void Judged::add(const Judged& more) {
  judge.add(more.judge);
  position.add(more.position);
}

std::vector<std::string> warnings(const Judged& judged, bool whole) {
  std::vector<std::string> result;
  const JudgedRecording model = judged.judge.counts(), clock = judged.position.counts();
  if (model.steps.steps == 0 || clock.steps.steps == 0) return result;
  // What is above guessing: the mean recall of k classes is 1 / k without any knowledge.
  double occurring = 0;
  for (const StepClass& each : model.steps.classes) occurring += each.share > 0;
  const double chance = 1 / std::max(occurring, 1.0);
  const double gain = model.steps.balanced_accuracy - chance,
               clock_gain = clock.steps.balanced_accuracy - chance;
  if (clock_gain > 0.05 && clock_gain >= 0.5 * gain)
    result.push_back(fmt::format(
        "the number of the step alone, without any signal, reaches balanced accuracy {:.3f} and "
        "macro F1 {:.3f}: these labels follow a clock, and the network's {:.3f} and {:.3f} say "
        "little about signals recorded otherwise.",
        clock.steps.balanced_accuracy, clock.steps.macro_f1, model.steps.balanced_accuracy,
        model.steps.macro_f1));
  if (whole && clock_gain > 0.1)
    result.emplace_back(
        "the network sees whole recordings and can learn where in them it is, from which these "
        "labels follow in part. predict = \"windows\" keeps the place from it.");
  return result;
}

nlohmann::ordered_json to_json(const Judged& judged, const std::vector<std::string>& classes,
                               bool whole) {
  const RecordingJudge& judge = judged.judge;
  const JudgeRules& rules = judge.rules();
  const JudgedRecording all = judge.all();
  const std::vector<JudgedRecording> groups = judge.groups();
  Json json = {{"recordings", judge.recordings().size()},
               {"groups", groups.size()},
               {"hours", all.seconds / 3600}};
  const auto intervals = judge.intervals();
  for (const auto& [name, value] : all.figures()) {
    Json& figure = json["figures"][name] = {{"value", value}};
    if (const auto found = intervals.find(name); found != intervals.end()) {
      figure["low"] = found->second.low;
      figure["high"] = found->second.high;
    }
  }
  json["interval"] = {{"level", rules.level}, {"draws_of_groups", rules.draws}};
  json["steps"] = to_json(all.steps, classes);

  json["events"] = Json::array();
  const std::vector<EventRule> event_rules = rules.event_rules();
  for (std::size_t r = 0; r < event_rules.size(); ++r) {
    Json events = {{"rule", event_rules[r].text()}, {"total", to_json(all.event_total(r))}};
    for (std::size_t k = 0; k < all.events[r].size(); ++k)
      if (is_event(rules, k)) events["classes"][class_name(classes, k)] = to_json(all.events[r][k]);
    json["events"].push_back(std::move(events));
  }
  if (!all.boundaries.empty()) {
    json["boundaries"] = {{"tolerance", rules.boundary_tolerance}};
    for (std::size_t k = 0; k < all.boundaries.size(); ++k)
      if (is_event(rules, k))
        json["boundaries"]["classes"][class_name(classes, k)] = {
            {"onset", to_json(all.boundaries[k].onset)},
            {"offset", to_json(all.boundaries[k].offset)},
            {"both", to_json(all.boundaries[k].both)}};
  }
  if (const auto calibrated = judge.calibration())
    json["calibration"] = {{"ece", calibrated->ece},
                           {"brier", calibrated->brier},
                           {"log_loss", calibrated->log_loss},
                           {"bins", rules.calibration_bins}};
  if (!judged.position.recordings().empty())
    for (const auto& [name, value] : judged.position.counts().figures())
      json["position_only"][name] = value;
  json["warnings"] = warnings(judged, whole);
  json["by_group"] = Json::array();
  for (const JudgedRecording& each : groups) {
    Json group = {{"group", each.group},
                  {"recordings", each.recordings},
                  {"hours", each.seconds / 3600},
                  {"steps", each.steps.steps}};
    for (const auto& [name, value] : each.figures()) group[name] = value;
    json["by_group"].push_back(std::move(group));
  }
  return json;
}

std::string to_text(const Judged& judged, const std::vector<std::string>& classes, bool whole) {
  const RecordingJudge& judge = judged.judge;
  const JudgeRules& rules = judge.rules();
  const JudgedRecording all = judge.all();
  const std::vector<JudgedRecording> groups = judge.groups();
  const auto intervals = judge.intervals();
  std::map<std::string, double> position;
  if (!judged.position.recordings().empty()) position = judged.position.counts().figures();
  std::string text = fmt::format(
      "{} recordings of {} groups, {:.2f} hours labelled, {} steps; the most frequent class has "
      "{:.4f} of them\n\n",
      judge.recordings().size(), groups.size(), all.seconds / 3600, all.steps.steps,
      all.steps.prevalence);
  text += fmt::format("{:<20}{:>8}   {:<18}{}\n", "", "score",
                      intervals.empty() ? "" : fmt::format("{:g} % interval", 100 * rules.level),
                      position.empty() ? "" : "position only");
  for (const auto& [name, value] : all.figures()) {
    const auto range = intervals.find(name);
    const auto clock = position.find(name);
    text += fmt::format("{:<20}{:>8.4f}   {:<18}{}\n", name, value,
                        range == intervals.end()
                            ? ""
                            : fmt::format("{:.4f} … {:.4f}", range->second.low, range->second.high),
                        clock == position.end() ? "" : fmt::format("{:.4f}", clock->second));
  }
  if (!intervals.empty())
    text += fmt::format(
        "Intervals: {} draws of {} groups with repetition.{}\n", rules.draws, groups.size(),
        groups.size() < 5 ? " So few groups say little: others may lie far outside." : "");

  std::vector<std::string> names;
  text += fmt::format("\n{:<14}{:>8}{:>11}{:>8}{:>8}{:>8}\n", "class", "share", "precision",
                      "recall", "F1", "AUC");
  for (std::size_t k = 0; k < all.steps.classes.size(); ++k) {
    const StepClass& each = all.steps.classes[k];
    names.push_back(class_name(classes, k));
    text += fmt::format("{:<14}{:>8.4f}{:>11.4f}{:>8.4f}{:>8.4f}{:>8.4f}\n", names.back(),
                        each.share, each.precision, each.recall, each.f1, each.auc);
  }
  const std::vector<EventRule> event_rules = rules.event_rules();
  for (std::size_t r = 0; r < event_rules.size(); ++r) {
    text += fmt::format("\nEvents, {}\n{:<14}{:>8}{:>8}{:>11}{:>8}{:>8}{:>14}{:>10}\n",
                        event_rules[r].text(), "", "marked", "found", "precision", "recall", "F1",
                        "false alarms", "delay");
    const auto line = [&](const std::string& name, const EventScore& s) {
      const auto delay = s.median_delay();
      text += fmt::format("{:<14}{:>8}{:>8}{:>11.4f}{:>8.4f}{:>8.4f}{:>12.1f}/h{:>10}\n", name,
                          s.marked, s.found, s.precision(), s.recall(), s.f1(),
                          s.false_alarms_per_hour(), delay ? fmt::format("{:.3f} s", *delay) : "");
    };
    for (std::size_t k = 0; k < names.size(); ++k)
      if (is_event(rules, k)) line(names[k], all.events[r][k]);
    line("all", all.event_total(r));
  }
  if (!all.boundaries.empty()) {
    text +=
        fmt::format("\nOnsets and offsets within {} s\n{:<14}{:>8}{:>11}{:>8}{:>8}{:>11}{:>11}\n",
                    rules.boundary_tolerance, "", "marked", "precision", "recall", "F1", "onset F1",
                    "offset F1");
    for (std::size_t k = 0; k < names.size(); ++k)
      if (is_event(rules, k)) {
        const Boundaries& b = all.boundaries[k];
        text += fmt::format("{:<14}{:>8}{:>11.4f}{:>8.4f}{:>8.4f}{:>11.4f}{:>11.4f}\n", names[k],
                            b.both.marked, b.both.precision(), b.both.recall(), b.both.f1(),
                            b.onset.f1(), b.offset.f1());
      }
  }
  if (const auto calibrated = judge.calibration())
    text += fmt::format(
        "\nCalibration: expected error {:.4f} over {} bins, Brier score {:.4f}, log loss {:.4f}\n",
        calibrated->ece, rules.calibration_bins, calibrated->brier, calibrated->log_loss);
  constexpr std::size_t widest = 12;
  if (names.size() <= widest) text += "\n" + confusion_table(all.steps, names);

  std::vector<JudgedRecording> worst = groups;
  std::stable_sort(worst.begin(), worst.end(), [](const auto& a, const auto& b) {
    return a.steps.macro_f1 < b.steps.macro_f1;
  });
  constexpr std::size_t shown = 8;
  if (groups.size() > 1) {
    text += fmt::format("\n{:<28}{:>8}{:>10}{:>10}   (the {} worst of {})\n", "group", "hours",
                        "accuracy", "macro F1", std::min(shown, worst.size()), worst.size());
    for (std::size_t g = 0; g < std::min(shown, worst.size()); ++g)
      text +=
          fmt::format("{:<28}{:>8.3f}{:>10.4f}{:>10.4f}\n", worst[g].group, worst[g].seconds / 3600,
                      worst[g].steps.accuracy, worst[g].steps.macro_f1);
  }
  for (const std::string& warning : warnings(judged, whole)) text += "\nwarning: " + warning + "\n";
  return text;
}

}  // namespace sonde::cli
