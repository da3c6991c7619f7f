#include "report/sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/file.hpp"
#include "report/plot.hpp"
#include "report/text.hpp"

namespace sonde::report {
namespace {

/// A table whose rows are made cell by cell. Texts are escaped by whoever makes the cells.
class HtmlTable {
 public:
  explicit HtmlTable(const std::vector<std::string>& heads, std::string_view kind = "") {
    out_ = fmt::format("<div class=\"wide\"><table class=\"{}\"><thead><tr>", kind);
    for (const std::string& head : heads) out_ += "<th scope=\"col\">" + html(head) + "</th>";
    out_ += "</tr></thead><tbody>";
  }
  void row(const std::string& name, const std::vector<std::string>& cells) {
    out_ += "<tr><th scope=\"row\">" + html(name) + "</th>";
    for (const std::string& cell : cells)
      out_ += cell.starts_with("<td") ? cell : "<td>" + cell + "</td>";
    out_ += "</tr>";
  }
  std::string done() const { return out_ + "</tbody></table></div>"; }

 private:
  std::string out_;
};

std::string words(const std::string& text) { return "<td class=\"words\">" + html(text) + "</td>"; }

std::string swatch(std::size_t k) {
  return fmt::format("<i class=\"swatch {}\" aria-hidden=\"true\"></i>", colour_class(k));
}

/// The figures of a section side by side; `chart` names what charts.js may put in their place.
std::string pictures(const std::vector<Figure>& figures, const std::string& section) {
  std::string out;
  for (const Figure& figure : figures)
    if (figure.section == section && !figure.svg.empty())
      out += fmt::format(
          "<figure data-chart=\"{}\" data-name=\"{}\"><figcaption>{}</figcaption>"
          "<div class=\"still\">{}</div></figure>",
          html(section == "learning" ? "learning" : figure.name), html(figure.title),
          html(figure.title), figure.svg);
  return out.empty() ? out : "<div class=\"figures\">" + out + "</div>";
}

std::string confusion(const Report& report) {
  const auto& counts = report.scores->confusion;
  std::vector<std::string> heads = {"label ↓  predicted →"};
  for (std::size_t k = 0; k < counts.size(); ++k) heads.push_back(class_name(report, k));
  heads.emplace_back("steps");
  HtmlTable table(heads, "confusion");
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const Index sum = std::accumulate(counts[i].begin(), counts[i].end(), Index{0});
    std::vector<std::string> cells;
    for (std::size_t j = 0; j < counts.size(); ++j) {
      const double share =
          sum > 0 ? static_cast<double>(counts[i][j]) / static_cast<double>(sum) : 0;
      cells.push_back(
          fmt::format("<td class=\"{}{}\"><b>{}</b><small>{}</small></td>",
                      i == j ? "right" : "wrong", static_cast<int>(std::ceil(share * 10 - 1e-12)),
                      sum > 0 ? fmt::format("{:.1f} %", 100 * share) : "–", counted(counts[i][j])));
    }
    cells.push_back(counted(sum));
    table.row(class_name(report, i), cells);
  }
  return table.done();
}

std::string scores(const Report& report) {
  if (!report.scores) return {};
  const StepScores& s = *report.scores;
  HtmlTable table({"class", "share", "precision", "recall", "F1", "AUC"});
  for (std::size_t k = 0; k < s.classes.size(); ++k) {
    const StepClass& c = s.classes[k];
    table.row(class_name(report, k), {rounded(c.share), rounded(c.precision), rounded(c.recall),
                                      rounded(c.f1), rounded(c.auc)});
  }
  return fmt::format(
             "<p>{} labelled steps were judged, each once; steps without a label count nowhere. "
             "Always guessing the commonest class would be right in {:.1f}&nbsp;% of them, this "
             "network is in {:.1f}&nbsp;%.</p>",
             counted(s.steps), 100 * s.prevalence, 100 * s.accuracy) +
         table.done() +
         "<h3>Confusion matrix</h3><p>Of the steps of each label, the part that was given each "
         "class.</p>" +
         confusion(report);
}

std::string learning(const Report& report, const std::vector<Figure>& figures) {
  std::string out = pictures(figures, "learning");
  if (!out.empty() && report.learning.best_epoch)
    out =
        fmt::format("<p>The weights of epoch {} were kept.</p>", *report.learning.best_epoch) + out;
  return out;
}

std::string curves(const Report& report, const std::vector<Figure>& figures) {
  const std::string shown = pictures(figures, "curves");
  if (shown.empty()) return {};
  std::string rule = "the most likely class of each step, with its post-processing";
  if (!report.thresholds.empty()) {
    rule = "the chosen threshold";
    const char* before = ":";
    for (std::size_t k = 0; k < report.thresholds.size(); ++k) {
      if (std::isnan(report.thresholds[k])) continue;
      rule +=
          fmt::format("{} {} for {}", before, rounded(report.thresholds[k]), class_name(report, k));
      before = ",";
    }
  }
  return "<p>Each class against all others, over every threshold. The large dots are what the "
         "predicted labels reach: " +
         html(rule) + ".</p>" + shown;
}

std::string calibration_section(const Report& report, const std::vector<Figure>& figures) {
  if (!report.calibration) return {};
  const CalibrationScores& c = *report.calibration;
  std::string out = fmt::format(
      "<p>Where the dots lie on the diagonal, a probability of 0.8 is right in 80&nbsp;% of the "
      "steps; below it the network is too sure. Bars: the part of all steps. Expected calibration "
      "error <b>{}</b>, Brier score <b>{}</b> (0 best, 2 worst), log loss <b>{}</b>.",
      rounded(c.ece, 4), rounded(c.brier, 4), rounded(c.log_loss, 4));
  if (report.temperature)
    out += fmt::format(" Best temperature: <b>{}</b>.", rounded(*report.temperature));
  return out + "</p>" + pictures(figures, "calibration");
}

std::string groups(const Report& report, const std::vector<Figure>& figures) {
  const GroupScores& g = report.groups;
  if (g.groups.empty()) return {};
  std::string out = fmt::format("<p>{} over all: <b>{}</b>", html(g.score), rounded(g.overall));
  if (g.interval)
    out += fmt::format(
        ", between {} and {} were other groups drawn (bootstrap over {} groups; the band)",
        rounded(g.interval->low), rounded(g.interval->high), g.groups.size());
  return out + ".</p>" + pictures(figures, "groups");
}

std::string worst(const Report& report) {
  if (report.recordings.empty()) return {};
  std::vector<ReportedRecording> sorted = report.recordings;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return (std::isnan(a.score) ? 2 : a.score) < (std::isnan(b.score) ? 2 : b.score);
  });
  if (sorted.size() > 10) sorted.resize(10);
  HtmlTable table({"recording", "group", report.groups.score, "steps", "what goes wrong", ""});
  for (const ReportedRecording& each : sorted) {
    std::string button;
    for (std::size_t v = 0; v < report.recordings_to_view.size(); ++v)
      if (report.recordings_to_view[v].name == each.name)
        button = fmt::format(
            "<button type=\"button\" data-view=\"{}\" aria-label=\"Show {} in the viewer\">"
            "Show</button>",
            v, html(each.name));
    table.row(each.name, {words(each.group), rounded(each.score), counted(each.steps),
                          words(each.comment), button});
  }
  return table.done();
}

std::string events(const Report& report) {
  std::string out;
  for (const EventScores& each : report.events) {
    out += "<h3>" + html(each.rule.text()) +
           "</h3><p>A found event counts where it meets a marked one of its class by this rule; "
           "each is part of one pair at most.</p>";
    HtmlTable table({"class", "marked", "found", "pairs", "precision", "recall", "F1",
                     "false alarms per hour", "median delay"});
    for (const auto& row : each.rows) {
      const EventScore& s = row.second;
      const auto delay = s.median_delay();
      table.row(row.first,
                {counted(s.marked), counted(s.found), counted(s.pairs), rounded(s.precision()),
                 rounded(s.recall()), rounded(s.f1()), rounded(s.false_alarms_per_hour(), 2),
                 delay ? fmt::format("{:.0f} ms", *delay * 1000) : "–"});
    }
    out += table.done();
  }
  for (const BoundaryScores& each : report.boundaries) {
    out += fmt::format("<h3>Onsets and offsets within {:.0f} ms</h3>", each.tolerance * 1000);
    HtmlTable table({"class", "onsets marked", "precision", "recall", "F1", "offsets marked",
                     "precision", "recall", "F1"});
    for (const auto& row : each.rows)
      table.row(row.name, {counted(row.onset.marked), rounded(row.onset.precision()),
                           rounded(row.onset.recall()), rounded(row.onset.f1()),
                           counted(row.offset.marked), rounded(row.offset.precision()),
                           rounded(row.offset.recall()), rounded(row.offset.f1())});
    out += table.done();
  }
  return out;
}

std::string viewer_section(const Report& report, const Viewer& viewer) {
  if (report.recordings_to_view.empty()) return {};
  std::string legend, notes, options;
  for (std::size_t k = 0; k < report.classes.size(); ++k)
    legend += "<li>" + swatch(k) + html(class_name(report, k)) + "</li>";
  for (const std::string& note : viewer.notes) notes += "<p class=\"quiet\">" + note + "</p>";
  for (std::size_t r = 0; r < report.recordings_to_view.size(); ++r)
    options +=
        fmt::format("<option value=\"{}\">{}</option>", r, html(report.recordings_to_view[r].name));
  return fmt::format(
      "<noscript><p>The viewer needs scripts, which are part of this file.</p></noscript>"
      "<div id=\"viewer\" class=\"viewer\"><div class=\"bar\">"
      "<label>Recording <select id=\"v-recording\">{}</select></label>"
      "<span class=\"buttons\">"
      "<button type=\"button\" data-do=\"left\" aria-label=\"Earlier\">◀</button>"
      "<button type=\"button\" data-do=\"right\" aria-label=\"Later\">▶</button>"
      "<button type=\"button\" data-do=\"in\" aria-label=\"Zoom in\">+</button>"
      "<button type=\"button\" data-do=\"out\" aria-label=\"Zoom out\">−</button>"
      "<button type=\"button\" data-do=\"all\">All</button></span>"
      "<span class=\"buttons\">"
      "<button type=\"button\" data-do=\"previous\" aria-label=\"Previous disagreement\">"
      "‹ disagreement</button>"
      "<button type=\"button\" data-do=\"next\" aria-label=\"Next disagreement\">"
      "disagreement ›</button></span>"
      "<label><input type=\"checkbox\" id=\"v-fixed\"> same scale everywhere</label></div>"
      "<canvas id=\"v-canvas\" tabindex=\"0\" role=\"application\" "
      "aria-label=\"Signal with labels\" aria-describedby=\"v-keys v-text\"></canvas>"
      "<canvas id=\"v-overview\" role=\"img\" aria-label=\"The whole recording; the frame is what "
      "is shown above\"></canvas>"
      "<p id=\"v-readout\" class=\"readout\"></p><ul class=\"legend\">{}</ul>"
      "<p id=\"v-text\" class=\"quiet\" aria-live=\"polite\"></p>"
      "<p id=\"v-keys\" class=\"quiet\">Drag to scroll; Ctrl and the wheel, or the wheel after a "
      "click, to zoom. Keys: ← → scroll, + − zoom, Home and End, 0 shows all, N and P go to the "
      "next and previous disagreement.</p>{}</div>",
      options, legend, notes);
}

std::string model(const Report& report) {
  std::string out;
  if (!report.model_graph.empty())
    // As an image, a stranger's SVG can neither run nor fetch anything.
    out += "<img class=\"graph\" alt=\"Graph of the model\" src=\"data:image/svg+xml;base64," +
           base64(bytes_of(report.model_graph)) + "\">";
  if (!report.model_summary.empty())
    out += "<pre tabindex=\"0\">" + html(report.model_summary) + "</pre>";
  return out;
}

std::string data(const Report& report) {
  std::string out;
  if (!report.parts.empty()) {
    HtmlTable table({"part", "groups", "recordings", "duration", "labelled steps", "who"});
    for (const DataPart& part : report.parts) {
      std::string who;
      for (const std::string& group : part.groups) who += (who.empty() ? "" : ", ") + group;
      table.row(part.name,
                {part.groups.empty() ? "–" : counted(static_cast<Index>(part.groups.size())),
                 counted(part.recordings), part.seconds > 0 ? duration(part.seconds) : "–",
                 counted(part.labelled_steps), words(who)});
    }
    out += table.done();
  }
  if (!report.files.empty()) {
    HtmlTable table({"file", "path", "bytes", "SHA-256"});
    for (const DataFile& file : report.files)
      table.row(file.role, {words(file.path), counted(static_cast<Index>(file.bytes)),
                            "<td class=\"hash\">" + html(file.sha256) + "</td>"});
    out += table.done();
  }
  return out;
}

std::string provenance(const Report& report) {
  if (report.provenance.empty()) return {};
  std::string out = "<dl>";
  for (const auto& fact : report.provenance)
    out += "<dt>" + html(fact.first) + "</dt><dd>" + html(fact.second) + "</dd>";
  return out + "</dl>";
}

}  // namespace

std::string tiles(const Report& report) {
  std::string out;
  const auto tile = [&](const std::string& name, const std::string& value,
                        const std::string& below) {
    out += fmt::format("<div class=\"tile\"><span>{}</span><b>{}</b><small>{}</small></div>",
                       html(name), value, html(below));
  };
  if (report.scores) {
    const StepScores& s = *report.scores;
    std::string range;
    if (report.groups.interval && report.groups.score == "macro F1")
      range = fmt::format("{} to {} over {} groups", rounded(report.groups.interval->low),
                          rounded(report.groups.interval->high), report.groups.groups.size());
    tile("macro F1", rounded(s.macro_f1), range);
    tile("balanced accuracy", rounded(s.balanced_accuracy), "mean recall of the classes");
    tile("accuracy", rounded(s.accuracy), "guessing one class: " + rounded(s.prevalence));
    tile("macro AUC", rounded(s.macro_auc), "");
  }
  if (!report.events.empty() && !report.events[0].rows.empty()) {
    EventScore total;
    for (const auto& row : report.events[0].rows) {
      total.marked += row.second.marked;
      total.found += row.second.found;
      total.pairs += row.second.pairs;
    }
    tile("event F1", rounded(total.f1()), report.events[0].rule.text());
  }
  if (report.calibration) tile("calibration error", rounded(report.calibration->ece), "0 is best");
  return out.empty() ? out : "<div class=\"tiles\">" + out + "</div>";
}

std::vector<Section> sections_of(const Report& report, const std::vector<Figure>& figures,
                                 const Viewer& viewer) {
  std::vector<Section> all = {
      {"scores", "Scores of steps", scores(report)},
      {"view", "Signals and labels", viewer_section(report, viewer)},
      {"events", "Events", events(report)},
      {"groups", "Each group by itself", groups(report, figures)},
      {"worst", "Worst recordings", worst(report)},
      {"curves", "ROC, precision and recall", curves(report, figures)},
      {"calibration", "Calibration", calibration_section(report, figures)},
      {"learning", "Learning curves", learning(report, figures)},
      {"model", "Model", model(report)},
      {"data", "Data", data(report)},
      {"provenance", "Provenance", provenance(report)},
  };
  std::erase_if(all, [](const Section& section) { return section.body.empty(); });
  return all;
}

}  // namespace sonde::report
