#include <algorithm>

#include "model/diagnosis/array_changes.hpp"
#include "model/diagnosis/edits.hpp"
#include "model/diagnosis/propose.hpp"

namespace sonde::diagnosis {
namespace {

bool takes(const Shape& expected, const Shape& got) {
  if (expected.rank() != got.rank()) return false;
  for (Index axis = 0; axis < got.rank(); ++axis)
    if (expected[axis] != dynamic && expected[axis] != got[axis]) return false;
  return true;
}

}  // namespace

void propose_swapped_axes(const Candidate& c, std::size_t i, std::vector<Candidate>& out) {
  const Shape& got = c.data.x[i];
  if (got.rank() != 2 || got[0] == got[1] || !got.is_static()) return;
  Candidate swapped = change_x(c, 0.9, i, transpose("X", got));
  if (takes(c.draft.input_shapes[i], swapped.data.x[i])) out.push_back(std::move(swapped));
  else out.push_back(follow_x(swapped, 0.2, i));
}

void propose_inputs(const Candidate& c, std::size_t i, std::vector<Candidate>& out) {
  const Shape &expected = c.draft.input_shapes[i], &got = c.data.x[i];
  if (got.rank() == 2 && takes(expected, {got[1], got[0]})) return propose_swapped_axes(c, i, out);
  if (got.rank() == expected.rank()) {
    out.push_back(follow_x(c, 1.2, i));
    return;
  }
  // Axes of one element, too many or too few.
  const auto bare = [](const Shape& shape) {
    std::vector<Index> sizes;
    for (const Index size : shape)
      if (size != 1) sizes.push_back(size);
    return sizes;
  };
  Shape wanted = expected;
  if (wanted.rank() > 0 && wanted[0] == dynamic && got.rank() > 0) wanted[0] = got[0];
  if (wanted.is_static() && got.is_static() && bare(wanted) == bare(got))
    out.push_back(change_x(c, 0.9, i, reshape("X", wanted)));
  else if (got.rank() == 1) {
    // One channel, which nobody wrote down.
    Candidate single = change_x(c, 0.9, i, reshape("X", {got[0], 1}));
    if (takes(expected, single.data.x[i])) out.push_back(std::move(single));
    else if (expected.rank() == 2) out.push_back(follow_x(single, 1.2, i));
  }
}

}  // namespace sonde::diagnosis
