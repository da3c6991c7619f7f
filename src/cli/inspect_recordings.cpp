#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <sonde/words.hpp>

#include "cli/options.hpp"
#include "cli/recording_set.hpp"
#include "cli/recordings.hpp"
#include "cli/sha256.hpp"

namespace sonde::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Labels with more values than this are measured, not classes.
constexpr std::size_t most_classes = 256;

struct Sums {
  Index steps = 0, labelled = 0, missing = 0;
  double seconds = 0;
  std::map<float, Index> labels = {};
  std::map<float, Index> stretches = {};  ///< of one label, without a break
};

void add(const Recording& recording, Sums& sums) {
  const Index steps = recording.signal.shape()[0], channels = recording.signal.shape()[1];
  sums.steps += steps;
  sums.seconds += static_cast<double>(steps) / recording.frequency;
  bool is_going = false;
  for (Index t = 0; t < steps; ++t) {
    const float* row = recording.signal.data() + t * channels;
    sums.missing += std::any_of(row, row + channels, [](float v) { return !std::isfinite(v); });
    const bool counts = recording.weights.data()[t] != 0;
    if (counts) {
      const float label = recording.labels.data()[t];
      ++sums.labelled;
      if (sums.labels.size() <= most_classes) ++sums.labels[label];
      if (sums.labels.size() <= most_classes &&
          (!is_going || label != recording.labels.data()[t - 1]))
        ++sums.stretches[label];
    }
    is_going = counts;
  }
}

double share(Index part, Index whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

Json balance(const Sums& sums, const RecordingSet& set) {
  Json classes = Json::array();
  if (sums.labels.size() > most_classes) return classes;
  const auto add_class = [&](const std::string& name, float number) {
    const auto count = sums.labels.find(number);
    const Index steps = count == sums.labels.end() ? 0 : count->second;
    const auto stretches = sums.stretches.find(number);
    classes.push_back({{"class", name},
                       {"number", number},
                       {"steps", steps},
                       {"share", share(steps, sums.labelled)},
                       {"stretches", stretches == sums.stretches.end() ? 0 : stretches->second}});
  };
  for (std::size_t i = 0; i < set.classes.size(); ++i)
    add_class(set.classes[i], static_cast<float>(i));
  if (set.classes.empty())
    for (const auto& each : sums.labels) add_class(fmt::format("{}", each.first), each.first);
  return classes;
}

/// Paths as they are seen from the folder, each file once.
Json hashes(const RecordingSet& set, const std::vector<FoundRecording>& found) {
  std::set<std::filesystem::path> files;
  for (const FoundRecording& each : found) {
    files.insert(each.signals.begin(), each.signals.end());
    files.insert(each.labels.begin(), each.labels.end());
  }
  files.erase(std::filesystem::path());  // a recording without an optional file
  Json json = Json::object();
  const auto folder = std::filesystem::path(set.folder).lexically_normal();
  for (const auto& file : files)
    json[file.lexically_proximate(folder).generic_string()] = sha256_of_file(file.string());
  return json;
}

std::string text_of(const std::string& file, const Json& json) {
  const auto number = [](const Json& value) { return value.get<Index>(); };
  const auto in_brackets = [](const std::string& group) {
    return group.empty() ? group : " (" + group + ")";
  };
  std::string text =
      fmt::format("{}: {} recordings of {} groups, {} steps ({:.2f} h) of {} at {} Hz\n", file,
                  number(json["recordings"]), number(json["groups"]), number(json["steps"]),
                  json["hours"].get<double>(),
                  fmt::join(json["channels"].get<std::vector<std::string>>(), ", "),
                  rate_text(json["rate"].get<double>()));
  text += fmt::format("  {:.2f} % of the steps count; a channel is missing in {:.2f} %\n",
                      100 * json["labelled"].get<double>(), 100 * json["missing"].get<double>());
  for (const Json& each : json["classes"])
    text += fmt::format("  {:>20}: {:>10}  {:6.2f} %  in {} stretches\n",
                        each["class"].get<std::string>(), number(each["steps"]),
                        100 * each["share"].get<double>(), number(each["stretches"]));
  for (const Json& remark : json["remarks"])
    text += fmt::format("  {}\n", remark.get<std::string>());
  for (const Json& each : json["each"])
    text += fmt::format("  {}{}: {} steps, {:.2f} % count\n", each["name"].get<std::string>(),
                        in_brackets(each["group"].get<std::string>()), number(each["steps"]),
                        100 * each["labelled"].get<double>());
  return text;
}

}  // namespace

RecordingSet read_recording_set(const std::string& config_file, std::optional<Index>* ignored) {
  RecordingSet set;
  bool has_table = false;
  const Value::Dict config = read_toml(config_file);
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : config) {
    keys.push_back(key);
    if (key == "ignore_label" && ignored)
      from_value(value, fmt::format("{}: {}", config_file, key), *ignored);
    if (key == "recordings") {
      from_value(value, config_file + ": recordings", set);
      has_table = true;
    }
  }
  if (!has_table) {
    const std::string near = nearest("recordings", keys);
    throw ArgumentError(fmt::format(
        "{}: there is no table [recordings]{}. docs/recordings.md says how to write one.",
        config_file, near.empty() ? "" : fmt::format(", but \"{}\"", near)));
  }
  set.folder =
      (std::filesystem::path(config_file).parent_path() / set.folder).lexically_normal().string();
  return set;
}

Json inspect_recordings(const std::string& config_file, std::string& text) {
  std::optional<Index> ignored;
  const RecordingSet set = read_recording_set(config_file, &ignored);
  const auto found = find_recordings(set);
  const auto [recordings, classes, remarks] = load_recording_files(set, ignored);
  Sums sums;
  Json each_json = Json::array();
  std::set<std::string> groups;
  for (const Recording& each : recordings) {
    Sums own;
    add(each, own);
    add(each, sums);
    groups.insert(each.group.empty() ? each.name : each.group);
    each_json.push_back({{"name", each.name},
                         {"group", each.group},
                         {"steps", own.steps},
                         {"seconds", own.seconds},
                         {"channels", each.channels},
                         {"labelled", share(own.labelled, own.steps)},
                         {"missing", share(own.missing, own.steps)}});
  }
  Json json = {{"file", config_file},
               {"recordings", recordings.size()},
               {"groups", groups.size()},
               {"steps", sums.steps},
               {"hours", sums.seconds / 3600},
               {"rate", recordings[0].frequency},
               {"channels", recordings[0].channels},
               {"units", recordings[0].units},
               {"labelled_steps", sums.labelled},
               {"labelled", share(sums.labelled, sums.steps)},
               {"missing", share(sums.missing, sums.steps)},
               {"classes", balance(sums, set)},
               {"remarks", remarks},
               {"each", each_json}};
  text += text_of(config_file, json);
  json["files"] = hashes(set, found);
  return json;
}

}  // namespace sonde::cli
