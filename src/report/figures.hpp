#pragma once
#include <sonde/report.hpp>
#include <string>
#include <vector>

/// The figures of a report, each as a picture and as the numbers in it.
namespace sonde::report {

struct Figure {
  std::string name;     ///< of its files, without ending
  std::string title;    ///< above it
  std::string section;  ///< of the page: "learning", "curves", …
  std::string svg;      ///< empty for a table without a picture
  std::string csv;
};

/// All that the report has numbers for, in the order of the page.
std::vector<Figure> figures_of(const Report& report);

/// Where the predicted labels lie on the curves of class k: from the confusion matrix.
CurvePoint decision(const StepScores& scores, std::size_t k);

/// "P"; "class 7" where the report has no name.
std::string class_name(const Report& report, std::size_t k);

}  // namespace sonde::report
