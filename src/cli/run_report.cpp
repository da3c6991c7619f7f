#include "cli/run_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sonde/plot.hpp>

#include "cli/draw.hpp"

namespace sonde::cli {
namespace {

using Confusion = std::vector<std::vector<Index>>;  ///< [label][prediction]

/// The viewer holds at most so many recordings: with more, the worst and others evenly spread.
constexpr std::size_t most_viewed = 60;
constexpr std::size_t worst_viewed = 10;

Confusion confusion_of(const ShownRecording& each, std::size_t classes) {
  Confusion counts(classes, std::vector<Index>(classes));
  for (std::size_t i = 0; i < each.labels.size(); ++i)
    if (each.weights.empty() || each.weights[i] > 0)
      ++counts[static_cast<std::size_t>(each.labels[i])]
              [static_cast<std::size_t>(each.predicted[i])];
  return counts;
}

void add(Confusion& sum, const Confusion& more) {
  if (sum.empty()) sum.resize(more.size(), std::vector<Index>(more.size()));
  for (std::size_t i = 0; i < sum.size(); ++i)
    for (std::size_t j = 0; j < sum.size(); ++j) sum[i][j] += more[i][j];
}

Index total(const Confusion& counts) {
  Index sum = 0;
  for (const auto& row : counts)
    for (const Index count : row) sum += count;
  return sum;
}

/// Mean F1 of the classes that occur or were guessed, as StepScores has it; NaN without labels.
double macro_f1(const Confusion& counts) {
  double sum = 0, classes = 0;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    Index marked = 0, guessed = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) marked += counts[k][i], guessed += counts[i][k];
    if (marked + guessed == 0) continue;
    sum += 2 * static_cast<double>(counts[k][k]) / static_cast<double>(marked + guessed);
    ++classes;
  }
  return classes > 0 ? sum / classes : std::numeric_limits<double>::quiet_NaN();
}

/// "38 % of P taken for none": the mistake that takes the most labels.
std::string worst_mistake(const Report& report, const Confusion& counts) {
  std::size_t from = 0, to = 0;
  Index most = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    for (std::size_t j = 0; j < counts.size(); ++j)
      if (i != j && counts[i][j] > most) most = counts[i][j], from = i, to = j;
  if (most == 0) return {};
  Index marked = 0;
  for (const Index count : counts[from]) marked += count;
  return fmt::format("{:.0f} % of {} taken for {}",
                     100 * static_cast<double>(most) / static_cast<double>(marked),
                     report.classes[from], report.classes[to]);
}

void add_curves(Report& report, const std::vector<ShownRecording>& recordings) {
  std::vector<float> probabilities, labels;
  for (const ShownRecording& each : recordings) {
    const std::size_t width =
        each.labels.empty() ? 0 : each.probabilities.values().size() / each.labels.size();
    for (std::size_t i = 0; i < each.labels.size(); ++i) {
      if (width == 0 || (!each.weights.empty() && each.weights[i] == 0)) continue;
      const auto p = each.probabilities.values().subspan(i * width, width);
      probabilities.insert(probabilities.end(), p.begin(), p.end());
      labels.push_back(each.labels[i]);
    }
  }
  // Outputs of a linear layer are no probabilities.
  const bool usable = std::all_of(probabilities.begin(), probabilities.end(),
                                  [](float p) { return p >= 0 && p <= 1; });
  if (labels.empty() || probabilities.empty() || !usable) return;
  report.curves =
      class_curves(probabilities, labels, {}, static_cast<Index>(report.classes.size()));
  report.calibration = calibration(probabilities, labels);
  report.temperature = fit_temperature(probabilities, labels);
}

void add_groups(Report& report, const std::vector<ShownRecording>& recordings,
                const std::vector<Confusion>& counts) {
  std::map<std::string, Confusion> groups;
  Confusion all;
  for (std::size_t r = 0; r < recordings.size(); ++r) {
    if (!recordings[r].group.empty()) add(groups[recordings[r].group], counts[r]);
    add(all, counts[r]);
  }
  if (groups.empty()) return;
  report.groups.overall = macro_f1(all);
  std::vector<const Confusion*> each;
  for (const auto& [name, confusion] : groups) {
    report.groups.groups.push_back({name, macro_f1(confusion), total(confusion)});
    each.push_back(&confusion);
  }
  if (each.size() < 2) return;
  report.groups.interval =
      bootstrap(static_cast<Index>(each.size()), [&](std::span<const Index> drawn) {
        Confusion sum;
        for (const Index g : drawn) add(sum, *each[static_cast<std::size_t>(g)]);
        return macro_f1(sum);
      });
}

/// Which recordings the viewer holds, in their order.
std::vector<bool> viewed_ones(const Report& report) {
  const std::size_t count = report.recordings.size();
  std::vector<bool> viewed(count, count <= most_viewed);
  if (count <= most_viewed) return viewed;
  std::vector<std::size_t> order(count);
  for (std::size_t r = 0; r < count; ++r) order[r] = r;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const double left = report.recordings[a].score, right = report.recordings[b].score;
    return (std::isnan(left) ? 2 : left) < (std::isnan(right) ? 2 : right);
  });
  for (std::size_t i = 0; i < worst_viewed; ++i) viewed[order[i]] = true;
  for (std::size_t i = 0; i < most_viewed - worst_viewed; ++i)
    viewed[i * count / (most_viewed - worst_viewed)] = true;
  return viewed;
}

ViewedRecording viewed(ShownRecording each) {
  ViewedRecording view{.name = each.name, .frequency = each.frequency, .channels = each.channels};
  view.signal = std::move(each.signal);
  const Index steps = view.signal.shape()[0];
  const auto count = static_cast<Index>(each.labels.size());
  const Index width = count > 0 ? each.probabilities.size() / count : 0;
  if (count == 0 || steps == 0) return view;
  if (width > 0) view.probabilities = Array({steps, width});
  for (Index t = 0; t < steps; ++t) {
    const Index label = t * count / steps;
    const auto i = static_cast<std::size_t>(label);
    const bool known = each.weights.empty() || each.weights[i] > 0;
    view.labels.push_back(known ? static_cast<Index>(each.labels[i]) : 0);
    view.weights.push_back(known ? 1.0f : 0.0f);
    view.predicted.push_back(each.predicted[i]);
    std::copy_n(each.probabilities.data() + label * width, width,
                view.probabilities.data() + t * width);
  }
  return view;
}

nlohmann::ordered_json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  return nlohmann::ordered_json::parse(file, nullptr, false);
}

std::string text_of(const nlohmann::ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// A table of history.csv: "epoch,accuracy,…", then a line for each epoch.
LearningCurves read_history(const std::filesystem::path& path) {
  const auto cells = [](std::string line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.pop_back();
    std::vector<std::string> found(1);
    for (const char c : line) {
      if (c == ',') found.emplace_back();
      else found.back() += c;
    }
    return found;
  };
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return {};
  const std::vector<std::string> names = cells(line);
  LearningCurves curves;
  std::map<std::string, bool> seen;
  while (std::getline(file, line)) {
    const std::vector<std::string> row = cells(line);
    if (row.size() != names.size()) continue;
    curves.epoch.push_back(std::atol(row[0].c_str()) + 1);
    for (std::size_t c = 1; c < names.size(); ++c) {
      const bool there = row[c] != "NA";
      seen[names[c]] |= there;
      curves.history[names[c]].push_back(there ? std::strtod(row[c].c_str(), nullptr)
                                               : std::numeric_limits<double>::quiet_NaN());
    }
  }
  std::erase_if(curves.history, [&](const auto& entry) { return !seen[entry.first]; });
  return curves;
}

}  // namespace

void add_judged(Report& report, std::vector<ShownRecording> recordings,
                const std::function<Array(std::size_t i)>& signal_of) {
  add_curves(report, recordings);
  std::vector<Confusion> counts;
  for (const ShownRecording& each : recordings) {
    counts.push_back(confusion_of(each, report.classes.size()));
    report.recordings.push_back({each.name, each.group, macro_f1(counts.back()),
                                 total(counts.back()), worst_mistake(report, counts.back())});
  }
  add_groups(report, recordings, counts);
  const std::vector<bool> shown = viewed_ones(report);
  for (std::size_t r = 0; r < recordings.size(); ++r) {
    if (!shown[r]) continue;
    if (signal_of) recordings[r].signal = signal_of(r);
    report.recordings_to_view.push_back(viewed(std::move(recordings[r])));
  }
}

void add_run(Report& report, const std::filesystem::path& folder, const Model& model) {
  report.learning = read_history(folder / "history.csv");
  const auto metrics = read_json(folder / "metrics.json");
  if (metrics.is_object() && metrics.contains("best_epoch") &&
      metrics["best_epoch"].is_number_integer())
    report.learning.best_epoch = metrics["best_epoch"].get<Index>();
  const auto origin = read_json(folder / "provenance.json");
  for (const auto& [key, value] : origin.items()) {
    if (key != "files" || !value.is_object()) {
      report.provenance.emplace_back(key, text_of(value));
      continue;
    }
    for (const auto& [role, file] : value.items())
      if (file.is_object() && file.value("bytes", nlohmann::ordered_json()).is_number_unsigned())
        report.files.push_back({role, text_of(file.value("path", nlohmann::ordered_json())),
                                file["bytes"].get<std::uint64_t>(),
                                text_of(file.value("sha256", nlohmann::ordered_json()))});
  }
  for (const char* key : {"status", "reason", "monitor"})
    if (metrics.is_object() && metrics.contains(key))
      report.provenance.emplace_back(key, text_of(metrics[key]));
  report.model_summary = model.summary_text();
  try {
    report.model_graph =
        draw(to_dot(model, {.show_shapes = true, .show_layer_names = true, .dpi = 72}), "svg");
  } catch (const std::runtime_error&) {  // Graphviz is not installed: the summary says it too
  }
}

}  // namespace sonde::cli
