#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <sonde/callbacks.hpp>
#include <sonde/error.hpp>
#include <string_view>

namespace sonde {
namespace {

/// Words of a metric's name that say "more is better". Keras asks the metric object; a name is all
/// that the logs hold.
constexpr std::array<std::string_view, 12> growing = {
    "acc",     "accuracy",    "precision",   "recall", "auc",  "f1",
    "f1score", "sensitivity", "specificity", "iou",    "dice", "r2"};

/// "val_f1_score" holds the words val, f1 and score.
bool shall_grow(std::string_view name) {
  if (name.ends_with("loss")) return false;
  while (!name.empty()) {
    const std::string_view word = name.substr(0, name.find('_'));
    if (std::find(growing.begin(), growing.end(), word) != growing.end()) return true;
    name.remove_prefix(std::min(name.size(), word.size() + 1));
  }
  return false;
}

}  // namespace

double Monitor::value(const Training& training) const {
  const auto found = training.logs.find(name);
  if (found != training.logs.end()) return found->second;
  std::vector<std::string_view> known;
  for (const auto& entry : training.logs) known.push_back(entry.first);
  throw ArgumentError(fmt::format(
      "callback: monitor = \"{}\" is not among the values of an epoch. Known: {}.{}", name,
      fmt::join(known, ", "),
      name.starts_with("val_") ? " Values that begin with val_ need validation data." : ""));
}

bool Monitor::better(double current, double than) const {
  const bool grow = mode == Direction::max || (mode == Direction::automatic && shall_grow(name));
  return grow ? current - min_delta > than : current + min_delta < than;
}

bool Monitor::improves(double current) {
  if (best && !better(current, *best)) return false;
  best = current;
  return true;
}

}  // namespace sonde
