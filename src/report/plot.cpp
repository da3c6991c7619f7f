#include "report/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "report/text.hpp"

namespace sonde::report {
namespace {

constexpr std::array<std::string_view, 10> palette = {"#8b93a1", "#2f6fdb", "#d9541e", "#0f9d6b",
                                                      "#8e44c7", "#b98500", "#1697bd", "#c8327d",
                                                      "#75841c", "#8a5a3a"};

/// The place of class k in the palette: after the last colour the first loud one comes again.
std::size_t place(std::size_t k) { return k < palette.size() ? k : 1 + (k - 1) % 9; }

std::string begin(double width, double height, const std::string& description) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 {0:.6g} {1:.6g}\" "
      "width=\"{0:.6g}\" height=\"{1:.6g}\" role=\"img\" aria-label=\"{2}\" "
      "font-family=\"system-ui, sans-serif\" font-size=\"12\">",
      width, height, html(description));
}

std::string text(double x, double y, std::string_view what, std::string_view anchor = "start",
                 std::string_view more = "") {
  return fmt::format(
      "<text x=\"{:.6g}\" y=\"{:.6g}\" text-anchor=\"{}\" fill=\"#4a5160\"{}>{}</text>", x, y,
      anchor, more, html(what));
}

std::string rule(double x1, double y1, double x2, double y2, std::string_view kind) {
  return fmt::format(
      "<line x1=\"{:.6g}\" y1=\"{:.6g}\" x2=\"{:.6g}\" y2=\"{:.6g}\" class=\"{}\" "
      "stroke=\"{}\"/>",
      x1, y1, x2, y2, kind, kind == "grid" ? "#e3e6eb" : "#9aa1ad");
}

std::string tick_text(double value) {
  return fmt::format("{:.6g}", std::abs(value) < 1e-12 ? 0 : value);
}

/// Where numbers lie in the picture.
struct Frame {
  double left, top, width, height;
  double x0, x1, y0, y1;

  double x(double v) const { return left + (v - x0) / (x1 - x0) * width; }
  double y(double v) const { return top + height - (v - y0) / (y1 - y0) * height; }
};

/// The range of all finite numbers, a little wider; 0 to 1 where there are none.
std::pair<double, double> range(const Plot& plot, bool of_x) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const PlotLine& line : plot.lines)
    for (const auto& point : line.points) {
      const double v = of_x ? point.first : point.second;
      if (!std::isfinite(v)) continue;
      low = std::min(low, v);
      high = std::max(high, v);
    }
  if (!(low <= high)) return {0, 1};
  if (low == high) return {low - 0.5, high + 0.5};
  const double margin = of_x ? 0 : (high - low) * 0.06;
  return {low - margin, high + margin};
}

std::string drawn(const PlotLine& line, const Frame& frame) {
  std::string path, dots;
  bool pen = false;
  const std::string name = colour_class(line.colour), paint = colour(line.colour);
  for (const auto& point : line.points) {
    if (!std::isfinite(point.first) || !std::isfinite(point.second)) {
      pen = false;
      continue;
    }
    const double x = frame.x(point.first), y = frame.y(point.second);
    path += fmt::format("{}{:.5g} {:.5g}", pen ? 'L' : 'M', x, y);
    pen = true;
    if (line.dots)
      dots +=
          fmt::format("<circle cx=\"{:.5g}\" cy=\"{:.5g}\" r=\"3\" class=\"{} f\" fill=\"{}\"/>", x,
                      y, name, paint);
  }
  return fmt::format(
             "<path d=\"{}\" class=\"{} s\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\" "
             "stroke-linejoin=\"round\"{}/>",
             path, name, paint, line.dashed ? " stroke-dasharray=\"5 4\"" : "") +
         dots;
}

}  // namespace

std::string colour(std::size_t k) { return std::string(palette[place(k)]); }
std::string colour_class(std::size_t k) { return fmt::format("k{}", place(k)); }

std::vector<double> ticks(double low, double high, int count) {
  const double rough = (high - low) / count;
  if (!(rough > 0) || !std::isfinite(rough)) return {low};
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double part = rough / power;
  const double step = power * (part > 5 ? 10 : part > 2 ? 5 : part > 1 ? 2 : 1);
  std::vector<double> found;
  for (double v = std::ceil(low / step - 1e-9); v * step <= high + step * 1e-9; ++v)
    found.push_back(v * step);
  return found;
}

std::string svg_of(const Plot& plot) {
  const double legend =
      static_cast<double>(std::count_if(plot.lines.begin(), plot.lines.end(),
                                        [](const PlotLine& line) { return !line.name.empty(); })) *
      17;
  const auto [x0, x1] = plot.unit ? std::pair(0.0, 1.0) : range(plot, true);
  const auto [y0, y1] = plot.unit ? std::pair(0.0, 1.0) : range(plot, false);
  const Frame frame{54, 12, plot.width - 66, plot.height - 56, x0, x1, y0, y1};
  const double bottom = frame.top + frame.height, right = frame.left + frame.width;
  std::string out = begin(plot.width, plot.height + legend, plot.description);

  for (const double v : ticks(x0, x1, 6)) {
    out += rule(frame.x(v), frame.top, frame.x(v), bottom, "grid");
    out += text(frame.x(v), bottom + 16, tick_text(v), "middle");
  }
  for (const double v : ticks(y0, y1, 5)) {
    out += rule(frame.left, frame.y(v), right, frame.y(v), "grid");
    out += text(frame.left - 6, frame.y(v) + 4, tick_text(v), "end");
  }
  const double bins = static_cast<double>(plot.bars.size());
  for (std::size_t b = 0; b < plot.bars.size(); ++b) {
    const double tall = plot.bars[b] * frame.height;
    out += fmt::format(
        "<rect x=\"{:.5g}\" y=\"{:.5g}\" width=\"{:.5g}\" height=\"{:.5g}\" class=\"bar\" "
        "fill=\"#dfe5ee\"/>",
        frame.left + (static_cast<double>(b) + 0.1) / bins * frame.width, bottom - tall,
        0.8 / bins * frame.width, tall);
  }
  out += rule(frame.left, bottom, right, bottom, "axis");
  out += rule(frame.left, frame.top, frame.left, bottom, "axis");
  if (plot.diagonal) out += rule(frame.x(0), frame.y(0), frame.x(1), frame.y(1), "axis");
  for (const PlotLine& line : plot.lines) out += drawn(line, frame);
  for (const PlotMarker& marker : plot.markers)
    if (std::isfinite(marker.x) && std::isfinite(marker.y))
      out += fmt::format(
          "<circle cx=\"{:.5g}\" cy=\"{:.5g}\" r=\"5.5\" class=\"{} mark\" fill=\"{}\" "
          "stroke=\"#ffffff\" stroke-width=\"2\"/>",
          frame.x(marker.x), frame.y(marker.y), colour_class(marker.colour), colour(marker.colour));
  out += text((frame.left + right) / 2, plot.height - 8, plot.x_label, "middle");
  out += text(
      0, 0, plot.y_label, "middle",
      fmt::format(" transform=\"translate(13 {:.5g}) rotate(-90)\"", frame.top + frame.height / 2));
  double y = plot.height + 9;
  for (const PlotLine& line : plot.lines) {
    if (line.name.empty()) continue;
    out += fmt::format(
        "<line x1=\"{:.5g}\" y1=\"{:.5g}\" x2=\"{:.5g}\" y2=\"{:.5g}\" class=\"{} s\" "
        "stroke=\"{}\" "
        "stroke-width=\"2.5\"{}/>",
        frame.left, y - 4, frame.left + 20, y - 4, colour_class(line.colour), colour(line.colour),
        line.dashed ? " stroke-dasharray=\"5 4\"" : "");
    out += text(frame.left + 27, y, line.name);
    y += 17;
  }
  return out + "</svg>";
}

std::string svg_of(const Strip& strip) {
  double least = strip.overall;
  for (const Strip::Row& row : strip.rows)
    if (std::isfinite(row.value)) least = std::min(least, row.value);
  const double x0 = std::isfinite(least) ? std::clamp(std::floor(least * 10) / 10, 0.0, 0.9) : 0;
  const double row_height = 19, width = 720;
  const double height = static_cast<double>(strip.rows.size()) * row_height;
  const Frame frame{190, 26, width - 190 - 165, height, x0, 1, 0, 1};
  std::string out = begin(width, height + 66, strip.description);
  const double bottom = frame.top + height;
  if (strip.high > strip.low)
    out += fmt::format(
        "<rect x=\"{:.5g}\" y=\"{:.5g}\" width=\"{:.5g}\" height=\"{:.5g}\" class=\"band\" "
        "fill=\"#dbe6fa\"/>",
        frame.x(std::max(strip.low, x0)), frame.top,
        frame.x(strip.high) - frame.x(std::max(strip.low, x0)), height);
  for (const double v : ticks(x0, 1, 6)) {
    out += rule(frame.x(v), frame.top, frame.x(v), bottom, "grid");
    out += text(frame.x(v), bottom + 16, tick_text(v), "middle");
  }
  if (std::isfinite(strip.overall)) {
    const double x = frame.x(strip.overall);
    out += fmt::format(
        "<line x1=\"{0:.5g}\" y1=\"{1:.5g}\" x2=\"{0:.5g}\" y2=\"{2:.5g}\" class=\"k1 s\" "
        "stroke=\"{3}\" stroke-width=\"1.5\"/>",
        x, frame.top - 4, bottom, colour(1));
    out += text(x, frame.top - 9, fmt::format("all {}", rounded(strip.overall)), "middle");
  }
  for (std::size_t i = 0; i < strip.rows.size(); ++i) {
    const Strip::Row& row = strip.rows[i];
    const double y = frame.top + (static_cast<double>(i) + 0.5) * row_height;
    std::string name = clean(row.name);
    if (name.size() > 28) {
      name.resize(26);
      while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0xC0) == 0x80)
        name.pop_back();
      if (!name.empty() && static_cast<unsigned char>(name.back()) >= 0xC0) name.pop_back();
      name += "…";
    }
    out += text(frame.left - 10, y + 4, name, "end");
    out += text(frame.left + frame.width + 12, y + 4, rounded(row.value));
    out += text(width - 4, y + 4, row.detail, "end", " class=\"quiet\"");
    if (std::isfinite(row.value))
      out +=
          fmt::format("<circle cx=\"{:.5g}\" cy=\"{:.5g}\" r=\"4.5\" class=\"k1 f\" fill=\"{}\"/>",
                      frame.x(std::max(row.value, x0)), y, colour(1));
  }
  out += text(frame.left + frame.width / 2, bottom + 34, strip.label, "middle");
  return out + "</svg>";
}

std::string svg_of(const Squares& squares) {
  const double cell = 74, left = 120, top = 44;
  const auto n = static_cast<double>(squares.names.size());
  std::string out = begin(left + n * cell + 10, top + n * cell + 10, squares.description);
  out += text(left + n * cell / 2, 14, "predicted", "middle");
  for (std::size_t i = 0; i < squares.names.size(); ++i) {
    const double at = (static_cast<double>(i) + 0.5) * cell;
    out += text(left + at, top - 8, squares.names[i], "middle");
    out += text(left - 8, top + at + 4, squares.names[i], "end");
    for (std::size_t j = 0; j < squares.names.size(); ++j) {
      const double x = left + static_cast<double>(j) * cell;
      const double share = std::isfinite(squares.shares[i][j]) ? squares.shares[i][j] : 0;
      out += fmt::format(
          "<rect x=\"{:.5g}\" y=\"{:.5g}\" width=\"{}\" height=\"{}\" rx=\"3\" class=\"{} f\" "
          "fill=\"{}\" fill-opacity=\"{:.3f}\"/>",
          x + 1, top + at - cell / 2 + 1, cell - 2, cell - 2, i == j ? "k1" : "k2",
          colour(i == j ? 1 : 2), 0.06 + 0.74 * share);
      out += text(x + cell / 2, top + at + 4, squares.texts[i][j], "middle");
    }
  }
  return out + "</svg>";
}

}  // namespace sonde::report
