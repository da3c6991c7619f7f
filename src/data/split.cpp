#include <fmt/format.h>

#include <cmath>
#include <set>
#include <sonde/recordings.hpp>
#include <sonde/words.hpp>
#include "base/file.hpp"

namespace sonde {

Split load_split(const std::filesystem::path& path) {
  // A name and a word per recording: megabytes are no split.
  const auto bytes = read_file(path, 1 << 24);
  std::string_view text = text_of(bytes);
  const std::string where = fmt::format("\"{}\"", path.string());
  Split split;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    const auto refuse = [&](const std::string& what) {
      throw DataError(fmt::format("{}, line {}: {}.", where, number, what));
    };
    if (number == 1) {
      if (line != "record,part") refuse("expected the header \"record,part\"");
      continue;
    }
    const std::size_t comma = line.find(',');
    if (comma == 0 || comma == line.npos)
      refuse("expected a recording's name, a comma and its part");
    const std::string name(line.substr(0, comma)), part(line.substr(comma + 1));
    if (part != "train" && part != "validation" && part != "test")
      refuse(fmt::format("expected train, validation or test, got \"{}\"", part));
    if (!split.emplace(name, part).second) refuse(fmt::format("\"{}\" stands there twice", name));
  }
  return split;
}

Parts divide(std::vector<Recording> recordings, const Split& split) {
  std::set<std::string> names;
  Parts parts;
  for (Recording& recording : recordings) {
    const auto found = split.find(recording.name);
    if (found == split.end())
      throw DataError(
          fmt::format("split: recording \"{}\" has no part. Add a line for it.", recording.name));
    if (!names.insert(recording.name).second)
      throw DataError(fmt::format("split: two recordings have the name \"{}\".", recording.name));
    auto& part = found->second == "train"        ? parts.train
                 : found->second == "validation" ? parts.validation
                                                 : parts.test;
    part.push_back(std::move(recording));
  }
  for (const auto& entry : split)
    if (!names.count(entry.first))
      throw DataError(fmt::format("split: there is no recording \"{}\".{} Take its line out.",
                                  entry.first,
                                  did_you_mean(entry.first, {names.begin(), names.end()})));
  return parts;
}

std::vector<float> class_weights(std::span<const Recording> recordings, Index classes) {
  std::vector<double> counts(static_cast<std::size_t>(classes));
  double total = 0;
  for (const Recording& recording : recordings)
    for (Index t = 0; t < recording.weights.size(); ++t) {
      const float weight = recording.weights(t), label = recording.labels(t, 0);
      if (weight == 0) continue;
      if (!(label >= 0 && label < static_cast<float>(classes)) || label != std::floor(label))
        throw DataError(fmt::format(
            "recording \"{}\": the label at step {} must be a class number below {}, got {}.",
            recording.name, t, classes, label));
      counts[static_cast<std::size_t>(label)] += weight;
      total += weight;
    }
  std::vector<float> weights;
  for (const double count : counts)
    weights.push_back(
        count == 0 ? 0.0f : static_cast<float>(total / (static_cast<double>(classes) * count)));
  return weights;
}

}  // namespace sonde
