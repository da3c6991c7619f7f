#include "cli/timed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <sonde/stream.hpp>

namespace sonde::cli {
namespace {

/// The same numbers on every machine, between -1 and 1 (a linear congruential generator).
Array noise(const Shape& shape) {
  Array array(shape);
  std::uint32_t state = 1;
  for (float& value : array.values()) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<std::int32_t>(state)) / 2147483648.0f;
  }
  return array;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<Array> signals(const Model& model, Index samples) {
  std::vector<Array> x;
  for (const Tensor& input : model.graph().input_tensors())
    x.push_back(noise(input.shape().with_front(samples)));
  return x;
}

/// Labels of each output's own shape: the sign of the first channel, over and over.
std::vector<Array> labels(const Model& model, const Array& x, Index samples) {
  std::vector<Array> y;
  const Index channels = x.shape().last(), steps = x.size() / channels;
  for (const Tensor& output : model.graph().output_tensors()) {
    y.emplace_back(output.shape().with_front(samples));
    for (Index i = 0; i < y.back().size(); ++i)
      y.back().data()[i] = static_cast<float>(x.data()[i % steps * channels] > 0);
  }
  return y;
}

template <class F>
double seconds_of(F&& f) {
  const double begun = now();
  f();
  return now() - begun;
}

std::vector<double> epochs(Model& model, const Problem& p, Index rounds) {
  const std::vector<Array> x = signals(model, p.samples);
  const std::vector<Array> y = labels(model, x[0], p.samples);
  std::vector<double> seconds;
  double begun = 0;
  FitOptions fit{.epochs = rounds, .batch_size = p.batch, .verbose = false};
  fit.threads = p.threads;
  fit.matmul_precision = p.precision;
  fit.callbacks = {
      LambdaCallback{.epoch_begin = [&](Training&) { begun = now(); },
                     .epoch_end = [&](Training&) { seconds.push_back(now() - begun); }}};
  model.fit(x, y, fit);
  return seconds;
}

std::vector<double> predictions(Model& model, const Problem& p, Index rounds) {
  const std::vector<Array> x = signals(model, p.samples);
  const PredictOptions options{.batch_size = p.batch, .threads = p.threads};
  std::vector<double> seconds;
  for (Index r = 0; r < rounds; ++r)
    seconds.push_back(seconds_of([&] { model.predict(x, options); }));
  return seconds;
}

std::vector<double> walks(const Model& model, const Problem& p, Index rounds) {
  Stream stream = model.stream();
  const std::vector<Array> x = signals(model, p.samples);
  const auto channels = static_cast<std::size_t>(stream.channels());
  const auto walk = [&] {
    const float* step = x[0].data();
    for (Index s = 0; s < p.samples; ++s, stream.reset())
      for (Index t = 0; t < p.input[0]; ++t, step += channels) stream.push({step, channels});
  };
  std::vector<double> seconds;
  for (Index r = 0; r < rounds; ++r) seconds.push_back(seconds_of(walk));
  return seconds;
}

Mode mode_of(BenchMode mode) {
  return mode == BenchMode::train     ? Mode::train
         : mode == BenchMode::predict ? Mode::infer
                                      : Mode::stream;
}

std::string bytes_text(Index bytes) {
  return bytes < 1'000'000 ? fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3)
                           : fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string threads_text(int threads) {
  return threads == 1 ? "1 thread" : fmt::format("{} threads", threads);
}

std::string time_text(const Timed& t) {
  switch (t.problem.mode) {
    case BenchMode::train:
      return fmt::format("{:.4g} s an epoch", t.round());
    case BenchMode::predict:
      return fmt::format("{:.4g} s for {} samples", t.round(), t.problem.samples);
    case BenchMode::stream:
      break;
  }
  return fmt::format("{:.4g} ns a step", t.step_seconds() * 1e9);
}

}  // namespace

double Timed::round() const {
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

double Timed::operations() const {
  return (cost.forward + cost.backward) * static_cast<double>(problem.samples);
}

double Timed::steps() const { return static_cast<double>(problem.samples * problem.input[0]); }

Timed counted(const Problem& problem) {
  const Model model = build(problem);
  try {
    const CostOptions options{.mode = mode_of(problem.mode),
                              .batch_size = std::min(problem.batch, problem.samples),
                              .precision = problem.precision};
    return {.problem = problem, .cost = cost_of(model, options)};
  } catch (const ArgumentError& error) {
    throw ArgumentError(fmt::format("{}: {}", problem.where, error.what()));
  }
}

void time(Timed& timed, Index rounds) {
  const Problem& p = timed.problem;
  const bool streams = p.mode == BenchMode::stream;
  timed.peak = multiply_add_peak(streams ? 1 : p.threads);
  timed.problem.threads = timed.peak.threads;
  Model model = build(p);
  timed.seconds = streams                        ? walks(model, p, rounds + 1)
                  : p.mode == BenchMode::predict ? predictions(model, p, rounds + 1)
                                                 : epochs(model, p, rounds + 1);
  timed.seconds.erase(timed.seconds.begin());
  timed.peak.operations = std::max(timed.peak.operations, multiply_add_peak(p.threads).operations);
}

std::string to_text(const Timed& t) {
  const Cost& c = t.cost;
  std::string text = fmt::format(
      "{}\n  {}, {:.4g} samples a second, median of {} round{}; the fastest took {:.2f} of it\n"
      "  {:.4g} GFLOP/s, {:.1f} % of the {:.4g} that multiply-adds in registers reach on {}\n"
      "  weights {}, packed {}, arena {} for each thread",
      to_line(t.problem), time_text(t), t.samples_per_second(), t.seconds.size(),
      t.seconds.size() == 1 ? "" : "s",
      *std::min_element(t.seconds.begin(), t.seconds.end()) / t.round(), t.speed() / 1e9,
      t.share() * 100, t.peak.operations / 1e9, threads_text(t.peak.threads), bytes_text(c.weights),
      bytes_text(c.packed), bytes_text(c.arena));
  if (c.states > 0) text += fmt::format(", states {}", bytes_text(c.states));
  return text + "\n";
}

nlohmann::ordered_json to_json(const Timed& t) {
  const Problem& p = t.problem;
  nlohmann::ordered_json json = {
      {"problem", to_line(p)},
      {"network", p.network},
      {"mode", enum_names(p.mode)[static_cast<std::size_t>(p.mode)]},
      {"input", {p.input[0], p.input[1]}},
      {"batch", p.batch},
      {"samples", p.samples},
      {"threads", p.threads},
      {"precision", enum_names(p.precision)[static_cast<std::size_t>(p.precision)]},
      {"rounds", t.seconds},
      {"seconds", t.round()},
      {"samples_per_second", t.samples_per_second()},
      {"flop", t.operations()},
      {"flop_forward", t.cost.forward * static_cast<double>(p.samples)},
      {"gflops", t.speed() / 1e9},
      {"peak_gflops", t.peak.operations / 1e9},
      {"peak_share", t.share()},
      {"bytes",
       {{"weights", t.cost.weights},
        {"packed", t.cost.packed},
        {"arena", t.cost.arena},
        {"states", t.cost.states}}}};
  if (p.mode == BenchMode::stream) json["step_nanoseconds"] = t.step_seconds() * 1e9;
  return json;
}

}  // namespace sonde::cli
