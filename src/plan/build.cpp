#include <fmt/format.h>

#include <algorithm>

#include "base/random.hpp"
#include "plan/align.hpp"
#include "plan/builder.hpp"
#include "plan/mask_count.hpp"

namespace sonde {

void PlanBuilder::build() {
  plan.heads_.assign(graph.outputs().size(), ActivationFunction::linear);
  for (Index c = 0; c < static_cast<Index>(graph.calls().size()); ++c) add_call(c);
  for (const auto& s : graph.inputs())
    plan.inputs_.push_back(call_values[at(s.call)][at(s.output)]);
  for (const auto& s : graph.outputs())
    plan.outputs_.push_back(call_values[at(s.call)][at(s.output)]);
  find_output_masks();
  find_gradients();
  add_buffers();
  plan.arena_size_ = place(plan.buffers_);
  write_layouts();
  write_actions();
}

// --- steps ------------------------------------------------------------------------------------

Index PlanBuilder::add_value(Shape shape, Index delay, Folded folded) {
  Plan::Value value;
  value.fold = folded.fold;
  value.folded = folded.folded;
  value.timed = shape.rank() >= 2;
  value.width = value.timed ? shape.without_front().elements() : shape[0];
  value.shape = std::move(shape);
  value.delay = delay;
  plan.values_.push_back(std::move(value));
  return static_cast<Index>(plan.values_.size()) - 1;
}

ActivationFunction PlanBuilder::take_head(Index call) {
  for (const auto& other : graph.calls())
    for (const auto& input : other.inputs)
      if (input.call == call) return ActivationFunction::linear;
  ActivationFunction head = ActivationFunction::linear;
  for (std::size_t o = 0; o < graph.outputs().size(); ++o)
    if (graph.outputs()[o].call == call && o < plan.options_.logits.size() &&
        plan.options_.logits[o])
      plan.heads_[o] = head = graph.layer(graph.calls()[at(call)]).layer.final_activation();
  return head;
}

Index PlanBuilder::steps_of_input(Index call) const {
  const auto& given = plan.options_.input_steps;
  for (std::size_t i = 0; i < std::min(given.size(), graph.inputs().size()); ++i)
    if (graph.inputs()[i].call == call) return given[i];
  return plan.options_.steps;
}

void PlanBuilder::check_other_steps(const Graph::Call& single) const {
  for (const Tensor& input : graph.input_tensors())
    if (input.shape().rank() >= 2 && input.shape()[0] != 1)
      throw ArgumentError(fmt::format(
          "Input \"{}\": cannot stream: it has one step and another input has {}. Give it "
          "without "
          "its time, and repeat it in the model.",
          single.path,
          input.shape()[0] == dynamic ? "any number" : std::to_string(input.shape()[0])));
}

void PlanBuilder::add_call(Index c) {
  const Graph::Call& call = graph.calls()[at(c)];
  const LayerInstance& instance = graph.layer(call);
  std::vector<Index> inputs;
  for (const auto& s : call.inputs) inputs.push_back(call_values[at(s.call)][at(s.output)]);
  if (call.inputs.empty()) {
    Shape shape = call.node->outputs[0];
    if (streaming() && shape.rank() >= 2 && shape[0] == 1) check_other_steps(call);
    if (shape[0] == dynamic || (streaming() && shape.rank() >= 2)) shape[0] = steps_of_input(c);
    call_values.push_back({add_value(std::move(shape), 0)});
    return;
  }
  std::vector<Index> masks;
  std::vector<bool> masked;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    masks.push_back(call.node->inputs[i].masked() ? plan.values_[at(inputs[i])].mask : -1);
    masked.push_back(masks.back() >= 0);
  }
  std::vector<Shape> shapes;
  for (const Index i : inputs) shapes.push_back(plan.values_[at(i)].shape);
  bool folded = false;
  for (const Index i : inputs) folded |= plan.values_[at(i)].folded;
  const Index fold = plan.values_[at(inputs[0])].fold;
  // Rows of a fold are whole sequences even where the signal comes in chunks.
  const Mode mode = folded && streaming() ? Mode::infer : plan.options_.mode;
  const auto planner_of = [&](std::vector<Shape> given) {
    std::string where(instance.layer.type());
    if (!call.path.empty()) where += " \"" + call.path + "\"";
    Planner made(std::move(where), std::move(given), mode, plan.options_.rows * fold, masked);
    if (call.is_frozen) made.freeze();
    if (plan.options_.recompute) made.recompute();
    made.compute_in(plan.options_.precision);
    return made;
  };
  Planner planner = planner_of(shapes);
  if (streaming() && !folded && inputs.size() > 1) {
    if (planner.any_masked())
      planner.cannot_stream("its inputs come by several ways and one of them has a mask.");
    align(inputs);
    shapes.clear();
    for (const Index i : inputs) shapes.push_back(plan.values_[at(i)].shape);
    planner = planner_of(shapes);
  }
  const bool bare = take_head(c) != ActivationFunction::linear;
  AnyOp op =
      bare ? instance.layer.without_final_activation().plan(planner) : instance.layer.plan(planner);
  planner.check_masks();
  add_step(planner, std::move(op), std::move(inputs), std::move(masks));
  // One layer called twice draws twice.
  plan.steps_.back().layout.name =
      hash_name(call.path) + static_cast<std::uint64_t>(call.number) * 0x9e3779b97f4a7c15u;
  booked.back().weight_entries = instance.entries;
  call_values.push_back(plan.steps_.back().outputs);
}

void PlanBuilder::add_step(const Planner& planner, AnyOp op, std::vector<Index> inputs,
                           std::vector<Index> masks) {
  Plan::Step step{planner.where(), std::move(op), {}, planner.timing(), std::move(inputs), {},
                  std::move(masks)};
  Index delay = 0;
  for (const Index i : step.inputs) delay = std::max(delay, plan.values_[at(i)].delay);
  const Timing& t = step.timing;
  if (!plan.values_[at(step.inputs[0])].folded)
    delay = ((delay + t.lookahead() + t.stride - 1) * t.upsample + t.stride - 1) / t.stride;
  const Folded fold = folded_after(planner, step.inputs);
  for (const Shape& shape : planner.outputs())
    step.outputs.push_back(add_value(shape, delay, fold));
  step.folding = planner.folding();
  plan.has_folds_ |= step.folding != Planner::Folding::none;
  plan.shares_weights_ |= planner.shares_weights();
  step.unit_pieces = planner.unit_pieces();
  if (const Index n = step.unit_pieces; n > 0)
    plan.unit_pieces_ = plan.unit_pieces_ > 0 ? std::min(plan.unit_pieces_, n) : n;
  if (planner.gives_mask()) {
    const Index from = planner.mask_input();
    if (from < 0) step.made_mask = add_value({planner.outputs()[0][0], 1}, delay, fold);
    plan.values_[at(step.outputs[0])].mask = from < 0 ? step.made_mask : step.masks[at(from)];
  }
  step.forward_sums = planner.forward_sums();
  step.backward_sums = planner.backward_sums();
  plan.steps_.push_back(std::move(step));
  booked.push_back({planner});
}

Folded PlanBuilder::folded_after(const Planner& planner, const std::vector<Index>& inputs) const {
  const Plan::Value& first = plan.values_[at(inputs[0])];
  if (planner.folding() == Planner::Folding::fold) return {first.fold * first.shape[0], true};
  const bool back = planner.folding() == Planner::Folding::unfold;
  const Plan::Value& like = back ? plan.values_[at(inputs[1])] : first;
  return {like.fold, like.folded};
}

void PlanBuilder::find_output_masks() {
  for (std::size_t o = 0; o < graph.outputs().size(); ++o) {
    const bool masked = graph.output_tensors()[o].masked();
    const Index mask = masked ? plan.values_[at(plan.outputs_[o])].mask : -1;
    plan.output_masks_.push_back(mask);
    Index step = -1;
    if (mask >= 0 && plan.options_.count_masks) {
      Planner planner("MaskCount", {plan.values_[at(mask)].shape}, plan.options_.mode,
                      plan.options_.rows);
      AnyOp op = plan_mask_count(planner);
      add_step(planner, std::move(op), {mask}, {-1});
      step = moments() - 1;
    }
    plan.mask_counts_.push_back(step);
  }
}

void PlanBuilder::align(std::vector<Index>& inputs) {
  Index delay = 0;
  std::vector<Shape> shapes;
  for (const Index i : inputs) {
    if (!plan.values_[at(i)].timed) return;
    delay = std::max(delay, plan.values_[at(i)].delay);
    shapes.push_back(plan.values_[at(i)].shape);
  }
  Planner planner("Align", std::move(shapes), Mode::stream, plan.options_.rows);
  AnyOp op = plan_align(planner, delay);
  add_step(planner, std::move(op), inputs, std::vector<Index>(inputs.size(), -1));
  inputs = plan.steps_.back().outputs;
}

// --- gradients --------------------------------------------------------------------------------

bool PlanBuilder::has_trainable(Index step) const {
  for (const Index e : booked[at(step)].weight_entries)
    if (block.entries()[at(e)].trainable) return true;
  return false;
}

void PlanBuilder::find_gradients() {
  if (!training()) return;
  for (const Index i : plan.inputs_)
    plan.values_[at(i)].needs_gradient = plan.options_.input_gradients;
  for (std::size_t s = 0; s < plan.steps_.size(); ++s) {
    Plan::Step& step = plan.steps_[s];
    step.backward = has_trainable(static_cast<Index>(s));
    for (std::size_t i = 0; i < step.inputs.size(); ++i)
      step.backward |= plan.values_[at(step.inputs[i])].needs_gradient && !counts_steps_only(s, i);
    for (const Index o : step.outputs) plan.values_[at(o)].needs_gradient = step.backward;
  }
  // Nor does anything go back from where nothing comes.
  for (Index s = moments() - 1; s >= 0; --s) {
    Plan::Step& step = plan.steps_[at(s)];
    if (!step.backward || brings_gradient(s)) continue;
    step.backward = false;
    for (const Index o : step.outputs) plan.values_[at(o)].needs_gradient = false;
  }
}

bool PlanBuilder::brings_gradient(Index s) const {
  if (booked[at(s)].planner.penalizes_outputs()) return true;
  for (const Index o : plan.steps_[at(s)].outputs) {
    if (is_output(o)) return true;
    for (const auto& [reader, input] : consumers(o))
      if (plan.steps_[at(reader)].backward && !counts_steps_only(at(reader), at(input)))
        return true;
  }
  return false;
}

bool PlanBuilder::counts_steps_only(std::size_t step, std::size_t input) const {
  return booked[step].planner.counts_steps_only(static_cast<Index>(input));
}

std::vector<std::pair<Index, Index>> PlanBuilder::consumers(Index value) const {
  std::vector<std::pair<Index, Index>> found;
  for (std::size_t s = 0; s < plan.steps_.size(); ++s)
    for (std::size_t i = 0; i < plan.steps_[s].inputs.size(); ++i)
      if (plan.steps_[s].inputs[i] == value)
        found.emplace_back(static_cast<Index>(s), static_cast<Index>(i));
  return found;
}

bool PlanBuilder::is_output(Index value) const {
  const auto& masks = plan.output_masks_;
  return std::find(plan.outputs_.begin(), plan.outputs_.end(), value) != plan.outputs_.end() ||
         std::find(masks.begin(), masks.end(), value) != masks.end();
}

Index PlanBuilder::size_of(const Plan::Value& value) const {
  return value.shape.elements() * value.fold * plan.options_.rows;
}

Plan::Plan(const Graph& graph, const WeightBlock& weights, PlanOptions options)
    : options_(std::move(options)) {
  const Graph flat = graph.flat();
  PlanBuilder{flat, weights, *this}.build();
  verify(*this);
}

}  // namespace sonde
