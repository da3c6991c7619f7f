#include <algorithm>
#include <limits>
#include <numeric>
#include <sonde/model.hpp>

namespace sonde {
namespace {

constexpr Index all_earlier = std::numeric_limits<Index>::min() / 4;
constexpr Index all_later = std::numeric_limits<Index>::max() / 4;
/// Output steps looked at: how inputs lie under them repeats after the product of all upsampling
/// factors, and nobody upsamples by more than this.
constexpr Index most_phases = 1024;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
bool is_timed(const Shape& shape) { return shape.rank() >= 2; }

Index floor_divide(Index a, Index b) { return a / b - (a % b < 0 ? 1 : 0); }

/// Steps first … last, all of them needed.
struct Span {
  Index first = all_later;
  Index last = all_earlier;

  bool empty() const { return first > last; }
  void add(Span other) {
    first = std::max(std::min(first, other.first), all_earlier);
    last = std::min(std::max(last, other.last), all_later);
  }
};

constexpr Span everything{all_earlier, all_later};

/// How a call's outputs lie over its inputs.
struct CallTime {
  Timing timing;
  bool timed_in = false;
  std::vector<bool> timed_out = {};
  bool whole = false;   ///< an output step may depend on any input step
  bool folded = false;  ///< its steps are rows: what it does within one says nothing of time
};

bool runs_backwards(const LayerInstance& instance) {
  for (const auto& [key, value] : instance.layer.config())
    if (key == "go_backwards" && value.as<bool>()) return *value.as<bool>();
  return false;
}

CallTime time_of(const Graph& graph, const Graph::Call& call, const std::vector<CallTime>& before) {
  CallTime time;
  for (const Shape& shape : call.node->outputs) time.timed_out.push_back(is_timed(shape));
  if (call.inputs.empty()) return time;
  if (const CallTime& from = before[at(call.inputs[0].call)]; from.folded) {
    Planner planner = planner_for(graph.layer(call), call.node->inputs, Mode::infer, 1);
    graph.layer(call).layer.plan(planner);
    time.timed_in = true;
    time.timed_out.assign(time.timed_out.size(), true);
    time.folded =
        planner.folding() != Planner::Folding::unfold || before[at(call.inputs[1].call)].folded;
    return time;
  }

  const LayerInstance& instance = graph.layer(call);
  std::vector<Shape> chunks;
  for (const Tensor& input : call.node->inputs) {
    time.timed_in |= is_timed(input.shape());
    chunks.push_back(input.shape());
    if (chunks.back()[0] == dynamic) chunks.back()[0] = 1;
  }
  Planner planner = planner_for(instance, call.node->inputs, Mode::infer, 1);
  instance.layer.plan(planner);
  time.folded = planner.folding() == Planner::Folding::fold;
  if (time.folded) {
    time.timed_out.assign(time.timed_out.size(), true);
    return time;
  }
  time.timing = planner.timing();
  time.whole = runs_backwards(instance);
  const Timing& t = time.timing;
  if (t.window > 1 || t.stride > 1 || t.upsample > 1 || t.recurrent) return time;

  // A layer that says nothing about time works step by step, unless it cannot work on a stream:
  // then it moves numbers from step to step, as Reshape can.
  try {
    Planner streaming("", chunks, Mode::stream, 1);
    instance.layer.plan(streaming);
  } catch (const ArgumentError&) {
    time.whole = true;
  }
  return time;
}

/// The input steps that output step `step` of `output` depends on: walks the calls backwards.
Span needed(const Graph& graph, const std::vector<CallTime>& times, Graph::Source output,
            Index step) {
  std::vector<std::vector<Span>> spans;
  for (const auto& call : graph.calls()) spans.emplace_back(call.node->outputs.size());
  const bool timed = times[at(output.call)].timed_out[at(output.output)];
  spans[at(output.call)][at(output.output)] = timed ? Span{step, step} : everything;

  Span inputs;
  for (Index c = static_cast<Index>(graph.calls().size()) - 1; c >= 0; --c) {
    const Graph::Call& call = graph.calls()[at(c)];
    const CallTime& time = times[at(c)];
    for (std::size_t o = 0; o < spans[at(c)].size(); ++o) {
      Span span = spans[at(c)][o];
      if (span.empty()) continue;
      if (call.inputs.empty()) {
        inputs.add(span);
        continue;
      }
      if (time.whole || !time.timed_out[o] || !time.timed_in) {
        span = everything;
      } else {
        const Timing& t = time.timing;
        if (span.first > all_earlier)
          span.first = floor_divide(span.first * t.stride, t.upsample) - t.left;
        if (t.recurrent) span.first = all_earlier;
        if (span.last < all_later)
          span.last = floor_divide(span.last * t.stride, t.upsample) - t.left + t.window - 1;
      }
      for (const auto& source : call.inputs) {
        const bool timed_source = times[at(source.call)].timed_out[at(source.output)];
        spans[at(source.call)][at(source.output)].add(timed_source ? span : everything);
      }
    }
  }
  return inputs;
}

/// Input steps for each step of `output`, as a fraction.
std::pair<Index, Index> rate(const Graph& graph, const std::vector<CallTime>& times,
                             Graph::Source output) {
  Index numerator = 1, denominator = 1;
  for (Index c = output.call; !graph.calls()[at(c)].inputs.empty();
       c = graph.calls()[at(c)].inputs[0].call) {
    numerator *= times[at(c)].timing.stride;
    denominator *= times[at(c)].timing.upsample;
    const Index common = std::gcd(numerator, denominator);
    numerator /= common;
    denominator /= common;
  }
  return {numerator, denominator};
}

/// The first shape with a time axis, or null.
const Shape* first_timed(const std::vector<Tensor>& tensors) {
  for (const Tensor& tensor : tensors)
    if (is_timed(tensor.shape())) return &tensor.shape();
  return nullptr;
}

}  // namespace

TimeReport Model::time() const {
  const Graph graph = this->graph().flat();
  TimeReport report;
  if (const Shape* in = first_timed(graph.input_tensors())) report.steps_in = (*in)[0];
  if (const Shape* out = first_timed(graph.output_tensors())) report.steps_out = (*out)[0];

  std::vector<CallTime> times;
  Index phases = 1;
  for (const auto& call : graph.calls()) {
    times.push_back(time_of(graph, call, times));
    phases = std::min(phases * times.back().timing.upsample, most_phases);
  }

  // The worst of all outputs and phases.
  report.receptive_field = 0;
  for (const auto& output : graph.outputs()) {
    const bool timed = times[at(output.call)].timed_out[at(output.output)];
    const auto [numerator, denominator] = rate(graph, times, output);
    for (Index step = 0; step < (timed ? phases : 1); ++step) {
      const Span span = needed(graph, times, output, step);
      if (span.empty()) continue;
      if (span.first <= all_earlier) report.receptive_field.reset();
      if (report.receptive_field)
        report.receptive_field = std::max(*report.receptive_field, span.last - span.first + 1);
      if (!timed || report.lookahead == dynamic) continue;
      if (span.last >= all_later) report.lookahead = dynamic;
      else
        report.lookahead = std::max(report.lookahead, span.last - step * numerator / denominator);
    }
  }
  return report;
}

}  // namespace sonde
