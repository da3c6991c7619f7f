#include <algorithm>

#include "plan/builder.hpp"

/// The second half of a PlanBuilder: every value and booking gets its place, every step its turns.
namespace sonde {

// --- buffers ----------------------------------------------------------------------------------

Index PlanBuilder::add_buffer(std::string name, Index size, std::vector<Plan::Buffer::Span> live) {
  plan.buffers_.push_back({std::move(name), size, -1, std::move(live)});
  return static_cast<Index>(plan.buffers_.size()) - 1;
}

void PlanBuilder::add_buffers() {
  const Index end = training() ? 2 * moments() + 1 : moments();
  uses.resize(plan.values_.size());
  std::vector<Index> producers(plan.values_.size(), -1);
  for (std::size_t s = 0; s < plan.steps_.size(); ++s)
    for (const Index o : plan.steps_[s].outputs) producers[at(o)] = static_cast<Index>(s);
  for (std::size_t s = 0; s < plan.steps_.size(); ++s)
    if (const Index m = plan.steps_[s].made_mask; m >= 0) producers[at(m)] = static_cast<Index>(s);
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

void PlanBuilder::add_gradient(Index v, Index producer,
                               const std::vector<std::pair<Index, Index>>& readers) {
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

void PlanBuilder::add_bookings(Index s) {
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

Index PlanBuilder::take(Index& size, Index more) {
  const Index offset = size;
  size += (more + 15) / 16 * 16;
  return offset;
}

// --- layouts and actions ----------------------------------------------------------------------

Index PlanBuilder::buffer_offset(Index buffer) const {
  return buffer < 0 ? Layout::nowhere : plan.buffers_[at(buffer)].offset;
}

Layout::Place PlanBuilder::place_of(Index v) const {
  return {static_cast<int>(v), plan.offset(v), plan.gradient_offset(v), plan.values_[at(v)].width};
}

void PlanBuilder::write_layouts() {
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

void PlanBuilder::cut(std::vector<Plan::Segment>& segments) {
  if (!segments.back().empty()) segments.emplace_back();
}

void PlanBuilder::add_action(std::vector<Plan::Segment>& segments, Plan::Action action,
                             bool shares_units) {
  if (shares_units) cut(segments);
  segments.back().push_back(action);
  if (shares_units) cut(segments);
}

void PlanBuilder::add_sums(std::vector<Plan::Segment>& segments, Plan::Action sums) {
  segments.back().push_back(sums);
  cut(segments);
  plan.has_sums_ = true;
}

void PlanBuilder::drop_empty(std::vector<Plan::Segment>& segments) {
  if (segments.size() > 1 && segments.back().empty()) segments.pop_back();
}

void PlanBuilder::write_actions() {
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

Index PlanBuilder::gradient_per_row(Index v) const {
  return plan.values_[at(v)].shape.elements() * plan.values_[at(v)].fold;
}

bool PlanBuilder::added(Index step, Index buffer) {
  const auto key = std::make_pair(step, buffer);
  if (std::find(done.begin(), done.end(), key) != done.end()) return true;
  done.push_back(key);
  return false;
}

}  // namespace sonde
