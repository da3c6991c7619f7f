#include <fmt/format.h>

#include <algorithm>
#include <sonde/error.hpp>

#include "model/diagnosis/candidate.hpp"
#include "training/loss.hpp"
#include "training/target.hpp"

namespace sonde::diagnosis {
namespace {

std::string where_of(const Draft::Part& part) {
  return fmt::format("{} \"{}\"", part.layer.type(), part.name);
}

bool takes(const Shape& expected, const Shape& got) {
  if (expected.rank() != got.rank()) return false;
  for (Index axis = 0; axis < got.rank(); ++axis)
    if (expected[axis] != dynamic && expected[axis] != got[axis]) return false;
  return true;
}

/// Labels that the loss does not allow, in words; empty when they are fine.
std::string wrong_labels(const Loss& loss, Index width, const Shape& target,
                         const LabelFacts& facts) {
  const auto refusal = [&](Index place, float label) -> std::string {
    const Index size = std::max<Index>(target.elements(), 1), i = std::max<Index>(place, 0);
    const std::string found = label_refusal(loss, width, target.with_front(1), i % size, label);
    return found.empty() ? "" : fmt::format("sample {}: {}", i / size, found);
  };
  std::string found = refusal(facts.largest_at, facts.largest);
  if (found.empty()) found = refusal(facts.smallest_at, facts.smallest);
  if (found.empty() && !facts.whole) found = refusal(facts.fraction_at, facts.fraction);
  return found;
}

Verdict judge_input(const Candidate& c) {
  for (std::size_t i = 0; i < c.data.x.size(); ++i) {
    const Shape &expected = c.draft.input_shapes[i], &got = c.data.x[i];
    if (takes(expected, got)) continue;
    const Draft::Part& part = c.draft.part(c.draft.calls[at(c.draft.inputs[i].call)]);
    return {Misfit::input, i, where_of(part),
            fmt::format("Input \"{}\" expects samples of shape {}, got {}.", part.name,
                        to_string(expected), to_string(got))};
  }
  return {};
}

/// Everything about one output whose shape is known.
Verdict judge_output(const Candidate& c, std::size_t o, const Shape& shape,
                     const std::string& where, ActivationFunction last) {
  const Loss& loss = c.losses[o];
  try {
    head_of(loss, last, shape.last(), where);
  } catch (const ArgumentError& error) {
    return {Misfit::loss, o, where, error.what()};
  }
  const auto misfit = [&](Misfit kind, const std::string& message) {
    return Verdict{kind, o, where, fmt::format("{}: {}", where, message)};
  };
  if (c.data.y.empty()) return {};
  const std::string mismatch = target_mismatch(loss, shape, c.data.y[o]);
  if (!mismatch.empty()) return misfit(Misfit::target, mismatch);
  if (const LabelFacts* labels = c.labels(o)) {
    const std::string wrong = wrong_labels(loss, shape.last(), c.data.y[o], *labels);
    if (!wrong.empty()) return misfit(Misfit::labels, wrong);
  }
  const Index vectors = shape.elements() / shape.last();
  const Index weights = o < c.data.weights.size() ? c.data.weights[o] : 0;
  if (weights != 0 && weights != 1 && weights != vectors)
    return misfit(Misfit::weights, fmt::format("sample weights have {} numbers for each sample; "
                                               "the output has {} step{}.",
                                               weights, vectors, vectors == 1 ? "" : "s"));
  const bool has_class =
      target_width(loss, shape.last()) == 1 || target_kind(loss) == TargetKind::distribution;
  if (c.data.classes > 0 && !has_class)
    return misfit(Misfit::weights,
                  fmt::format("class_weight needs one class for each label; this output holds {} "
                              "labels in one vector.",
                              shape.last()));
  return {};
}

}  // namespace

Verdict judge(const Candidate& c) {
  Verdict verdict = judge_input(c);
  if (verdict.misfit != Misfit::none) return verdict;
  verdict.planned = plan(c.draft, c.data.x);
  const Planned& planned = verdict.planned;
  if (planned.failed >= 0) {
    verdict.misfit = Misfit::plan;
    verdict.where = where_of(c.draft.part(c.draft.calls[at(planned.failed)]));
    verdict.message = planned.message;
    return verdict;
  }
  const Graph flat = planned.graph->flat();  // what the outputs end in, inside of composites too
  for (std::size_t o = 0; o < c.losses.size(); ++o) {
    const Graph::Call& end = flat.calls()[at(flat.outputs()[o].call)];
    const Graph::Call& call = planned.graph->calls()[at(planned.graph->outputs()[o].call)];
    const LayerInstance& layer = planned.graph->layer(call);
    Verdict found = judge_output(c, o, planned.graph->output_tensors()[o].shape(),
                                 fmt::format("{} \"{}\"", layer.layer.type(), layer.name),
                                 flat.layer(end).layer.final_activation());
    if (found.misfit == Misfit::none) continue;
    found.planned = std::move(verdict.planned);
    return found;
  }
  return verdict;
}

}  // namespace sonde::diagnosis
