#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sonde/error.hpp>
#include <sonde/recipe.hpp>

namespace sonde {
namespace {

constexpr double fastest = 1e9;  // steps per second
constexpr std::size_t most_names = 65'536, longest_name = 256;

template <Spec S>
void read_part(const Value& value, const Where& where, S& out) {
  const auto* config = value.as<Value::Dict>();
  if (!config) refuse_value(where, "a table", value);
  out = from_config<S>(*config, where);
}

/// Names go to terminals, tables and headers of other programs.
void check_names(const std::vector<std::string>& names, const Where& where) {
  if (names.size() > most_names)
    throw ArgumentError(fmt::format("{} has {} names, more than the limit of {}.", where,
                                    names.size(), most_names));
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    const bool printable = std::none_of(name.begin(), name.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    if (name.empty() || name.size() > longest_name || !printable)
      throw ArgumentError(
          fmt::format("{}: name {} must have 1 to {} bytes, none of them a control character.",
                      where, seen.size(), longest_name));
    if (!seen.insert(name).second)
      throw ArgumentError(fmt::format("{}: \"{}\" is there twice.", where, name));
  }
}

void check_normalizer(const Normalizer& normalizer, const Where& where) {
  const auto& spread = normalizer.scale;
  const auto& center = normalizer.center;
  const bool usable =
      std::all_of(spread.begin(), spread.end(),
                  [](double s) { return s > 0 && std::isfinite(s); }) &&
      std::all_of(center.begin(), center.end(), [](double c) { return std::isfinite(c); });
  if (center.size() != spread.size() || !usable)
    throw ArgumentError(where + " must have a middle and a spread above 0 for each channel.");
  if (const double least = least_steps(normalizer.scaling);
      least > 0 && !(normalizer.steps >= least && std::isfinite(normalizer.steps)))
    throw ArgumentError(
        where + ": steps must be at least 1 for a running scale, and 2 for a detrended one.");
}

}  // namespace

std::string Recipe::name_of(Index label) const {
  return label >= 0 && label < static_cast<Index>(classes.size())
             ? classes[static_cast<std::size_t>(label)]
             : fmt::format("{}", label);
}

void check(const Recipe& r, const Where& where) {
  const auto refuse = [&](std::string_view what, std::string_view expected, auto got) {
    throw ArgumentError(fmt::format("{}: {} must be {}, got {}.", where, what, expected, got));
  };
  check_names(r.channels, where + ": channels");
  check_names(r.classes, where + ": classes");
  if (!(r.frequency >= 0 && r.frequency <= fastest))
    refuse("frequency", "at least 0 and at most 1e9 steps per second", r.frequency);
  if (r.combine_channels && !r.each_channel)
    throw ArgumentError(
        fmt::format("{}: combine_channels needs each_channel, a network of one channel.", where));
  if (r.normalizer) check_normalizer(*r.normalizer, where + ": normalizer");
  if (r.windows && r.windows->length < 1)
    refuse("windows: length", "at least 1", r.windows->length);
  if (r.windows && (r.windows->hop < 1 || r.windows->hop > r.windows->length))
    refuse("windows: hop", "from 1 to the length", r.windows->hop);
  if (!(r.temperature > 0 && std::isfinite(r.temperature)))
    refuse("temperature", "above 0", r.temperature);
  check(r.post_processing, where + ": post_processing");
  const auto classes = static_cast<Index>(r.classes.size());
  if (r.background < 0 || (classes > 0 && r.background >= classes))
    refuse("background", "the number of a class", r.background);
  const auto& factors = r.post_processing.class_factors;
  if (classes > 0 && !factors.empty() && static_cast<Index>(factors.size()) != classes)
    refuse("post_processing: class_factors",
           fmt::format("one number for each of {} classes", classes), factors.size());
}

Value to_extra(const Recipe& recipe) {
  const Value::Dict usual = to_config(Recipe{}), config = to_config(recipe);
  Value extra;
  for (std::size_t i = 0; i < config.size(); ++i)
    if (!(config[i].second == usual[i].second)) extra.set(config[i].first, config[i].second);
  return extra;
}

Recipe recipe_of(const Value& extra, const Where& where) {
  Recipe recipe;
  if (extra.is_null()) return recipe;
  try {
    read_part(extra, where, recipe);
    check(recipe, where);
  } catch (const ArgumentError& error) {
    throw FormatError(error.what());
  }
  return recipe;
}

Value to_value(const Normalizer& normalizer) { return to_config(normalizer); }
Value to_value(const PredictionWindows& windows) { return to_config(windows); }
Value to_value(const PostProcessing& processing) { return to_config(processing); }
void from_value(const Value& value, const Where& where, Normalizer& out) {
  read_part(value, where, out);
}
void from_value(const Value& value, const Where& where, PredictionWindows& out) {
  read_part(value, where, out);
}
void from_value(const Value& value, const Where& where, PostProcessing& out) {
  read_part(value, where, out);
}

}  // namespace sonde
