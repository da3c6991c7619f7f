#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sonde/layers/reshape.hpp>

#include "layers/row_order.hpp"

namespace sonde {
namespace {

Index product(const std::vector<Index>& sizes, std::size_t first) {
  Index result = 1;
  for (std::size_t i = first; i < sizes.size(); ++i) result *= sizes[i];
  return result;
}

/// "(-1, 4)": as the user wrote it.
std::string written(const std::vector<Index>& sizes) {
  return fmt::format("({})", fmt::join(sizes, ", "));
}

}  // namespace

AnyOp Reshape::plan(Planner& planner) const {
  if (planner.inputs() != 1)
    planner.refuse(fmt::format("takes one input, got {}.", planner.inputs()));
  std::vector<Index> sizes = *target_shape;
  if (sizes.empty()) planner.refuse("target_shape needs at least one size, got none.");
  const auto open = std::find(sizes.begin(), sizes.end(), -1);
  for (auto size = sizes.begin(); size != sizes.end(); ++size)
    if (size != open)
      planner.at_least("every size of target_shape", *size, 1,
                       "One size may be -1: whatever is left.");

  const Shape& input = planner.input();
  const auto refuse_size = [&] {
    planner.refuse(
        fmt::format("target_shape = {} cannot hold the {} numbers of {}. "
                    "Its sizes must multiply to that number; one may be -1.",
                    written(*target_shape), input.elements(), to_string(input)));
  };
  const bool open_time = open == sizes.begin() && sizes.size() > 1;
  // A size per step left open is known only from the whole signal.
  const bool closed = open == sizes.end() || open_time;
  if (input.rank() >= 2 && sizes.size() > 1 && closed &&
      product(sizes, 1) == input.without_front().elements()) {
    // As many numbers per step as before, so as many steps, whatever their number.
    const Index steps = input[0];
    if (!planner.streaming() && steps != dynamic && !open_time && sizes[0] != steps) refuse_size();
    sizes[0] = planner.streaming() || open_time ? steps : sizes[0];
    planner.output(Shape(sizes));
    return CopyOp{};  // time is left alone
  }
  planner.cannot_stream(
      fmt::format("target_shape = {} moves numbers from one step to another. "
                  "Only {{-1, …}} with as many numbers per step as before streams.",
                  written(*target_shape)));
  if (input.is_static()) {
    const Index numbers = input.elements();
    if (open != sizes.end()) {
      *open = 1;
      *open = numbers / product(sizes, 0);
    }
    if (product(sizes, 0) != numbers) refuse_size();
  } else if (open != sizes.end() && !open_time) {
    planner.refuse(
        fmt::format("target_shape = {} needs a known number of steps, got {}. "
                    "Give Input the length, or put the -1 first.",
                    written(*target_shape), to_string(input)));
  }
  planner.output(Shape(sizes));
  return RowOrderOp{};
}

Tensor Reshape::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
