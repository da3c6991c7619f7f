#include <fmt/format.h>

#include <sonde/fields.hpp>
#include <sonde/words.hpp>

namespace sonde {

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& names) {
  const std::string near = nearest(word, names);
  return near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near);
}

std::string rate_text(double rate) { return fmt::format("{:.6g}", rate); }

std::string rate_text(double rate, double other) {
  return rate_text(rate) == rate_text(other) ? fmt::format("{}", rate) : rate_text(rate);
}

}  // namespace sonde
