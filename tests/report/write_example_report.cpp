// Writes a report to look at.
//   write_example_report ecg MODEL.keras data/ecg-qtdb OUT   the test records, judged
//   write_example_report long STEPS OUT                       one made-up recording of STEPS steps
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <sonde/formats.hpp>
#include <sonde/model.hpp>
#include <sonde/report.hpp>
#include <sonde/version.hpp>
#include <string>

using namespace sonde;

namespace {

std::vector<Index> classes_of(const Array& labels) {
  return {labels.values().begin(), labels.values().end()};
}

Report ecg(const std::string& model_path, const std::string& folder) {
  Parts parts = divide(load_ecg_qtdb(folder), load_split(folder + "/split.csv"));
  for (auto* part : {&parts.train, &parts.test})
    for (Recording& each : *part)
      fit_normalizer({&each, 1}, Scaling::per_recording_robust).apply(each.signal);
  const Normalizer scale = fit_normalizer(parts.train);
  Model model = Model::load(model_path);

  Report report;
  report.title = "Waves of electrocardiograms";
  report.subtitle = "QT Database, records that the network has never seen";
  report.classes = {"none", "P", "QRS", "T"};
  StepJudge all(4);
  std::vector<StepJudge> judges;
  EventJudge overlap(4, 250, {.kind = EventRule::Kind::iou});
  BoundaryJudge boundaries(4, 250, 0.15);
  std::vector<float> probabilities, labels, weights;
  for (Recording& record : parts.test) {
    ViewedRecording viewed{.name = record.name, .frequency = record.frequency};
    viewed.channels = record.channels;
    viewed.signal = record.signal;
    scale.apply(record.signal);
    viewed.probabilities =
        model.predict(record.signal.reshaped(record.signal.shape().with_front(1)))
            .reshaped({record.signal.shape()[0], 4});
    viewed.labels = classes_of(record.labels);
    viewed.predicted = labels_from(viewed.probabilities, record.frequency);
    viewed.weights.assign(record.weights.values().begin(), record.weights.values().end());
    overlap.add(viewed.labels, viewed.predicted, viewed.weights);
    boundaries.add(viewed.labels, viewed.predicted, viewed.weights);
    const auto p = viewed.probabilities.values();
    all.add(p, record.labels.values(), viewed.weights);
    judges.emplace_back(4).add(p, record.labels.values(), viewed.weights);
    probabilities.insert(probabilities.end(), p.begin(), p.end());
    labels.insert(labels.end(), record.labels.values().begin(), record.labels.values().end());
    weights.insert(weights.end(), viewed.weights.begin(), viewed.weights.end());
    const StepScores s = judges.back().scores();
    report.recordings.push_back({record.name, record.name, s.macro_f1, s.steps, ""});
    report.groups.groups.push_back({record.name, s.macro_f1, s.steps});
    report.recordings_to_view.push_back(std::move(viewed));
  }
  report.scores = all.scores();
  report.groups.overall = report.scores->macro_f1;
  report.groups.interval =
      bootstrap(static_cast<Index>(judges.size()), [&](std::span<const Index> drawn) {
        double sum = 0;
        for (const Index g : drawn) sum += report.groups.groups[static_cast<std::size_t>(g)].score;
        return sum / static_cast<double>(drawn.size());
      });
  report.curves = class_curves(probabilities, labels, weights, 4);
  report.calibration = calibration(probabilities, labels, weights);
  report.temperature = fit_temperature(probabilities, labels, weights);
  EventScores events{.rule = {.kind = EventRule::Kind::iou}, .rows = {}};
  BoundaryScores edges{.tolerance = 0.15, .rows = {}};
  for (Index k = 1; k < 4; ++k) {
    const std::string name = report.classes[static_cast<std::size_t>(k)];
    events.rows.emplace_back(name, overlap.score(k));
    edges.rows.push_back({name, boundaries.onset(k), boundaries.offset(k)});
  }
  report.events.push_back(std::move(events));
  report.boundaries.push_back(std::move(edges));
  for (Index e = 0; e < 40; ++e) {  // made up: the model file does not keep its history
    const double x = static_cast<double>(e);
    report.learning.epoch.push_back(e);
    report.learning.history["loss"].push_back(0.15 + 0.9 * std::exp(-x / 6));
    report.learning.history["val_loss"].push_back(0.24 + 0.8 * std::exp(-x / 5) + 0.001 * x +
                                                  0.02 * std::sin(x));
    report.learning.history["accuracy"].push_back(0.95 - 0.5 * std::exp(-x / 5));
    report.learning.history["val_accuracy"].push_back(0.92 - 0.5 * std::exp(-x / 5) +
                                                      0.008 * std::sin(2 * x));
    report.learning.history["learning_rate"].push_back(1.5e-3 * (1 + std::cos(x / 40 * 3.14)));
  }
  report.learning.best_epoch = 33;
  report.model_summary = model.summary_text();
  const auto part = [&](const std::string& name, const std::vector<Recording>& recordings) {
    DataPart p{.name = name, .groups = {}, .recordings = static_cast<Index>(recordings.size())};
    for (const Recording& each : recordings) {
      p.groups.push_back(each.name);
      p.seconds += static_cast<double>(each.labels.size()) / each.frequency;
      p.labelled_steps += std::count(each.weights.values().begin(), each.weights.values().end(), 1);
    }
    report.parts.push_back(p);
  };
  part("training", parts.train);
  part("validation", parts.validation);
  part("test", parts.test);
  report.files = {{"model", model_path, 0, std::string(64, 'a')}};
  report.provenance = {{"version", std::string(version)},
                       {"kernels", std::string(kernel_level())},
                       {"seed", "1"},
                       {"command", "write_example_report ecg " + model_path + " " + folder}};
  return report;
}

Report made_up(Index steps) {
  Report report;
  report.title = "A long recording";
  report.classes = {"none", "P", "QRS", "T"};
  ViewedRecording viewed{.name = "made up", .frequency = 250, .channels = {"lead"}};
  viewed.signal = Array({steps, 1});
  viewed.probabilities = Array({steps, 4});
  std::uint32_t noise = 1;
  for (Index t = 0; t < steps; ++t) {
    noise = noise * 1664525 + 1013904223;
    const Index beat = t % 210;
    const Index label = beat < 25    ? 1
                        : beat < 35  ? 0
                        : beat < 60  ? 2
                        : beat < 85  ? 0
                        : beat < 130 ? 3
                                     : 0;
    viewed.labels.push_back(label);
    const Index late = (t + 210 - static_cast<Index>(t / 210 % 5)) % 210;
    viewed.predicted.push_back(late < 25    ? 1
                               : late < 35  ? 0
                               : late < 60  ? 2
                               : late < 85  ? 0
                               : late < 130 ? 3
                                            : 0);
    viewed.signal(t, 0) =
        static_cast<float>(std::exp(-std::pow((static_cast<double>(beat) - 47) / 4, 2)) +
                           0.2 * std::exp(-std::pow((static_cast<double>(beat) - 110) / 12, 2)) +
                           0.3 * std::sin(static_cast<double>(t) * 1e-5) + (noise >> 8) * 3e-9);
    viewed.probabilities(t, viewed.predicted.back()) =
        0.7f + static_cast<float>(noise >> 8) * 1e-8f;
  }
  report.recordings_to_view.push_back(std::move(viewed));
  return report;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "ecg" && argc == 5) {
    const Report report = ecg(argv[2], argv[3]);
    write_report(argv[4], report);
    write_figures(std::string(argv[4]) + ".figures", report);
    write_tensorboard(std::string(argv[4]) + ".board", report.learning);
  } else if (what == "long" && argc == 4) {
    write_report(argv[3], made_up(std::stol(argv[2])));
  } else {
    std::fprintf(stderr, "write_example_report ecg MODEL DATA OUT | long STEPS OUT\n");
    return 2;
  }
  return 0;
}
