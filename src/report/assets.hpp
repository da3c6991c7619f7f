#pragma once
#include <string_view>

/// Files that are part of the program (cmake/sonde_embed.cmake).
namespace sonde::report::assets {

struct Asset {
  std::string_view text;
  std::string_view sha256;  ///< hexadecimal
};

extern const Asset dygraphs;  ///< empty where it was not there when this was built
extern const Asset report_css;
extern const Asset charts_js;
extern const Asset signals_js;
extern const Asset viewer_js;

}  // namespace sonde::report::assets
