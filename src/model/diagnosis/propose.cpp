#include "model/diagnosis/propose.hpp"

#include <algorithm>

#include "model/diagnosis/array_changes.hpp"
#include "model/diagnosis/edits.hpp"

namespace sonde::diagnosis {
namespace {

/// What a shape may mean: sizes of time and space, and the width of one label.
struct Meaning {
  Shape lead;
  Index width = 1;
  /// As a shape with a width.
  Shape full() const {
    std::vector<Index> sizes(lead.begin(), lead.end());
    sizes.push_back(width);
    return Shape(std::move(sizes));
  }
};

/// The ways to read targets. (400) may be 400 steps or one vector of 400 numbers.
std::vector<Meaning> meanings(const Shape& target, const Shape& output, Index steps) {
  if (target.rank() == 0) return {{{}, 1}};
  const Meaning vectors{Shape(std::vector<Index>(target.begin(), target.end() - 1)), target.last()};
  if (target.rank() > 1 || target[0] == 1) return {vectors};
  const Meaning labels{target, 1};
  if (target[0] == steps) return {labels};
  if (target[0] == output.last()) return {vectors};
  return {labels, vectors};
}

std::vector<Index> without_ones(const Shape& shape) {
  std::vector<Index> sizes;
  for (const Index size : shape)
    if (size != 1) sizes.push_back(size);
  return sizes;
}

void propose_targets(const Candidate& c, std::size_t o, const Shape& output,
                     std::vector<Candidate>& out) {
  const Shape& target = c.data.y[o];
  const Shape lead = output.without_front().rank() == 0
                         ? Shape{}
                         : Shape(std::vector<Index>(output.begin(), output.end() - 1));
  const bool sparse = target_kind(c.losses[o]) == TargetKind::class_numbers;
  const Shape wanted = sparse ? Meaning{lead, 1}.full() : output;
  if (!(target == wanted) && without_ones(target) == without_ones(wanted))
    out.push_back(change_y(c, 0.8, o, reshape("y", wanted)));
  if (target.rank() == 2 && Shape{target[1], target[0]} == wanted)
    return out.push_back(change_y(c, 0.9, o, transpose("y", target)));
  // As many labels as X has channels, and more channels than steps: it has both swapped.
  const auto swapped = [&](std::size_t i) {
    const Shape& x = c.data.x[i];
    return c.x[i].empty() && x.rank() == 2 && x[1] > x[0] && target.rank() > 0 && x[1] == target[0];
  };
  for (std::size_t i = 0; i < c.data.x.size(); ++i)
    if (swapped(i)) return propose_swapped_axes(c, i, out);

  const Index steps = c.data.x[0].rank() > 0 ? c.data.x[0][0] : 1;
  bool time_fits = false;
  for (const Meaning& meaning : meanings(target, output, steps)) {
    if (meaning.lead == lead) {
      time_fits = true;
      propose_widths(c, o, output.last(), meaning.width, out);
    } else if (meaning.lead.rank() > 0 && lead.rank() > 0) {
      propose_rates(c, o, output, meaning.full(), out);
    } else {
      propose_vectors(c, o, output, meaning.full(), out);
    }
  }
  if (time_fits) return;
  if (lead.rank() == 0) propose_sequences(c, o, out);
  propose_lengths(c, o, out);
}

/// The layer that refused has no use for a mask.
void propose_unmasked(const Candidate& c, const Planned& planned, std::vector<Candidate>& out) {
  const Draft::Call& call = c.draft.calls[at(planned.failed)];
  for (std::size_t i = 0; i < call.inputs.size(); ++i) {
    const Graph::Source from = c.draft.resolve(call.inputs[i]);
    if (call.unmasked[i] || !planned.made[at(from.call)][at(from.output)].masked()) continue;
    const std::string name = short_name(c.draft.part(call));
    Candidate next = c.edited(1, {name + " unmasked"}, static_cast<double>(planned.failed),
                              name + ": takes its input without the mask");
    next.draft.calls[at(planned.failed)].unmasked[i] = true;
    out.push_back(std::move(next));
    const std::string_view masking = "Masking";
    for (std::size_t o = 0; o < c.draft.outputs.size(); ++o)
      if (auto bare = leave_out(c, 1.2, calls_of(c, o, Types(&masking, 1))))
        out.push_back(*std::move(bare));
  }
}

/// A layer at the end refused to be a softmax over one unit.
void propose_more_than_one(const Candidate& c, Index failed, std::vector<Candidate>& out) {
  const AnyLayer& layer = c.draft.part(c.draft.calls[at(failed)]).layer;
  if (layer.type() != "Softmax" && !(argument(layer, "activation") == Value("softmax"))) return;
  for (std::size_t o = 0; o < c.draft.outputs.size(); ++o) {
    const std::vector<Index> head = head_of_output(c, o);
    if (std::find(head.begin(), head.end(), failed) != head.end()) propose_endings(c, o, 1, out);
  }
}

void propose_plans(const Candidate& c, const Verdict& verdict, std::vector<Candidate>& out) {
  propose_shorter_windows(c, verdict.planned, out);
  propose_more_than_one(c, verdict.planned.failed, out);
  propose_unmasked(c, verdict.planned, out);
  for (std::size_t i = 0; i < c.data.x.size(); ++i)
    if (c.data.x[i].rank() == 1)
      out.push_back(follow_x(change_x(c, 0.5, i, reshape("X", {c.data.x[i][0], 1})), 0.5, i));
  for (std::size_t o = 0; o < c.draft.outputs.size(); ++o) propose_sequences(c, o, out);
  for (std::size_t i = 0; i < c.data.x.size(); ++i)
    if (c.x[i].empty() && c.data.x[i].rank() == 2 && c.data.x[i][1] > c.data.x[i][0])
      propose_swapped_axes(c, i, out);
}

}  // namespace

void propose(const Candidate& c, const Verdict& verdict, std::vector<Candidate>& out) {
  const std::size_t which = verdict.which;
  switch (verdict.misfit) {
    case Misfit::none:
      return;
    case Misfit::input:
      return propose_inputs(c, which, out);
    case Misfit::plan:
      return propose_plans(c, verdict, out);
    case Misfit::loss:
      return propose_endings(c, which, verdict.output(c, which).last(), out);
    case Misfit::target:
      return propose_targets(c, which, verdict.output(c, which), out);
    case Misfit::labels:
      return propose_labels(c, which, verdict.output(c, which).last(), out);
    case Misfit::weights:
      return propose_weights(c, which, verdict.output(c, which), out);
  }
}

}  // namespace sonde::diagnosis
