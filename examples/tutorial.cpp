// The C++ of docs/tutorial.md, from a model that `sonde train` wrote to labels while a signal
// arrives. Usage: tutorial [--quick]
#include <cstdio>
#include <filesystem>
#include <sonde/scores.hpp>
#include <sonde/sonde.hpp>

#include "signals.hpp"

using namespace sonde;

namespace {

/// X (samples, 400, 16) and y (samples, 400, 1) in this folder, as the tutorial begins.
void save_signals(Index samples) {
  const Signals data = make_signals(samples);
  save_npy("X.npy", data.x);
  save_npy("y.npy", data.y);
}

void train(int epochs) {
  Array X = load_npy("X.npy");  // (samples, 400, 16)
  Array y = load_npy("y.npy");  // (samples, 400, 1)

  Model model = make_network("conv-lstm", {400, 16});
  model.compile({.optimizer = Adam{}, .loss = BinaryCrossentropy{}, .metrics = {"accuracy"}});
  model.fit(X, y, {.epochs = epochs, .validation_split = 0.2});
  model.save("model.keras");
}

void judge() {
  const Array X = load_npy("X.npy"), y = load_npy("y.npy");

  Model model = Model::load("model.keras");
  Array probabilities = model.predict(X);  // (samples, 400, 1)
  StepJudge judge(2);                      // two classes: 0 and 1
  judge.add(probabilities.values(), y.values());
  StepScores scores = judge.scores();
  std::printf("accuracy %.3f, always guessing the commonest class: %.3f, AUC %.3f\n",
              scores.accuracy, scores.prevalence, scores.macro_auc);
}

void label_while_the_signal_arrives() {
  const Array X = load_npy("X.npy");

  Model model = Model::load("model.keras");
  Stream stream = model.stream();
  for (Index t = 0; t < 400; ++t)
    for (float p : stream.push({X.data() + t * 16, 16}))  // 16 numbers in, labels out
      if (p > 0.5f) std::printf("%td ", t - stream.latency());
  std::printf("\n");
}

void change_the_network() {
  auto x = Input({400, 16});
  auto h = Conv1D{
      .filters = 32, .kernel_size = 8, .padding = Padding::same, .activation = Activation::relu}(x);
  h = Dropout{.rate = 0.2}(h);
  h = Bidirectional{.layer = LSTM{.units = 32, .return_sequences = true}}(h);
  auto y = Dense{.units = 1, .activation = Activation::sigmoid}(h);
  Model model(x, y);
  model.summary();
}

}  // namespace

int main(int argc, char** argv) {
  const auto here = std::filesystem::current_path();
  const auto folder = std::filesystem::temp_directory_path() / "sonde-tutorial";
  std::filesystem::create_directories(folder);
  std::filesystem::current_path(folder);
  save_signals(quick(argc, argv) ? 24 : 476);
  train(quick(argc, argv) ? 1 : 10);
  judge();
  label_while_the_signal_arrives();
  change_the_network();
  std::filesystem::current_path(here);
  std::filesystem::remove_all(folder);
}
