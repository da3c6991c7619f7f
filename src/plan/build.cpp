#include <fmt/format.h>

#include <algorithm>

#include "base/random.hpp"
#include "plan/align.hpp"
#include "plan/mask_count.hpp"
#include "plan/plan.hpp"

namespace sonde {

/// How a value lies between Fold and Unfold: see Plan::Value.
struct Folded {
  Index fold = 1;
  bool folded = false;
};

/// Turns a graph into steps, buffers and actions; friend of Plan.
struct PlanBuilder {
  const Graph& graph;
  const WeightBlock& block;
  Plan& plan;
  std::vector<std::vector<Index>> call_values = {};  // per call, per output
  struct Booked {
    Planner planner;
    Index weight_base = 0;
    std::vector<Index> weight_entries = {};
  };
  std::vector<Booked> booked = {};  // per step

  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }
  bool training() const { return plan.options_.mode == Mode::train; }
  bool streaming() const { return plan.options_.mode == Mode::stream; }
  Index moments() const { return static_cast<Index>(plan.steps_.size()); }
  Index backward_moment(Index step) const { return 2 * moments() - step; }

  void build() {
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

  Index add_value(Shape shape, Index delay, Folded folded = {}) {
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

  /// The activation to take off a call: of an output that nothing else reads.
  ActivationFunction take_head(Index call) {
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

  Index steps_of_input(Index call) const {
    const auto& given = plan.options_.input_steps;
    for (std::size_t i = 0; i < std::min(given.size(), graph.inputs().size()); ++i)
      if (graph.inputs()[i].call == call) return given[i];
    return plan.options_.steps;
  }

  /// A stream cannot tell a single step that stands beside many from one of many.
  void check_other_steps(const Graph::Call& single) const {
    for (const Tensor& input : graph.input_tensors())
      if (input.shape().rank() >= 2 && input.shape()[0] != 1)
        throw ArgumentError(fmt::format(
            "Input \"{}\": cannot stream: it has one step and another input has {}. Give it "
            "without "
            "its time, and repeat it in the model.",
            single.path,
            input.shape()[0] == dynamic ? "any number" : std::to_string(input.shape()[0])));
  }

  void add_call(Index c) {
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
    AnyOp op = bare ? instance.layer.without_final_activation().plan(planner)
                    : instance.layer.plan(planner);
    planner.check_masks();
    add_step(planner, std::move(op), std::move(inputs), std::move(masks));
    // One layer called twice draws twice.
    plan.steps_.back().layout.name =
        hash_name(call.path) + static_cast<std::uint64_t>(call.number) * 0x9e3779b97f4a7c15u;
    booked.back().weight_entries = instance.entries;
    call_values.push_back(plan.steps_.back().outputs);
  }

  void add_step(const Planner& planner, AnyOp op, std::vector<Index> inputs,
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

  Folded folded_after(const Planner& planner, const std::vector<Index>& inputs) const {
    const Plan::Value& first = plan.values_[at(inputs[0])];
    if (planner.folding() == Planner::Folding::fold) return {first.fold * first.shape[0], true};
    const bool back = planner.folding() == Planner::Folding::unfold;
    const Plan::Value& like = back ? plan.values_[at(inputs[1])] : first;
    return {like.fold, like.folded};
  }

  /// What of each output counts for losses and metrics.
  void find_output_masks() {
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

  /// Puts queues before a merging layer, so that all its inputs bring the same steps.
  void align(std::vector<Index>& inputs) {
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

  bool has_trainable(Index step) const {
    for (const Index e : booked[at(step)].weight_entries)
      if (block.entries()[at(e)].trainable) return true;
    return false;
  }

  void find_gradients() {
    if (!training()) return;
    for (const Index i : plan.inputs_)
      plan.values_[at(i)].needs_gradient = plan.options_.input_gradients;
    for (std::size_t s = 0; s < plan.steps_.size(); ++s) {
      Plan::Step& step = plan.steps_[s];
      step.backward = has_trainable(static_cast<Index>(s));
      for (std::size_t i = 0; i < step.inputs.size(); ++i)
        step.backward |=
            plan.values_[at(step.inputs[i])].needs_gradient && !counts_steps_only(s, i);
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
  /// Whether some output of the step is judged, penalized, or read by what gives it a gradient.
  bool brings_gradient(Index s) const {
    if (booked[at(s)].planner.penalizes_outputs()) return true;
    for (const Index o : plan.steps_[at(s)].outputs) {
      if (is_output(o)) return true;
      for (const auto& [reader, input] : consumers(o))
        if (plan.steps_[at(reader)].backward && !counts_steps_only(at(reader), at(input)))
          return true;
    }
    return false;
  }

  bool counts_steps_only(std::size_t step, std::size_t input) const {
    return booked[step].planner.counts_steps_only(static_cast<Index>(input));
  }

  std::vector<std::pair<Index, Index>> consumers(Index value) const {  // (step, which input)
    std::vector<std::pair<Index, Index>> found;
    for (std::size_t s = 0; s < plan.steps_.size(); ++s)
      for (std::size_t i = 0; i < plan.steps_[s].inputs.size(); ++i)
        if (plan.steps_[s].inputs[i] == value)
          found.emplace_back(static_cast<Index>(s), static_cast<Index>(i));
    return found;
  }
  /// Also the masks of outputs.
  bool is_output(Index value) const {
    const auto& masks = plan.output_masks_;
    return std::find(plan.outputs_.begin(), plan.outputs_.end(), value) != plan.outputs_.end() ||
           std::find(masks.begin(), masks.end(), value) != masks.end();
  }
  Index size_of(const Plan::Value& value) const {
    return value.shape.elements() * value.fold * plan.options_.rows;
  }

  // --- buffers ----------------------------------------------------------------------------------

  Index add_buffer(std::string name, Index size, std::vector<Plan::Buffer::Span> live) {
    plan.buffers_.push_back({std::move(name), size, -1, std::move(live)});
    return static_cast<Index>(plan.buffers_.size()) - 1;
  }

  /// Gradient buffers of one use of a value: (step, input) → buffer; the others are added to the
  /// main one.
  struct Use {
    Index step, input, buffer;
  };
  std::vector<std::vector<Use>> uses = {};  // per value, in backward order
  std::vector<Index> unread = {};           // values with no gradient but that of their penalty

  void add_buffers() {
    const Index end = training() ? 2 * moments() + 1 : moments();
    uses.resize(plan.values_.size());
    std::vector<Index> producers(plan.values_.size(), -1);
    for (std::size_t s = 0; s < plan.steps_.size(); ++s)
      for (const Index o : plan.steps_[s].outputs) producers[at(o)] = static_cast<Index>(s);
    for (std::size_t s = 0; s < plan.steps_.size(); ++s)
      if (const Index m = plan.steps_[s].made_mask; m >= 0)
        producers[at(m)] = static_cast<Index>(s);
    for (Index v = 0; v < static_cast<Index>(plan.values_.size()); ++v) {
      Plan::Value& value = plan.values_[at(v)];
      const Index producer = producers[at(v)];
      Index last = std::max<Index>(producer, 0);
      const auto readers = consumers(v);
      for (const auto& reader : readers) {
        last = std::max(last, reader.first);
        if (training() && booked[at(reader.first)].planner.keeps_input(reader.second))
          last = std::max(last, backward_moment(reader.first));
      }
      if (producer >= 0 && training())
        for (std::size_t o = 0; o < plan.steps_[at(producer)].outputs.size(); ++o)
          if (plan.steps_[at(producer)].outputs[o] == v &&
              booked[at(producer)].planner.keeps_output(static_cast<Index>(o)))
            last = std::max(last, backward_moment(producer));
      for (Index s = 0; s < moments(); ++s)
        for (const Index mask : plan.steps_[at(s)].masks)
          if (mask == v) last = std::max(last, training() ? backward_moment(s) : s);
      // Who makes a mask may read it on the way back, whether or not anybody else does.
      if (producer >= 0 && training() && plan.steps_[at(producer)].made_mask == v)
        last = std::max(last, backward_moment(producer));
      if (is_output(v)) last = end;
      const std::string name = "value " + std::to_string(v);
      value.buffer = add_buffer(name, size_of(value), {{producer, last}});
      if (value.needs_gradient) add_gradient(v, producer, readers);
    }
    for (Index s = 0; s < moments(); ++s) add_bookings(s);
  }

  void add_gradient(Index v, Index producer, const std::vector<std::pair<Index, Index>>& readers) {
    Plan::Value& value = plan.values_[at(v)];
    const Index to = producer >= 0 ? backward_moment(producer) : 2 * moments() + 1;
    const Index size = size_of(value);
    const std::string name = "gradient " + std::to_string(v);
    Index first = moments() + 1 + moments();
    bool written = is_output(v);
    if (written) first = moments();
    for (auto reader = readers.rbegin(); reader != readers.rend(); ++reader) {
      if (!plan.steps_[at(reader->first)].backward ||
          counts_steps_only(at(reader->first), at(reader->second)))
        continue;
      const Index moment = backward_moment(reader->first);
      if (!written) first = moment;
      const Index buffer = written ? add_buffer(name + " part", size, {{moment, moment}}) : -1;
      uses[at(v)].push_back({reader->first, reader->second, buffer});
      written = true;
    }
    if (!written && producer >= 0 && booked[at(producer)].planner.penalizes_outputs()) {
      first = to;
      written = true;
      unread.push_back(v);
    }
    if (written) value.gradient = add_buffer(name, size, {{first, to}});
  }

  std::vector<std::vector<Index>> booking_buffers = {};

  void add_bookings(Index s) {
    std::vector<Index> buffers;
    const Planner& planner = booked[at(s)].planner;
    for (const auto& booking : planner.bookings()) {
      const Index size = booking.per_row * planner.rows() + booking.fixed;
      const std::string name = plan.steps_[at(s)].where;
      switch (booking.kind) {
        case Slot::Kind::state:
          buffers.push_back(take(plan.state_size_, size));
          break;
        case Slot::Kind::counter:
          buffers.push_back(take(plan.counter_size_, booking.fixed));
          break;
        case Slot::Kind::saved:
          buffers.push_back(add_buffer(name + " saved", size, {{s, backward_moment(s)}}));
          break;
        default: {
          std::vector<Plan::Buffer::Span> live{{s, s}};
          if (training()) live.push_back({backward_moment(s), backward_moment(s)});
          buffers.push_back(add_buffer(name + " scratch", size, live));
        }
      }
    }
    booking_buffers.push_back(std::move(buffers));
  }

  static Index take(Index& size, Index more) {
    const Index offset = size;
    size += (more + 15) / 16 * 16;
    return offset;
  }

  // --- layouts and actions ----------------------------------------------------------------------

  Index buffer_offset(Index buffer) const {
    return buffer < 0 ? Layout::nowhere : plan.buffers_[at(buffer)].offset;
  }

  Layout::Place place_of(Index v) const {
    return {static_cast<int>(v), plan.offset(v), plan.gradient_offset(v),
            plan.values_[at(v)].width};
  }

  void write_layouts() {
    for (Index s = 0; s < moments(); ++s) {
      Plan::Step& step = plan.steps_[at(s)];
      const Planner& planner = booked[at(s)].planner;
      for (std::size_t i = 0; i < step.inputs.size(); ++i) {
        const Index v = step.inputs[i];
        Index gradient = Layout::nowhere;
        for (const Use& use : uses[at(v)])
          if (use.step == s && use.input == static_cast<Index>(i))
            gradient = buffer_offset(use.buffer >= 0 ? use.buffer : plan.values_[at(v)].gradient);
        step.layout.inputs.push_back(
            {static_cast<int>(v), plan.offset(v), gradient, plan.values_[at(v)].width});
      }
      for (const Index v : step.outputs) step.layout.outputs.push_back(place_of(v));
      for (const Index v : step.masks)
        step.layout.masks.push_back(v < 0 ? Layout::Place{} : place_of(v));
      if (step.made_mask >= 0) step.layout.made_mask = place_of(step.made_mask);
      for (const Index e : booked[at(s)].weight_entries)
        step.layout.weights.push_back(block.entries()[at(e)].offset);
      for (const Index size : planner.packed_sizes())
        step.layout.packed.push_back(take(plan.packed_size_, size));
      for (std::size_t b = 0; b < planner.bookings().size(); ++b) {
        const auto kind = planner.bookings()[b].kind;
        const Index held = booking_buffers[at(s)][b];
        const bool outside = kind == Slot::Kind::state || kind == Slot::Kind::counter;
        step.layout.bookings.push_back(outside ? held : buffer_offset(held));
      }
      step.layout.forward_sums = take(plan.sums_size_, step.forward_sums);
      step.layout.backward_sums = take(plan.sums_size_, step.backward_sums);
    }
    plan.weights_size_ = block.size();
  }

  static void cut(std::vector<Plan::Segment>& segments) {
    if (!segments.back().empty()) segments.emplace_back();
  }
  /// What all workers may do together stands alone.
  static void add_action(std::vector<Plan::Segment>& segments, Plan::Action action,
                         bool shares_units) {
    if (shares_units) cut(segments);
    segments.back().push_back(action);
    if (shares_units) cut(segments);
  }
  void add_sums(std::vector<Plan::Segment>& segments, Plan::Action sums) {
    segments.back().push_back(sums);
    cut(segments);
    plan.has_sums_ = true;
  }
  static void drop_empty(std::vector<Plan::Segment>& segments) {
    if (segments.size() > 1 && segments.back().empty()) segments.pop_back();
  }

  void write_actions() {
    using Action = Plan::Action;
    for (Index s = 0; s < moments(); ++s) {
      const Plan::Step& step = plan.steps_[at(s)];
      if (step.forward_sums > 0) add_sums(plan.forward_, {Action::forward_sums, s});
      add_action(plan.forward_, {Action::forward, s}, step.unit_pieces > 0);
    }
    drop_empty(plan.forward_);
    for (Index s = moments() - 1; s >= 0; --s) {
      const Plan::Step& step = plan.steps_[at(s)];
      if (!step.backward) continue;
      bool reached = false;
      for (const Index o : step.outputs) reached |= plan.values_[at(o)].gradient >= 0;
      if (!reached) continue;
      if (step.backward_sums > 0) add_sums(plan.backward_, {Action::backward_sums, s});
      for (const Index o : step.outputs)
        if (std::find(unread.begin(), unread.end(), o) != unread.end())
          plan.backward_.back().push_back(
              {Action::clear, s, -1, plan.gradient_offset(o), gradient_per_row(o)});
      add_action(plan.backward_, {Action::backward, s}, step.unit_pieces > 0);
      for (const Index v : step.inputs)
        for (const Use& use : uses[at(v)])
          if (use.step == s && use.buffer >= 0 && !added(s, use.buffer))
            plan.backward_.back().push_back({Action::add, s, buffer_offset(use.buffer),
                                             plan.gradient_offset(v), gradient_per_row(v)});
    }
    drop_empty(plan.backward_);
  }
  Index gradient_per_row(Index v) const {
    return plan.values_[at(v)].shape.elements() * plan.values_[at(v)].fold;
  }
  /// A value read twice by one step has two uses; each is added once.
  std::vector<std::pair<Index, Index>> done = {};
  bool added(Index step, Index buffer) {
    const auto key = std::make_pair(step, buffer);
    if (std::find(done.begin(), done.end(), key) != done.end()) return true;
    done.push_back(key);
    return false;
  }
};

Plan::Plan(const Graph& graph, const WeightBlock& weights, PlanOptions options)
    : options_(std::move(options)) {
  const Graph flat = graph.flat();
  PlanBuilder{flat, weights, *this}.build();
  verify(*this);
}

}  // namespace sonde
