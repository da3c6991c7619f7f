// Runs networks that real Keras made, for round_trip.py to compare:  run_networks DIR STEPS
// Each DIR/NAME.keras with DIR/NAME.npz (x0 …, y0 …, and maybe w0, the sample_weight) is loaded,
// predicts, trains so many steps on all rows at once, predicts again and is saved. DIR/NAME.out.npz
// says what came out: before0 …, predict0 …, loss, after0 …, trained0 …; DIR/NAME.out.keras is the
// trained model. What is refused leaves DIR/NAME.error, with the reason. Without y0 nothing is
// trained.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>

#include "base/file.hpp"

namespace {

using namespace sonde;
namespace fs = std::filesystem;

/// The arrays stem0, stem1, …
std::vector<Array> numbered(const NamedArrays& arrays, const std::string& stem) {
  std::vector<Array> found;
  for (;;) {
    const auto array = arrays.find(stem + std::to_string(found.size()));
    if (array == arrays.end()) return found;
    found.push_back(array->second);
  }
}

void add(NamedArrays& arrays, const std::string& stem, const std::vector<Array>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) arrays[stem + std::to_string(i)] = values[i];
}

void run(fs::path path, Index steps) {
  Model model = load_model(path).model;
  const NamedArrays given = load_npz(path.replace_extension(".npz"));
  const std::vector<Array> x = numbered(given, "x"), y = numbered(given, "y");
  const auto weight = given.find("w0");
  NamedArrays out;
  add(out, "before", model.get_weights());
  add(out, "predict", model.predict(x, {.threads = 1}));
  if (!y.empty()) {
    const History history =
        model.fit(x, y,
                  {.epochs = steps,
                   .batch_size = x.front().shape()[0],
                   .verbose = false,
                   .shuffle = false,
                   .sample_weight = weight == given.end() ? nullptr : &weight->second,
                   .threads = 1});
    Array losses({steps});
    std::copy_n(history.history.at("loss").begin(), steps, losses.data());
    out["loss"] = losses;
    add(out, "after", model.get_weights());
    add(out, "trained", model.predict(x, {.threads = 1}));
  }
  save_model(model, path.replace_extension(".out.keras"));
  save_npz(path.replace_extension(".npz"), out);
}

}  // namespace

int main(int count, char** words) {
  const Index steps = count == 3 ? std::atoi(words[2]) : 0;
  if (steps < 1) {
    std::fprintf(stderr, "usage: run_networks DIR STEPS\n");
    return 2;
  }
  std::vector<fs::path> paths;
  for (const auto& file : fs::directory_iterator(words[1]))
    if (file.path().extension() == ".keras" && file.path().stem().extension().empty())
      paths.push_back(file.path());
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    const fs::path error = fs::path(path).replace_extension(".error");
    if (fs::exists(error) || fs::exists(fs::path(path).replace_extension(".out.npz"))) continue;
    // Called again after it died, it goes on with the next network.
    write_file_atomically(error, std::string_view("the program died"));
    try {
      run(path, steps);
      fs::remove(error);
    } catch (const std::exception& reason) {
      write_file_atomically(error, std::string_view(reason.what()));
    }
  }
}
