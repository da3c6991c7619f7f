#include "cli/array_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cli/run_report.hpp"

namespace sonde::cli {
namespace {

/// Pictures of more labels than this would say the same and take more memory than training.
constexpr Index most_labels = 1 << 22;

/// Sample `i` of x, in the units of its file.
Array signal_of(const Array& x, Index i, const Extras& extras) {
  const Index steps = x.shape()[1], channels = x.shape()[2];
  Array signal({steps, channels});
  std::copy_n(x.data() + i * signal.size(), signal.size(), signal.data());
  if (!extras.normalizer || extras.normalizer->center.size() != static_cast<std::size_t>(channels))
    return signal;
  for (Index t = 0; t < signal.size(); ++t) {
    const auto c = static_cast<std::size_t>(t % channels);
    float& value = signal.data()[t];
    value = static_cast<float>(static_cast<double>(value) * extras.normalizer->scale[c] +
                               extras.normalizer->center[c]);
  }
  return signal;
}

std::string sample_name(const std::string& part, Index i, Index digits) {
  return fmt::format("{} sample {:0{}}", part, i, digits);
}

/// The weight of label `i` of `count`: weights are one for each label, or for each sample.
float weight_of(const Array& weights, Index i, Index count) {
  if (weights.empty()) return 1;
  const Index each = std::max<Index>(count / weights.size(), 1);
  return weights.data()[std::min(i / each, weights.size() - 1)];
}

}  // namespace

Report judged_report(const Task& task, const Scores& scores, const std::string& name,
                     const Data& data, const Array& predictions, const Extras& extras) {
  Report report;
  const Index samples = data.samples();
  const Index width = label_width(data.y.shape(), data.steps());
  const Index count = data.y.size() / width, of_each = count / samples;
  const auto digits = static_cast<Index>(fmt::format("{}", samples).size());
  const Index apart = (count + most_labels - 1) / most_labels;
  std::vector<Index> shown;
  std::vector<ShownRecording> recordings;
  for (Index i = 0; i < samples; i += std::max<Index>(apart, 1)) {
    shown.push_back(i);
    recordings.push_back({.name = sample_name(name, i, digits)});
  }
  report.subtitle = fmt::format("{} samples of the {} part", samples, name);
  if (apart > 1)
    report.subtitle += fmt::format("; curves and signals are of {} of them", shown.size());
  const bool classes = task.labels != Labels::values && task.labels != Labels::several;
  if (!classes || scores.steps.size() != 1) {
    for (std::size_t j = 0; j < std::min<std::size_t>(shown.size(), 60); ++j)
      report.recordings_to_view.push_back({.name = recordings[j].name,
                                           .frequency = 0,
                                           .signal = signal_of(data.x, shown[j], extras)});
    return report;
  }

  report.scores = scores.steps[0];
  for (std::size_t k = 0; k < report.scores->classes.size(); ++k)
    report.classes.push_back(extras.name_of(static_cast<Index>(k)));
  const Index outputs = predictions.size() / count;
  if (outputs == 1) report.thresholds = {std::numeric_limits<double>::quiet_NaN(), 0.5};
  for (std::size_t j = 0; j < shown.size(); ++j) {
    ShownRecording& each = recordings[j];
    const Index first = shown[j] * of_each;
    for (Index i = first; i < first + of_each; ++i) {
      const Index label = class_of(task, data.y.data() + i * width, width);
      const bool known = label >= 0 && weight_of(data.weights, i, count) > 0;
      each.labels.push_back(static_cast<float>(std::max<Index>(label, 0)));
      each.weights.push_back(known ? 1.0f : 0.0f);
    }
    each.probabilities =
        Array({of_each, outputs},
              predictions.values().subspan(static_cast<std::size_t>(first * outputs),
                                           static_cast<std::size_t>(of_each * outputs)));
    each.predicted = most_likely(each.probabilities.values(), std::max<Index>(outputs, 1));
  }
  add_judged(report, std::move(recordings),
             [&](std::size_t j) { return signal_of(data.x, shown[j], extras); });
  return report;
}

std::vector<DataPart> data_parts(const Parts& parts) {
  const auto part = [](const std::string& name, const Data& data, Index begin, Index end) {
    DataPart result{.name = name, .recordings = end - begin};
    if (data.samples() == 0) return result;
    const Index width = label_width(data.y.shape(), data.steps());
    const Index count = data.y.size() / width, of_each = count / data.samples();
    for (Index i = begin * of_each; i < end * of_each; ++i)
      result.labelled_steps += weight_of(data.weights, i, count) > 0;
    return result;
  };
  const Data& data = parts.data();
  std::vector<DataPart> all = {part("training", data, 0, parts.training())};
  if (const Data* apart = parts.apart())
    all.push_back(part("validation", *apart, 0, apart->samples()));
  else if (parts.training() < data.samples())
    all.push_back(part("validation", data, parts.training(), data.samples()));
  return all;
}

}  // namespace sonde::cli
