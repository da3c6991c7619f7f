// Trains conv-lstm on real electrocardiograms and labels records it has never seen: every step is
// none, P wave, QRS complex or T wave. Usage: ecg_demo [--quick] [data folder] [output folder]
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sonde/scores.hpp>
#include <sonde/sonde.hpp>

#include "ecg_data.hpp"
#include "ecg_picture.hpp"
#include "signals.hpp"

using namespace sonde;

namespace {

const std::vector<std::string> waves = {"none", "P", "QRS", "T"};

Array with_batch(const Array& signal) { return signal.reshaped(signal.shape().with_front(1)); }

/// Label and prediction of every step, side by side; empty where nobody knows the label.
void write_predictions(const std::filesystem::path& path, const Recording& record,
                       const Array& probabilities) {
  std::ofstream file(path);
  file << "step,seconds,label,predicted,p_none,p_P,p_QRS,p_T\n";
  const auto predicted = most_likely(probabilities.values(), 4);
  for (Index t = 0; t < record.labels.size(); ++t) {
    const bool known = record.weights.data()[t] > 0;
    file << t << ',' << static_cast<double>(t) / record.frequency << ','
         << (known ? waves[static_cast<std::size_t>(record.labels.data()[t])] : "") << ','
         << waves[static_cast<std::size_t>(predicted[static_cast<std::size_t>(t)])];
    for (Index k = 0; k < 4; ++k) file << ',' << probabilities.data()[t * 4 + k];
    file << '\n';
  }
}

void report(const StepScores& s, std::size_t records) {
  std::printf("\n%zu unseen records, %td labelled steps\n", records, s.steps);
  std::printf("  accuracy per step   %.3f   (always guessing the commonest class: %.3f)\n",
              s.accuracy, s.prevalence);
  std::printf(
      "  balanced accuracy   %.3f\n  macro F1            %.3f\n  macro AUC           %.3f\n\n",
      s.balanced_accuracy, s.macro_f1, s.macro_auc);
  std::printf("%14s%10s%10s%10s%10s%10s\n", "", "share", "precision", "recall", "F1", "AUC");
  for (std::size_t k = 0; k < waves.size(); ++k)
    std::printf("%14s%10.3f%10.3f%10.3f%10.3f%10.3f\n", waves[k].c_str(), s.classes[k].share,
                s.classes[k].precision, s.classes[k].recall, s.classes[k].f1, s.classes[k].auc);
  std::printf("\n%s\n", confusion_table(s, waves).c_str());
  std::printf(
      "Of 100 steps that a cardiologist marked as QRS, this network finds %.0f; of 100 that it "
      "calls QRS, %.0f are.\n",
      100 * s.classes[2].recall, 100 * s.classes[2].precision);
  std::printf(
      "Its accuracy of %.1f %% is worth reading only beside the %.1f %% that guessing \"%s\" "
      "everywhere would reach.\n",
      100 * s.accuracy, 100 * s.prevalence,
      waves[static_cast<std::size_t>(
                std::max_element(s.classes.begin(), s.classes.end(),
                                 [](auto& a, auto& b) { return a.share < b.share; }) -
                s.classes.begin())]
          .c_str());
  std::printf(
      "As far as names and headers tell, nobody here was in training; but all records come from "
      "one "
      "database: expect less on another hospital's devices.\n");
}

}  // namespace

int main(int argc, char** argv) try {
  const bool fast = quick(argc, argv);
  const std::filesystem::path data = argc > 1 + fast ? argv[1 + fast] : "data/ecg-qtdb";
  const std::filesystem::path out = argc > 2 + fast ? argv[2 + fast] : "demo-results";
  std::filesystem::create_directories(out);

  // Class weights, as scales, come from the training part alone.
  const Parts parts = load_ecg(data);
  const std::vector<float> weights = class_weights(parts.train, 4);
  std::printf("QT Database: %zu records train, %zu choose the epoch, %zu are kept unseen\n",
              parts.train.size(), parts.validation.size(), parts.test.size());

  Model model =
      make_network("conv-lstm", {dynamic, 2},
                   {.kernel_size = 65, .outputs = 4, .activation = Activation::softmax, .seed = 1});
  model.summary();
  const Windows windows(parts.train, 400, {.per_epoch = fast ? 64 : 1024, .seed = 1});
  const Pieces held_out = cut_windows(parts.validation, 400, fast ? 4000 : 400);
  const ArraySamples validation({&held_out.x}, {&held_out.y}, {&held_out.weights});
  const int epochs = fast ? 1 : 40;
  model.compile(
      {.optimizer = Adam{.learning_rate = CosineDecay{3e-3, epochs * ((windows.size() + 31) / 32)}},
       .loss = SparseCategoricalCrossentropy{},
       .metrics = {"accuracy"}});
  model.fit(windows,
            {.epochs = epochs,
             .callbacks = {EarlyStopping{.patience = epochs, .restore_best_weights = true}},
             .validation_data = &validation,
             .class_weight = weights});
  model.save(out / "model.keras");

  StepJudge judge(4);
  for (std::size_t r = 0; r < parts.test.size(); ++r) {
    const Recording& record = parts.test[r];
    const Array probabilities = model.predict(with_batch(record.signal));
    judge.add(probabilities.values(), record.labels.values(), record.weights.values());
    write_predictions(out / (record.name + ".csv"), record, probabilities);
    if (r == 0) draw_ecg(out / "picture.svg", record, most_likely(probabilities.values(), 4), 1000);
  }
  report(judge.scores(), parts.test.size());
  std::printf(
      "Written to %s: model.keras (opens in Keras), one CSV for each unseen record, picture.svg\n",
      out.c_str());
  return 0;
} catch (const Error& error) {
  std::fprintf(stderr, "ecg_demo: %s\n", error.what());
  return 1;
}
