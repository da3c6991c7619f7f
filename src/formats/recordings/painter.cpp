#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "formats/printable.hpp"
#include "formats/recordings/labels.hpp"

namespace sonde::formats {
namespace {

constexpr float unknown = std::numeric_limits<float>::quiet_NaN();
constexpr double slack = 1e-6;  ///< of a step: what times lose when they are written as decimals

bool holds(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<float> class_number(const RecordingSet& set, std::string_view text) {
  const auto found = std::find(set.classes.begin(), set.classes.end(), text);
  if (found != set.classes.end()) return static_cast<float>(found - set.classes.begin());
  std::optional<double> number = number_of(text);
  if (!number && (text == "True" || text == "true")) number = 1;
  if (!number && (text == "False" || text == "false")) number = 0;
  if (!number) return std::nullopt;
  if (set.classes.empty()) return static_cast<float>(*number);
  if (*number < 0 || *number >= static_cast<double>(set.classes.size()) ||
      *number != std::floor(*number))
    return std::nullopt;
  return static_cast<float>(*number);
}

ClassReader::ClassReader(const RecordingSet& set, const LabelFiles& how, const std::string& where)
    : set_(set), how_(how) {
  const auto check = [&](const std::string& place, const std::string& name) {
    if (name.empty() || class_number(set, name)) return;
    if (set.classes.empty())
      throw ArgumentError(
          fmt::format("{}: \"{}\" is no number, and there are no classes. Add "
                      "classes = [\"none\", …] to [recordings].",
                      place, name));
    refuse_name(place, name, {set.classes.begin(), set.classes.end()});
  };
  for (const auto& [text, name] : how.map) check(fmt::format("{}: map: {}", where, text), name);
  check(where + ": label", how.label);
  check("recordings: background", set.background);
}

std::optional<ClassReader::Meaning> ClassReader::meaning_of(std::string_view text,
                                                            std::string& refusal) const {
  if (holds(how_.unlabelled, text)) return Meaning{Kind::unlabelled, unknown};
  if (holds(how_.ignore, text)) return Meaning{Kind::ignored, unknown};
  const auto mapped = how_.map.find(std::string(text));
  if (mapped != how_.map.end())
    return Meaning{Kind::class_number, *class_number(set_, mapped->second)};
  if (const auto number = class_number(set_, text)) return Meaning{Kind::class_number, *number};
  const std::string shown = printable(text);
  std::string near;
  if (!set_.classes.empty()) near = nearest(text, {set_.classes.begin(), set_.classes.end()});
  refusal = fmt::format(
      "the label \"{}\" is {}{}. Say what it means: map = {{\"{}\" = \"CLASS\"}}, unlabelled = "
      "[\"{}\"] where nobody knows, ignore = [\"{}\"] where it is no label.",
      shown, set_.classes.empty() ? "no number" : "no class",
      near.empty() ? "" : fmt::format("; the nearest is \"{}\"", printable(near)), shown, shown,
      shown);
  return std::nullopt;
}

Painter::Painter(const Grid& grid, std::string recording)
    : grid_(grid),
      recording_(std::move(recording)),
      labels_(static_cast<std::size_t>(grid.steps), unknown),
      is_marked_(static_cast<std::size_t>(grid.steps)) {}

void Painter::set(Index step, float label, const LabelFiles& how, const std::string& place) {
  const auto at = static_cast<std::size_t>(step);
  if (is_marked_[at]) {
    const bool same = labels_[at] == label || (std::isnan(labels_[at]) && std::isnan(label));
    if (same || how.overlap == Overlap::first) return;
    if (how.overlap == Overlap::refused)
      throw DataError(fmt::format(
          "{}: recording \"{}\": step {} ({:.6g} s) has another label already. Mend the marks, or "
          "say which counts: overlap = \"first\" or \"last\".",
          place, recording_, step, static_cast<double>(step) / grid_.rate));
  }
  labels_[at] = label;
  is_marked_[at] = true;
}

void Painter::paint(const Interval& interval, const LabelFiles& how) {
  if (interval.meaning.kind == ClassReader::Kind::ignored) return;
  // Samples reach half a sample to both sides: steps take the nearest one.
  const double half = interval.is_samples ? 0.5 : 0;
  const double per_second = interval.is_samples ? interval.frequency : 1;
  const auto step_at = [&](double time) {
    return ((time - half) / per_second + grid_.zero - grid_.start) * grid_.rate;
  };
  const double from = std::ceil(step_at(interval.from) - slack);
  const double to = std::ceil(step_at(interval.to) - slack);
  const double tolerance = grid_.rate == grid_.native ? 0 : 1;
  const auto steps = static_cast<double>(grid_.steps);
  if (how.outside == Outside::refused && (from < -tolerance || to > steps + tolerance))
    throw DataError(fmt::format(
        "{}: the label from {:.9g} to {:.9g}{} is outside the signal of recording \"{}\", which "
        "has {} steps from {:.9g} to {:.9g} s. Check unit and first, or say outside = \"clipped\".",
        interval.place, interval.from, interval.to, interval.is_samples ? " (samples)" : " s",
        recording_, grid_.steps, grid_.start - grid_.zero,
        grid_.start - grid_.zero + steps / grid_.rate));
  const auto first = static_cast<Index>(std::clamp(from, 0.0, steps));
  const auto end = static_cast<Index>(std::clamp(to, 0.0, steps));
  for (Index j = first; j < end; ++j) set(j, interval.meaning.number, how, interval.place);
  // What is shorter than a step still happened, if nothing else did there.
  if (from == to && from > 0 && from <= steps) {
    const Index at = static_cast<Index>(from) - 1;
    if (!is_marked_[static_cast<std::size_t>(at)])
      set(at, interval.meaning.number, how, interval.place);
  }
}

void Painter::finish(std::optional<float> background, Array& labels, Array& weights) {
  labels = Array({grid_.steps, 1});
  weights = Array({grid_.steps});
  for (Index j = 0; j < grid_.steps; ++j) {
    const auto at = static_cast<std::size_t>(j);
    const float label = is_marked_[at] ? labels_[at] : background.value_or(unknown);
    if (std::isnan(label)) continue;
    labels.data()[j] = label;
    weights.data()[j] = 1;
  }
}

}  // namespace sonde::formats
