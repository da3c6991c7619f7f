#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <sonde/networks.hpp>
#include <sonde/version.hpp>

#include "cli/options.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

struct BenchOptions {
  static constexpr std::string_view type = "bench";
  std::string model = "conv-lstm";
  Index samples = 476;
  Shape input = {400, 16};
  Index epochs = 5;
  Index batch_size = 32;
  int threads = 0;
  bool json = false;

  static constexpr auto fields() {
    using B = BenchOptions;
    return fields_of(field("model", &B::model), field("samples", &B::samples),
                     field("input", &B::input), field("epochs", &B::epochs),
                     field("batch_size", &B::batch_size), field("threads", &B::threads),
                     field("json", &B::json));
  }
};

constexpr std::string_view group = "Options";
constexpr OptionText texts[] = {
    {group, "model", "NAME", "a network by name"},
    {group, "samples", "N", "samples of made-up signals"},
    {group, "input", "T,C", "their steps and channels"},
    {group, "epochs", "N", "epochs to time"},
    {group, "batch_size", "N", "samples for each step of the optimizer"},
    {group, "threads", "N", "0: all cores"},
    {group, "json", "", "print one JSON object"},
};

/// The same numbers on every machine, between -1 and 1 (a linear congruential generator).
void fill(Array& array) {
  std::uint32_t state = 1;
  for (float& value : array.values()) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<std::int32_t>(state)) / 2147483648.0f;
  }
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int bench(const BenchOptions& o) {
  if (o.samples < 1 || !o.input.is_static() || o.input.rank() != 2 || o.input.elements() < 1)
    throw ArgumentError("--samples must be at least 1, and --input two sizes like 400,16.");
  Array x(o.input.with_front(o.samples));
  fill(x);
  Model model = make_network(o.model, o.input);
  model.compile({.loss = BinaryCrossentropy{}});
  // Labels of the output's own shape: the sign of the first channel, over and over.
  Array y(model.graph().output_tensors()[0].shape().with_front(o.samples));
  for (Index i = 0; i < y.size(); ++i)
    y.data()[i] = static_cast<float>(x.data()[i % (x.size() / o.input[1]) * o.input[1]] > 0);

  std::vector<double> epochs;
  double begun = 0;
  FitOptions fit{.epochs = o.epochs, .batch_size = o.batch_size, .verbose = false};
  fit.threads = o.threads;
  fit.callbacks = {
      LambdaCallback{.epoch_begin = [&](Training&) { begun = seconds(); },
                     .epoch_end = [&](Training&) { epochs.push_back(seconds() - begun); }}};
  model.fit(x, y, fit);

  if (o.json) {
    const nlohmann::ordered_json json = {{"epoch_seconds", epochs},   {"model", o.model},
                                         {"samples", o.samples},      {"steps", o.input[0]},
                                         {"channels", o.input[1]},    {"batch_size", o.batch_size},
                                         {"kernels", kernel_level()}, {"version", version}};
    fmt::print("{}\n", json.dump());
    return 0;
  }
  for (std::size_t e = 0; e < epochs.size(); ++e)
    fmt::print("epoch {}: {:.4f} s, {:.3g} steps of signal per second\n", e + 1, epochs[e],
               static_cast<double>(o.samples * o.input[0]) / epochs[e]);
  return 0;
}

}  // namespace

void add_bench(CLI::App& program, Chosen& chosen) {
  CLI::App* verb = program.add_subcommand("bench", "Time training on made-up signals");
  verb->footer("Example:\n  sonde bench --epochs 5 --threads 2 --json");
  const auto options = std::make_shared<Options<BenchOptions>>(*verb, texts);
  verb->final_callback(
      [options, &chosen] { chosen = [options] { return bench(options->read("")); }; });
}

}  // namespace sonde::cli
