#include "cli/recording_split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "cli/recordings.hpp"

namespace sonde::cli {
namespace {

using Json = nlohmann::ordered_json;

Json described(const std::vector<Recording>& part) {
  std::set<std::string> groups;
  Json names = Json::array();
  Index labelled = 0;
  for (const Recording& each : part) {
    groups.insert(group_of(each));
    names.push_back(each.name);
    labelled += labelled_steps(each);
  }
  return {{"groups", groups},
          {"recordings", names},
          {"labelled_steps", static_cast<double>(labelled)},
          {"sha256", sha256_of(part)}};
}

/// Groups that stand in more than one part, as with by = "recording" and "time".
std::vector<std::string> shared_groups(const Json& split) {
  std::map<std::string, int> parts;
  for (const auto& each : split)
    for (const auto& group : each["groups"]) ++parts[group.get<std::string>()];
  std::vector<std::string> shared;
  for (const auto& [group, count] : parts)
    if (count > 1) shared.push_back(group);
  return shared;
}

}  // namespace

Json described(const sonde::Parts& parts) {
  Json split;
  if (!parts.train.empty()) split["train"] = described(parts.train);
  if (!parts.validation.empty()) split["validation"] = described(parts.validation);
  if (!parts.test.empty()) split["test"] = described(parts.test);
  return split;
}

Json sources_of(const Json& split) {
  Json files = Json::object();
  for (const auto& [name, part] : split.items())
    files[name] = {{"path", name}, {"sha256", part["sha256"]}};
  return files;
}

std::vector<std::string> told(const Json& split) {
  std::vector<std::string> lines;
  for (const auto& [name, part] : split.items())
    lines.push_back(fmt::format("{:<12}{} recordings of {} groups, {} labelled steps, sha256 {}",
                                name + ":", part["recordings"].size(), part["groups"].size(),
                                part["labelled_steps"].get<double>(),
                                part["sha256"].get<std::string>().substr(0, 12)));
  if (const auto shared = shared_groups(split); !shared.empty())
    lines.push_back(
        fmt::format("warning: {} groups stand on more than one side, as by and validation_by "
                    "of [split] allow: {}{}. Scores say nothing about other groups.",
                    shared.size(), shared.front(), shared.size() > 1 ? ", …" : ""));
  return lines;
}

}  // namespace sonde::cli
