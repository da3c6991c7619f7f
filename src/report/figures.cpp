#include "report/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <sonde/error.hpp>

#include "base/file.hpp"
#include "report/plot.hpp"
#include "report/text.hpp"

namespace sonde::report {
namespace {

/// A name of strangers as part of a file's name.
std::string file_part(std::string_view name) {
  std::string part;
  for (const char c : name.substr(0, 60))
    part += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
  return part;
}

/// "loss", then the others, each once for training and validation.
std::vector<std::string> curve_names(const LearningCurves& learning) {
  std::vector<std::string> names;
  for (const auto& entry : learning.history) {
    const std::string& name = entry.first;
    const std::string base = name.starts_with("val_") ? name.substr(4) : name;
    if (std::find(names.begin(), names.end(), base) == names.end())
      names.insert(base == "loss" ? names.begin() : names.end(), base);
  }
  return names;
}

void add_learning(const Report& report, std::vector<Figure>& figures) {
  const LearningCurves& learning = report.learning;
  for (const std::string& base : curve_names(learning)) {
    Plot plot{.x_label = "epoch", .y_label = base};
    std::string head = "epoch";
    std::vector<const std::vector<double>*> columns;
    for (const std::string prefix : {"", "val_"}) {
      const auto found = learning.history.find(prefix + base);
      if (found == learning.history.end()) continue;
      PlotLine line{.name = prefix.empty() ? "training" : "validation",
                    .colour = prefix.empty() ? 1u : 2u};
      for (std::size_t i = 0; i < found->second.size() && i < learning.epoch.size(); ++i)
        line.points.emplace_back(static_cast<double>(learning.epoch[i]), found->second[i]);
      line.dots = line.points.size() == 1;
      plot.description +=
          fmt::format("{} {} ends at {} after {} epochs. ", line.name, base,
                      rounded(line.points.empty() ? std::nan("") : line.points.back().second, 4),
                      line.points.size());
      plot.lines.push_back(std::move(line));
      head += "," + csv(prefix + base);
      columns.push_back(&found->second);
    }
    std::string table = head + "\n";
    for (std::size_t i = 0; i < learning.epoch.size(); ++i) {
      table += fmt::format("{}", learning.epoch[i]);
      for (const auto* column : columns)
        table += "," + (i < column->size() ? csv((*column)[i]) : std::string());
      table += "\n";
    }
    figures.push_back(
        {"learning_" + file_part(base), base, "learning", svg_of(plot), std::move(table)});
  }
}

void add_confusion(const Report& report, std::vector<Figure>& figures) {
  if (!report.scores) return;
  Squares squares{.description = "Confusion matrix: labels down, predictions across."};
  std::string table = "label";
  const auto& confusion = report.scores->confusion;
  for (std::size_t i = 0; i < confusion.size(); ++i) {
    const auto sum =
        static_cast<double>(std::accumulate(confusion[i].begin(), confusion[i].end(), Index{0}));
    squares.names.push_back(class_name(report, i));
    table += "," + csv(squares.names.back());
    auto& shares = squares.shares.emplace_back();
    auto& texts = squares.texts.emplace_back();
    for (const Index count : confusion[i]) {
      shares.push_back(sum > 0 ? static_cast<double>(count) / sum : 0);
      texts.push_back(sum > 0 ? fmt::format("{:.1f} %", 100 * shares.back()) : "–");
    }
  }
  table += "\n";
  for (std::size_t i = 0; i < confusion.size(); ++i) {
    table += csv(squares.names[i]);
    for (const Index count : confusion[i]) table += fmt::format(",{}", count);
    table += "\n";
  }
  figures.push_back({"confusion", "Confusion matrix", "scores",
                     confusion.size() <= 24 ? svg_of(squares) : "", std::move(table)});
}

void add_curves(const Report& report, std::vector<Figure>& figures) {
  if (report.curves.empty()) return;
  Plot roc{.x_label = "false positive rate", .y_label = "true positive rate (recall)"};
  Plot precision{.x_label = "recall", .y_label = "precision"};
  roc.unit = precision.unit = roc.diagonal = true;
  std::string table = "class,threshold,recall,false_positive_rate,precision\n";
  // Of two classes the second one's curves say all.
  for (std::size_t k = report.curves.size() == 2 ? 1 : 0; k < report.curves.size(); ++k) {
    const ClassCurve& curve = report.curves[k];
    const std::string name = class_name(report, k);
    PlotLine left{.name = fmt::format("{}: area {}", name, rounded(curve.auc)), .colour = k};
    PlotLine right{
        .name = fmt::format("{}: average precision {}", name, rounded(curve.average_precision)),
        .colour = k};
    for (const CurvePoint& p : curve.points) {
      left.points.emplace_back(p.false_positive_rate, p.recall);
      right.points.emplace_back(p.recall, p.precision);
      table += fmt::format("{},{},{},{},{}\n", csv(name), csv(p.threshold), csv(p.recall),
                           csv(p.false_positive_rate), csv(p.precision));
    }
    roc.description += left.name + ". ";
    precision.description += right.name + ". ";
    if (report.scores && k < report.scores->confusion.size()) {
      const CurvePoint chosen = decision(*report.scores, k);
      roc.markers.push_back({chosen.false_positive_rate, chosen.recall, k});
      precision.markers.push_back({chosen.recall, chosen.precision, k});
    }
    roc.lines.push_back(std::move(left));
    precision.lines.push_back(std::move(right));
  }
  roc.description = "ROC curves. " + roc.description;
  precision.description = "Precision-recall curves. " + precision.description;
  figures.push_back({"roc", "ROC", "curves", svg_of(roc), table});
  figures.push_back(
      {"precision_recall", "Precision and recall", "curves", svg_of(precision), std::move(table)});
}

void add_calibration(const Report& report, std::vector<Figure>& figures) {
  if (!report.calibration) return;
  const CalibrationScores& scores = *report.calibration;
  Plot plot{.description = fmt::format(
                "Calibration: expected calibration error {}, Brier score {}, log loss {}.",
                rounded(scores.ece, 4), rounded(scores.brier, 4), rounded(scores.log_loss, 4)),
            .x_label = "probability of the predicted class",
            .y_label = "part that is right"};
  plot.unit = plot.diagonal = true;
  PlotLine line{.name = "", .points = {}, .dots = true};
  std::string table = "bin,low,high,steps,confidence,accuracy\n";
  const auto bins = static_cast<double>(scores.bins.size());
  for (std::size_t b = 0; b < scores.bins.size(); ++b) {
    const CalibrationBin& bin = scores.bins[b];
    if (bin.steps > 0) line.points.emplace_back(bin.confidence, bin.accuracy);
    plot.bars.push_back(
        scores.steps > 0 ? static_cast<double>(bin.steps) / static_cast<double>(scores.steps) : 0);
    table += fmt::format("{},{},{},{},{},{}\n", b, csv(static_cast<double>(b) / bins),
                         csv(static_cast<double>(b + 1) / bins), bin.steps, csv(bin.confidence),
                         csv(bin.accuracy));
  }
  plot.lines.push_back(std::move(line));
  figures.push_back({"calibration", "Calibration", "calibration", svg_of(plot), std::move(table)});
}

void add_groups(const Report& report, std::vector<Figure>& figures) {
  const GroupScores& groups = report.groups;
  if (groups.groups.empty()) return;
  Strip strip{.description = fmt::format("{} of each of {} groups, worst first.", groups.score,
                                         groups.groups.size()),
              .label = groups.score};
  strip.overall = groups.overall;
  if (groups.interval && groups.interval->low < groups.interval->high)
    strip.low = groups.interval->low, strip.high = groups.interval->high;
  std::vector<GroupScores::Group> sorted = groups.groups;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return (std::isnan(a.score) ? 2 : a.score) < (std::isnan(b.score) ? 2 : b.score);
  });
  std::string table = "group," + csv(groups.score) + ",steps\n";
  for (const auto& group : sorted) {
    strip.rows.push_back({group.name, group.score, counted(group.steps) + " steps"});
    table += fmt::format("{},{},{}\n", csv(group.name), csv(group.score), group.steps);
  }
  figures.push_back({"groups", "Each group by itself", "groups", svg_of(strip), std::move(table)});
}

void add_events(const Report& report, std::vector<Figure>& figures) {
  if (report.events.empty()) return;
  std::string table =
      "rule,class,marked,found,pairs,precision,recall,f1,false_alarms_per_hour,median_delay\n";
  for (const EventScores& each : report.events)
    for (const auto& row : each.rows) {
      const EventScore& s = row.second;
      const auto delay = s.median_delay();
      table +=
          fmt::format("{},{},{},{},{},{},{},{},{},{}\n", csv(each.rule.text()), csv(row.first),
                      s.marked, s.found, s.pairs, csv(s.precision()), csv(s.recall()), csv(s.f1()),
                      csv(s.false_alarms_per_hour()), delay ? csv(*delay) : std::string());
    }
  figures.push_back({"events", "Events", "events", "", std::move(table)});
}

}  // namespace

CurvePoint decision(const StepScores& scores, std::size_t k) {
  double row = 0, column = 0, all = 0;
  const auto& confusion = scores.confusion;
  for (std::size_t i = 0; i < confusion.size(); ++i)
    for (std::size_t j = 0; j < confusion.size(); ++j) {
      const auto count = static_cast<double>(confusion[i][j]);
      all += count;
      if (i == k) row += count;
      if (j == k) column += count;
    }
  const auto hits = static_cast<double>(confusion[k][k]);
  const double none = std::numeric_limits<double>::quiet_NaN();
  return {none, row > 0 ? hits / row : none, all > row ? (column - hits) / (all - row) : none,
          column > 0 ? hits / column : 1};
}

std::string class_name(const Report& report, std::size_t k) {
  return k < report.classes.size() && !report.classes[k].empty() ? report.classes[k]
                                                                 : fmt::format("class {}", k);
}

std::vector<Figure> figures_of(const Report& report) {
  std::vector<Figure> figures;
  add_confusion(report, figures);
  add_learning(report, figures);
  add_curves(report, figures);
  add_calibration(report, figures);
  add_groups(report, figures);
  add_events(report, figures);
  return figures;
}

}  // namespace sonde::report

namespace sonde {

std::vector<std::string> write_figures(const std::filesystem::path& folder, const Report& report) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const report::Figure& figure : report::figures_of(report)) {
    std::string name = figure.name;
    for (int copy = 2; !taken.insert(name).second; ++copy)
      name = fmt::format("{}_{}", figure.name, copy);
    if (!figure.svg.empty()) write_file_atomically(folder / (name + ".svg"), figure.svg + "\n");
    write_file_atomically(folder / (name + ".csv"), figure.csv);
    names.push_back(name);
  }
  return names;
}

}  // namespace sonde
