#pragma once
#include <string>
#include <utility>
#include <vector>

/// Pictures as SVG text. Colours stand in attributes, so that a file looks right in any program,
/// and as classes (k0, k1, …), so that a page may choose others.
namespace sonde::report {

/// The colour of class `k`; class 0 is the quiet one.
std::string colour(std::size_t k);
/// "k3": the same as a class.
std::string colour_class(std::size_t k);

struct PlotLine {
  std::string name = {};                               ///< in the legend
  std::vector<std::pair<double, double>> points = {};  ///< NaN breaks the line
  std::size_t colour = 1;
  bool dashed = false;
  bool dots = false;  ///< a dot at each point
};

struct PlotMarker {
  double x = 0, y = 0;
  std::size_t colour = 1;
};

struct Plot {
  std::string description = {};  ///< the text in the picture's place
  std::string x_label = {}, y_label = {};
  double width = 460, height = 320;
  bool unit = false;      ///< both axes from 0 to 1
  bool diagonal = false;  ///< from (0, 0) to (1, 1)
  std::vector<PlotLine> lines = {};
  std::vector<PlotMarker> markers = {};
  std::vector<double> bars = {};  ///< shares of a histogram of equal bins over x, drawn from below
};

std::string svg_of(const Plot& plot);

/// One dot for each row on an axis from `low` to 1, with a line and a band for all together.
struct Strip {
  struct Row {
    std::string name = {};
    double value = 0;
    std::string detail = {};  ///< at the right, beside the value
  };
  std::string description = {};
  std::string label = {};
  std::vector<Row> rows = {};
  double overall = 0;
  double low = 0, high = 0;  ///< the band; empty where low = high
};

std::string svg_of(const Strip& strip);

/// A table of shares as squares; rows are labels.
struct Squares {
  std::string description = {};
  std::vector<std::string> names = {};
  std::vector<std::vector<double>> shares = {};
  std::vector<std::vector<std::string>> texts = {};
};

std::string svg_of(const Squares& squares);

/// About `count` round numbers between `low` and `high`.
std::vector<double> ticks(double low, double high, int count);

}  // namespace sonde::report
