#include "formats/recordings/units.hpp"

#include <fmt/format.h>

#include <array>
#include <sonde/error.hpp>
#include <string_view>

#include "formats/printable.hpp"

namespace sonde::formats {
namespace {

struct Unit {
  std::string_view base;
  double factor = 1;
};

/// A prefix of the SI before a base that takes one. "m" alone is metres, "T" tesla.
Unit unit_of(std::string_view text) {
  static constexpr std::array<std::string_view, 12> bases = {"V",  "A",  "g", "T",  "s",   "m",
                                                             "Pa", "Hz", "W", "Hg", "bar", "Ohm"};
  static constexpr std::array<std::pair<std::string_view, double>, 9> prefixes = {
      {{"p", 1e-12},
       {"n", 1e-9},
       {"u", 1e-6},
       {"\xC2\xB5", 1e-6},  // the micro sign, and the Greek letter
       {"\xCE\xBC", 1e-6},
       {"\xB5", 1e-6},  // as Latin-1 has it
       {"m", 1e-3},
       {"k", 1e3},
       {"M", 1e6}}};
  for (const std::string_view base : bases)
    if (text == base) return {base};
  for (const auto& [prefix, factor] : prefixes)
    for (const std::string_view base : bases)
      if (text.starts_with(prefix) && text.substr(prefix.size()) == base) return {base, factor};
  return {text};
}

}  // namespace

void convert(Track& track, const std::string& unit, const std::string& where) {
  if (track.unit.empty() || track.unit == unit) return void(track.unit = unit);
  const Unit from = unit_of(track.unit), to = unit_of(unit);
  if (from.base != to.base)
    throw DataError(
        fmt::format("{} is in \"{}\", which is not converted to \"{}\". Say what the "
                    "files hold with units of [[recordings.signals]].",
                    where, printable(track.unit), printable(unit)));
  const double factor = from.factor / to.factor;
  for (float& value : track.values) value = static_cast<float>(static_cast<double>(value) * factor);
  track.unit = unit;
}

}  // namespace sonde::formats
