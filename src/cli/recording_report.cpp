#include "cli/recording_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sonde/splits.hpp>

#include "cli/recordings.hpp"

namespace sonde::cli {

Array Shown::raw_signal(const Recording& scaled) {
  const auto raw = std::find_if(raw_.begin(), raw_.end(), [&](const Recording& each) {
    return each.name == scaled.name || each.whole == scaled.name;
  });
  if (raw == raw_.end()) return scaled.signal;
  if (raw->name == scaled.name) return std::move(raw->signal);
  const std::span<const Recording> rest(raw, raw_.end());
  return join_channels(rest.first(count_channels(rest))).signal;
}

Judged::Show Shown::show() {
  return [this](const Recording& scaled, Array probabilities, std::vector<Index> predicted) {
    const auto labels = scaled.labels.values();
    const auto weights = scaled.weights.values();
    recordings_.push_back({.name = scaled.name,
                           .group = group_of(scaled),
                           .frequency = scaled.frequency,
                           .channels = scaled.channels,
                           .signal = raw_signal(scaled),
                           .labels = {labels.begin(), labels.end()},
                           .weights = {weights.begin(), weights.end()},
                           .probabilities = std::move(probabilities),
                           .predicted = std::move(predicted)});
  };
}

std::vector<DataPart> parts_of(const sonde::Parts& parts) {
  std::vector<DataPart> all;
  const auto add = [&](const char* name, const std::vector<Recording>& recordings) {
    if (recordings.empty()) return;
    DataPart part{.name = name, .recordings = static_cast<Index>(recordings.size())};
    std::set<std::string> groups;
    for (const Recording& each : recordings) {
      groups.insert(group_of(each));
      part.labelled_steps += labelled_steps(each);
      part.seconds += static_cast<double>(each.weights.size()) / each.frequency;
    }
    part.groups.assign(groups.begin(), groups.end());
    all.push_back(std::move(part));
  };
  add("training", parts.train);
  add("validation", parts.validation);
  add("test", parts.test);
  return all;
}

Report recording_report(const Judged& judged, std::vector<ShownRecording> shown,
                        const std::vector<std::string>& classes, const std::string& which) {
  const RecordingJudge& judge = judged.judge;
  const JudgeRules& rules = judge.rules();
  const auto all = judge.all();
  Report page;
  page.subtitle = fmt::format("{} recordings of {} groups, {}", judge.recordings().size(),
                              judge.groups().size(), which);
  page.scores = all.steps;
  for (std::size_t k = 0; k < static_cast<std::size_t>(judge.classes()); ++k)
    page.classes.push_back(class_name(classes, k));
  const std::vector<EventRule> event_rules = rules.event_rules();
  for (std::size_t r = 0; r < event_rules.size(); ++r) {
    EventScores events{.rule = event_rules[r]};
    for (std::size_t k = 0; k < page.classes.size(); ++k)
      if (is_event(rules, k)) events.rows.emplace_back(page.classes[k], all.events[r][k]);
    events.rows.emplace_back("all", all.event_total(r));
    page.events.push_back(std::move(events));
  }
  if (!all.boundaries.empty()) {
    BoundaryScores boundaries{.tolerance = rules.boundary_tolerance};
    for (std::size_t k = 0; k < page.classes.size(); ++k)
      if (is_event(rules, k))
        boundaries.rows.push_back(
            {page.classes[k], all.boundaries[k].onset, all.boundaries[k].offset});
    page.boundaries.push_back(std::move(boundaries));
  }
  add_judged(page, std::move(shown));
  return page;
}

}  // namespace sonde::cli
