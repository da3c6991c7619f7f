#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sonde/version.hpp>
#include <thread>

#include "cli/options.hpp"
#include "cli/problem.hpp"
#include "cli/provenance.hpp"
#include "cli/timed.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

struct BenchOptions {
  static constexpr std::string_view type = "bench";
  std::string problems;
  std::string model = "conv-lstm";
  Index samples = 476;
  Shape input = {400, 16};
  Index epochs = 5;
  Index batch_size = 32;
  int threads = 0;
  bool json = false;

  static constexpr auto fields() {
    using B = BenchOptions;
    return fields_of(field("problems", &B::problems), field("model", &B::model),
                     field("samples", &B::samples), field("input", &B::input),
                     field("epochs", &B::epochs), field("batch_size", &B::batch_size),
                     field("threads", &B::threads), field("json", &B::json));
  }
};

constexpr std::string_view group = "Options";
constexpr OptionText texts[] = {
    {group, "problems", "FILE", "more problems, one a line; # begins a comment"},
    {group, "model", "NAME", "without problems: the network or layers to train"},
    {group, "samples", "N", "samples of made-up signals, where a problem does not say"},
    {group, "input", "T,C", "their steps and channels, likewise"},
    {group, "epochs", "N", "rounds to time, after one that is not counted"},
    {group, "batch_size", "N", "samples for each step of the optimizer, where none are said"},
    {group, "threads", "N", "0: all cores; likewise"},
    {group, "json", "", "print one JSON object"},
};

struct Asked {
  std::vector<std::string> lines;
  BenchOptions options;
  bool names_model = false;
  bool names_file = false;
};

/// All of them are read, made and counted before the first is timed.
std::vector<Timed> problems_of(const Asked& asked) {
  const BenchOptions& o = asked.options;
  constexpr Index most = 1'000'000;
  if (o.epochs < 1 || o.epochs > most)
    throw ArgumentError(
        fmt::format("--epochs must be at least 1 and at most {}, got {}.", most, o.epochs));
  const Problem otherwise{
      .input = o.input, .batch = o.batch_size, .samples = o.samples, .threads = o.threads};
  std::vector<Problem> problems;
  for (const std::string& line : asked.lines)
    problems.push_back(read_problem(line, "problem", otherwise));
  if (asked.names_file)
    for (Problem& each : read_problems(o.problems, otherwise)) problems.push_back(std::move(each));
  if (!problems.empty() && asked.names_model)
    throw ArgumentError("--model: problems name their own networks. Leave it or them out.");
  if (problems.empty()) problems.push_back(read_problem(o.model, "--model", otherwise));
  std::vector<Timed> all;
  for (const Problem& each : problems) all.push_back(counted(each));
  return all;
}

/// What stood in the object before there were problems, and scripts read.
nlohmann::ordered_json one_training(const Timed& timed) {
  const Problem& p = timed.problem;
  return {{"epoch_seconds", timed.seconds}, {"model", p.network},
          {"samples", p.samples},           {"steps", p.input[0]},
          {"channels", p.input[1]},         {"batch_size", p.batch},
          {"kernels", kernel_level()},      {"version", version}};
}

int bench(const Asked& asked) {
  std::vector<Timed> problems = problems_of(asked);
  const bool options_only = asked.lines.empty() && !asked.names_file;
  nlohmann::ordered_json json, results = nlohmann::ordered_json::array();
  if (!asked.options.json)
    fmt::print("{}, kernels {}, products of bfloat16 by {}, sonde {}\n", processor(),
               kernel_level(), bfloat16_level(), version);
  const auto print_json = [&] {
    json["machine"] = {{"processor", processor()},
                       {"cores", std::thread::hardware_concurrency()},
                       {"kernels", kernel_level()},
                       {"bfloat16", bfloat16_level()},
                       {"version", version}};
    json["problems"] = std::move(results);
    fmt::print("{}\n", json.dump());
  };
  try {
    for (Timed& timed : problems) {
      time(timed, asked.options.epochs);
      if (!asked.options.json) fmt::print("\n{}", to_text(timed));
      if (options_only) json = one_training(timed);
      results.push_back(to_json(timed));
    }
  } catch (...) {  // such as: no memory for this one
    if (asked.options.json && !results.empty()) print_json();
    throw;
  }
  if (asked.options.json) print_json();
  return 0;
}

}  // namespace

void add_bench(CLI::App& program, Chosen& chosen) {
  CLI::App* verb = program.add_subcommand("bench", "Time networks on made-up signals");
  verb->footer(
      "A problem is a network and, as key=value, what it is timed with: input, batch, samples, "
      "threads,\nmode (train, predict, or stream: one step after the other, on one thread) and "
      "precision (f32, or\nbf16: what --matmul-precision of sonde train does). A network has a "
      "name\n(see sonde train --help) or is a chain of these layers, with sizes of "
      "your own:\n" +
      layer_words() +
      "\nGFLOP count the multiply-adds of products, two each: forward, and backward to what is "
      "trained.\nNothing is counted for activations, pooling, biases and the optimizer. The peak "
      "is measured in\nthe same run, on as many threads.\n\n"
      "Examples:\n  sonde bench --epochs 5 --threads 2 --json\n"
      "  sonde bench \"conv32x8 lstm64 dense1 input=400,16 batch=32 threads=2 mode=train\"\n"
      "  sonde bench \"conv-lstm mode=predict\" \"lstm64 mode=stream\" --samples 64");
  struct State {
    std::vector<std::string> lines;
    std::unique_ptr<Options<BenchOptions>> options;
  };
  const auto state = std::make_shared<State>();
  verb->add_option("lines", state->lines, "problems: each a line of its own, in quotes")
      ->type_name("PROBLEM");
  state->options = std::make_unique<Options<BenchOptions>>(*verb, texts);
  verb->final_callback([state, &chosen] {
    chosen = [state] {
      const std::vector<std::string> given = state->options->given();
      const auto names = [&](std::string_view option) {
        return std::find(given.begin(), given.end(), option) != given.end();
      };
      return bench({state->lines, state->options->read(""), names("model"), names("problems")});
    };
  });
}

}  // namespace sonde::cli
