#include "cli/recordings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sonde/error.hpp>

#include "cli/sha256.hpp"

namespace sonde::cli {

RecordingFiles load_recording_files(RecordingSet set, std::optional<Index> ignored) {
  if (ignored)
    for (LabelFiles& labels : set.labels) labels.unlabelled.push_back(fmt::format("{}", *ignored));
  RecordingFiles files{.recordings = {}, .classes = set.classes};
  files.recordings = load_recordings(set, &files.remarks);
  for (Recording& each : files.recordings)  // a class of that number may be written by its name
    for (Index t = 0; ignored && t < each.labels.size(); ++t)
      if (each.labels.data()[t] == static_cast<float>(*ignored)) each.weights.data()[t] = 0;
  // Steps have no rate where no file says one: a second is a step then.
  for (Recording& each : files.recordings)
    if (!(each.frequency > 0)) each.frequency = 1;
  return files;
}

Index count_classes(const RecordingFiles& files) {
  constexpr float most = 256;  // more are measured values, not classes
  float largest = 1;
  for (const Recording& each : files.recordings)
    for (Index t = 0; t < each.labels.size(); ++t) {
      if (each.weights.data()[t] == 0) continue;
      const float label = each.labels.data()[t];
      if (!(label >= 0 && label < most) || label != std::floor(label))
        throw DataError(
            fmt::format("recording \"{}\": the label of step {} must be a class number from 0 to "
                        "255, got {}.",
                        each.name, t, label));
      largest = std::max(largest, label);
    }
  const auto found = static_cast<Index>(largest) + 1,
             named = static_cast<Index>(files.classes.size());
  if (named > 0 && found > named)
    throw DataError(
        fmt::format("the labels hold class {}, but only {} classes have names.", found - 1, named));
  return std::max(found, named);
}

Index labelled_steps(const Recording& recording) {
  const auto weights = recording.weights.values();
  return std::count_if(weights.begin(), weights.end(), [](float weight) { return weight > 0; });
}

std::string sha256_of(const std::vector<Recording>& recordings) {
  Sha256 hash;
  const auto add = [&](const auto& values) {
    const std::uint64_t size = values.size();
    hash.add(&size, sizeof size);
    hash.add(values.data(), values.size() * sizeof(*values.data()));
  };
  for (const Recording& each : recordings) {
    add(each.name);
    add(each.group);
    for (const Array* array : {&each.signal, &each.labels, &each.weights}) add(array->values());
  }
  return hash.digits();
}

}  // namespace sonde::cli
