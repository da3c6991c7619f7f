#include <fmt/format.h>

#include <sonde/error.hpp>
#include <sonde/report.hpp>

#include "base/file.hpp"
#include "report/assets.hpp"
#include "report/figures.hpp"
#include "report/sections.hpp"
#include "report/text.hpp"
#include "report/viewer.hpp"

namespace sonde::report {
namespace {

/// 'sha256-…', as a policy names a script or style that may run.
std::string allowed(const assets::Asset& asset) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < asset.sha256.size(); i += 2)
    bytes.push_back(
        static_cast<std::byte>(std::stoi(std::string(asset.sha256.substr(i, 2)), nullptr, 16)));
  return "'sha256-" + base64(bytes) + "'";
}

std::string script(const assets::Asset& asset) {
  return asset.text.empty() ? "" : fmt::format("<script>{}</script>\n", asset.text);
}

std::string numbers(const std::vector<double>& values) {
  std::string out = "[";
  for (std::size_t i = 0; i < values.size(); ++i) out += (i > 0 ? "," : "") + json(values[i]);
  return out + "]";
}

/// What the scripts draw from.
std::string data_of(const Report& report, const Viewer& viewer) {
  std::string classes, epochs, history, curves;
  for (std::size_t k = 0; k < report.classes.size(); ++k)
    classes += (k > 0 ? "," : "") + json(class_name(report, k));
  for (const Index epoch : report.learning.epoch)
    epochs += fmt::format("{}{}", epochs.empty() ? "" : ",", epoch);
  for (const auto& entry : report.learning.history)
    history += (history.empty() ? "" : ",") + json(entry.first) + ":" + numbers(entry.second);
  for (std::size_t k = 0; k < report.curves.size(); ++k) {
    const ClassCurve& curve = report.curves[k];
    std::string points;
    for (const CurvePoint& p : curve.points)
      points += (points.empty() ? "" : ",") +
                numbers({p.threshold, p.recall, p.false_positive_rate, p.precision});
    curves += fmt::format(
        "{}{{\"name\":{},\"auc\":{},\"average_precision\":{},\"chosen\":{},\"points\":[{}]}}",
        k > 0 ? ",\n" : "", json(class_name(report, k)), json(curve.auc),
        json(curve.average_precision),
        report.scores && k < report.scores->confusion.size()
            ? [&] {
                const CurvePoint c = decision(*report.scores, k);
                return numbers({c.recall, c.false_positive_rate, c.precision});
              }()
            : "null",
        points);
  }
  return fmt::format(
      "{{\"classes\":[{}],\n\"learning\":{{\"epoch\":[{}],\"history\":{{{}}}}},\n\"curves\":[{}],\n"
      "\"viewer\":{}}}",
      classes, epochs, history, curves, viewer.json);
}

void add(std::string& page, const std::vector<Store>& stores) {
  for (const Store& store : stores) {
    page += fmt::format("<script type=\"text/plain\" id=\"{}\">", store.id);
    page += store.base64;
    page += "</script>\n";
  }
}

void check(const Report& report) {
  for (const auto& entry : report.learning.history)
    if (entry.second.size() != report.learning.epoch.size())
      throw DataError(fmt::format("Report: {} values of {} for {} epochs.", entry.second.size(),
                                  clean(entry.first), report.learning.epoch.size()));
  if (report.scores) {
    const std::size_t classes = report.scores->confusion.size();
    for (const auto& row : report.scores->confusion)
      if (row.size() != classes)
        throw DataError(
            fmt::format("Report: a confusion matrix of {} by {}.", classes, row.size()));
    if (!report.classes.empty() && report.classes.size() != classes)
      throw DataError(
          fmt::format("Report: {} names for {} classes.", report.classes.size(), classes));
  }
}

}  // namespace
}  // namespace sonde::report

namespace sonde {

std::string report_html(const Report& report) {
  using namespace report;
  check(report);
  const Viewer viewer = viewer_of(report);
  const std::vector<Figure> figures = figures_of(report);
  const std::vector<Section> sections = sections_of(report, figures, viewer);

  // Nothing is fetched, and only the scripts and the style of this program run: what text of a file
  // might smuggle in does not.
  std::string scripts = allowed(assets::charts_js) + " " + allowed(assets::signals_js) + " " +
                        allowed(assets::viewer_js);
  if (!assets::dygraphs.text.empty()) scripts += " " + allowed(assets::dygraphs);
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src {}; "
      "style-src {}; img-src data:; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n",
      scripts, allowed(assets::report_css), html(report.title), assets::report_css.text);
  page += "<a class=\"skip\" href=\"#main\">To the content</a>\n<header><h1>" + html(report.title) +
          "</h1>";
  if (!report.subtitle.empty()) page += "<p>" + html(report.subtitle) + "</p>";
  page += "</header>\n<nav aria-label=\"Sections\"><ul>";
  for (const Section& section : sections)
    page += fmt::format("<li><a href=\"#{}\">{}</a></li>", section.id, html(section.title));
  page += "</ul></nav>\n<main id=\"main\">\n" + tiles(report);
  for (const Section& section : sections)
    page += fmt::format(
        "<section id=\"{0}\" aria-labelledby=\"{0}-title\">\n"
        "<h2 id=\"{0}-title\">{1}</h2>\n{2}\n</section>\n",
        section.id, html(section.title), section.body);
  page += "</main>\n<script type=\"application/json\" id=\"report-data\">" +
          data_of(report, viewer) + "</script>\n";
  // The viewer opens from the coarse levels while the browser still reads the fine ones.
  add(page, viewer.coarse);
  page += script(assets::signals_js) + script(assets::viewer_js) + script(assets::dygraphs) +
          script(assets::charts_js);
  add(page, viewer.fine);
  return page + "</body>\n</html>\n";
}

void write_report(const std::filesystem::path& path, const Report& report) {
  write_file_atomically(path, report_html(report));
}

}  // namespace sonde
