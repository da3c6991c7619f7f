#include "report/viewer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <sonde/error.hpp>

#include "report/figures.hpp"
#include "report/pyramid.hpp"
#include "report/text.hpp"

namespace sonde::report {
namespace {

std::size_t steps_of(const ViewedRecording& recording) {
  return recording.signal.shape().rank() == 2
             ? static_cast<std::size_t>(recording.signal.shape()[0])
             : 0;
}

void check(const ViewedRecording& recording, std::size_t classes) {
  const auto refuse = [&](const std::string& what) {
    throw DataError(fmt::format("Report: recording {}: {}", clean(recording.name), what));
  };
  const Shape& shape = recording.signal.shape();
  if (shape.rank() != 2)
    refuse("the signal must be (time, channels), got " + to_string(shape) + ".");
  if (shape[0] > std::numeric_limits<std::int32_t>::max())
    refuse(fmt::format("{} steps; the viewer counts to 2147483647.", shape[0]));
  const std::size_t steps = steps_of(recording);
  const auto fits = [&](std::size_t size, const char* what) {
    if (size != 0 && size != steps)
      refuse(fmt::format("{} {} for {} steps; give one for each or none.", size, what, steps));
  };
  fits(recording.labels.size(), "labels");
  fits(recording.predicted.size(), "predicted labels");
  fits(recording.weights.size(), "weights");
  const std::size_t most = classes > 0 ? std::min<std::size_t>(classes, 255) : 255;
  for (const auto* labels : {&recording.labels, &recording.predicted})
    for (const Index label : *labels)
      if (label < 0 || label >= static_cast<Index>(most))
        refuse(fmt::format("label {} is no class number below {}.", label, most));
  const Shape& p = recording.probabilities.shape();
  if (!recording.probabilities.empty() &&
      (p.rank() != 2 || static_cast<std::size_t>(p[0]) != steps))
    refuse("the probabilities must be (time, classes), got " + to_string(p) + ".");
  if (!(recording.frequency >= 0))
    refuse(fmt::format("frequency {} must be above 0, or 0 where it is unknown.",
                       recording.frequency));
}

std::vector<float> column(const Array& array, std::size_t c) {
  const auto width = static_cast<std::size_t>(array.shape()[1]);
  std::vector<float> values(static_cast<std::size_t>(array.shape()[0]));
  for (std::size_t t = 0; t < values.size(); ++t) values[t] = array.values()[t * width + c];
  return values;
}

template <class T>
std::string base64_of(const std::vector<T>& values) {  // on little-endian machines
  return base64(std::as_bytes(std::span(values)));
}

class Builder {
 public:
  explicit Builder(const Report& report) : report_(report) {
    const auto bytes = [](std::uint64_t numbers, std::uint64_t each) {
      return numbers * each * 3 / 2;  // base64 and the coarser levels
    };
    std::uint64_t signals = 0, probabilities = 0;
    for (const ViewedRecording& each : report.recordings_to_view) {
      check(each, report.classes.size());
      signals += bytes(static_cast<std::uint64_t>(each.signal.size()), 2);
      probabilities += bytes(static_cast<std::uint64_t>(each.probabilities.size()), 1);
    }
    finest_probabilities_ = signals + probabilities <= report.most_viewer_bytes;
    finest_signals_ = signals <= report.most_viewer_bytes;
  }

  Viewer build() {
    if (report_.recordings_to_view.empty()) return {};
    std::string list;
    for (const ViewedRecording& each : report_.recordings_to_view)
      list += (list.empty() ? "" : ",\n") + recording(each);
    viewer_.json = "{\"recordings\":[" + list + "]}";
    if (!finest_signals_)
      viewer_.notes.emplace_back(
          "Signals are shown by their least and largest value of each 16 steps, to keep this file "
          "small.");
    if (!finest_probabilities_)
      viewer_.notes.emplace_back(
          "Probabilities are shown by their least and largest value of each 16 steps, to keep this "
          "file small.");
    if (coarsened_ > 1)
      viewer_.notes.emplace_back(
          fmt::format("Labels change too often to keep each one: up to {} steps are shown as one.",
                      coarsened_));
    return std::move(viewer_);
  }

 private:
  std::string store(std::vector<Store>& where, std::string bytes) {
    std::string id = fmt::format("b{}", next_++);
    where.push_back({id, std::move(bytes)});
    return id;
  }

  std::string track(const std::string& name, const std::vector<float>& values,
                    const Packing& packing, bool finest) {
    const std::vector<Level> levels = pyramid(values);
    std::string list;
    const auto add = [&](Index block, std::size_t count, const std::string& id) {
      list += fmt::format("{}{{\"block\":{},\"count\":{},\"id\":\"{}\"}}", list.empty() ? "" : ",",
                          block, count, id);
    };
    if (finest || levels.empty())
      add(1, values.size(),
          store(levels.empty() ? viewer_.coarse : viewer_.fine, packed(values, packing)));
    for (const Level& level : levels)
      add(level.block, level.low.size(),
          store(&level == &levels.back() ? viewer_.coarse : viewer_.fine, packed(level, packing)));
    return fmt::format("{{\"name\":{},\"type\":\"{}\",\"offset\":{},\"scale\":{},\"levels\":[{}]}}",
                       json(name), packing.name(), json(packing.offset), json(packing.scale), list);
  }

  std::string labels(std::span<const Index> of, std::span<const float> weights) {
    if (of.empty()) return "null";
    const Runs runs = runs_of(of, weights);
    coarsened_ = std::max(coarsened_, runs.grid);
    const std::string starts = store(viewer_.coarse, base64_of(runs.starts));
    const std::string values = store(viewer_.coarse, base64_of(runs.values));
    return fmt::format("{{\"count\":{},\"starts\":\"{}\",\"values\":\"{}\"}}", runs.starts.size(),
                       starts, values);
  }

  std::string recording(const ViewedRecording& each) {
    std::string channels, probabilities;
    for (std::size_t c = 0; c < static_cast<std::size_t>(each.signal.shape()[1]); ++c) {
      const std::vector<float> values = column(each.signal, c);
      const std::string name =
          c < each.channels.size() ? each.channels[c] : fmt::format("channel {}", c + 1);
      channels += (c > 0 ? ",\n" : "") + track(name, values, packing_for(values), finest_signals_);
    }
    const std::size_t width =
        each.probabilities.empty() ? 0 : static_cast<std::size_t>(each.probabilities.shape()[1]);
    for (std::size_t k = 0; k < width; ++k)
      probabilities += (k > 0 ? ",\n" : "") +
                       track(class_name(report_, width == 1 ? 1 : k), column(each.probabilities, k),
                             packing_of_probabilities(), finest_probabilities_);
    return fmt::format(
        "{{\"name\":{},\"frequency\":{},\"steps\":{},\"channels\":[{}],\n\"probabilities\":[{}],\n"
        "\"labels\":{},\"predicted\":{}}}",
        json(each.name), json(each.frequency), steps_of(each), channels, probabilities,
        labels(each.labels, each.weights), labels(each.predicted, {}));
  }

  const Report& report_;
  bool finest_signals_ = true;
  bool finest_probabilities_ = true;
  Index coarsened_ = 1;
  int next_ = 0;
  Viewer viewer_;
};

/// The label of steps [begin, end): the most frequent one, the smallest of several.
std::uint8_t commonest(std::span<const Index> labels, std::span<const float> weights,
                       std::size_t begin, std::size_t end) {
  std::array<std::size_t, 256> counts{};
  for (std::size_t t = begin; t < end; ++t)
    ++counts[!weights.empty() && weights[t] == 0 ? Runs::none
                                                 : static_cast<std::uint8_t>(labels[t])];
  return static_cast<std::uint8_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
}

}  // namespace

Runs runs_of(std::span<const Index> labels, std::span<const float> weights, std::size_t most) {
  for (Index grid = 1;; grid *= 2) {
    Runs runs{.starts = {}, .values = {}, .grid = grid};
    const auto width = static_cast<std::size_t>(grid);
    for (std::size_t t = 0; t < labels.size() && runs.starts.size() <= most; t += width) {
      const std::uint8_t label =
          grid == 1 ? (!weights.empty() && weights[t] == 0 ? Runs::none
                                                           : static_cast<std::uint8_t>(labels[t]))
                    : commonest(labels, weights, t, std::min(labels.size(), t + width));
      if (!runs.values.empty() && runs.values.back() == label) continue;
      runs.starts.push_back(static_cast<std::uint32_t>(t));
      runs.values.push_back(label);
    }
    if (runs.starts.size() <= most) return runs;
  }
}

Viewer viewer_of(const Report& report) { return Builder(report).build(); }

}  // namespace sonde::report
