#pragma once
#include <sonde/report.hpp>
#include <string>
#include <vector>

#include "report/figures.hpp"
#include "report/viewer.hpp"

/// Parts of the page, as HTML. Each is empty where the report has nothing for it.
namespace sonde::report {

struct Section {
  std::string id;
  std::string title;
  std::string body;
};

std::vector<Section> sections_of(const Report& report, const std::vector<Figure>& figures,
                                 const Viewer& viewer);
/// The few numbers at the top.
std::string tiles(const Report& report);

}  // namespace sonde::report
