#include <fmt/format.h>

#include <algorithm>
#include <sonde/error.hpp>
#include <sonde/planner.hpp>

namespace sonde {

Slot Planner::weight(std::string name, Shape shape, WeightOptions options) {
  weights_.push_back({std::move(name), std::move(shape), std::move(options)});
  return {Slot::Kind::weight, static_cast<int>(weights_.size()) - 1};
}

Slot Planner::packed(Index scalars) {
  packed_.push_back(scalars);
  return {Slot::Kind::packed, static_cast<int>(packed_.size()) - 1};
}

Slot Planner::book(Slot::Kind kind, Index per_row, Index fixed) {
  bookings_.push_back({kind, per_row, fixed});
  return {kind, static_cast<int>(bookings_.size()) - 1};
}

void Planner::keep_input(Index i) { kept_inputs_.push_back(i); }
void Planner::keep_output(Index i) { kept_outputs_.push_back(i); }

bool Planner::keeps_input(Index i) const {
  return std::find(kept_inputs_.begin(), kept_inputs_.end(), i) != kept_inputs_.end();
}
bool Planner::keeps_output(Index i) const {
  return std::find(kept_outputs_.begin(), kept_outputs_.end(), i) != kept_outputs_.end();
}
bool Planner::counts_steps_only(Index i) const {
  return std::find(counted_inputs_.begin(), counted_inputs_.end(), i) != counted_inputs_.end();
}

void Planner::penalize_outputs() {
  penalizes_ = true;
  for (Index i = 0; i < static_cast<Index>(outputs_.size()); ++i) keep_output(i);
}

void Planner::batch_sums(Index forward, Index backward) {
  forward_sums_ = forward;
  backward_sums_ = backward;
}

bool Planner::any_masked() const {
  return std::find(masked_.begin(), masked_.end(), true) != masked_.end();
}

bool Planner::gives_mask() const {
  return mask_ == MaskRule::make || (mask_ == MaskRule::pass && masked(mask_input_));
}

void Planner::check_sizes() const {
  const auto check = [&](const Shape& shape) {
    // Also what wrapped around while a layer multiplied sizes that no memory holds.
    constexpr Index most = Index{1} << 40;
    for (const Index size : shape)
      if (size != dynamic && (size < 0 || size > most))
        throw LimitError(fmt::format("{}: a shape of {} is beyond any memory. Use smaller sizes.",
                                     where_, to_string(shape)));
    if (shape.is_static()) static_cast<void>(shape.elements());
  };
  for (const Shape& shape : outputs_) check(shape);
  for (const auto& weight : weights_) check(weight.shape);
}

void Planner::check_masks() const {
  if (!drops_mask()) return;
  refuse(
      "its input has a mask, which this layer would drop: padded steps would count again. Put it "
      "before Masking, or call it on x.without_mask().");
}

void Planner::cannot_stream(std::string_view reason) const {
  if (streaming()) refuse(fmt::format("cannot stream: {}", reason));
}

void Planner::refuse(std::string_view message) const {
  throw ArgumentError(fmt::format("{}: {}", where_, message));
}

void Planner::at_least(std::string_view name, Index value, Index least,
                       std::string_view mend) const {
  // What is planned with it multiplies it by other sizes, which must not overflow.
  if (constexpr Index most = Index{1} << 40; value > most)
    refuse(fmt::format("{} must be at most {}, got {}.", name, most, value));
  if (value >= least) return;
  refuse(fmt::format("{} must be at least {}, got {}.{}{}", name, least, value,
                     mend.empty() ? "" : " ", mend));
}

void Planner::expect_rank(Index rank, std::string_view layout) const {
  if (inputs() != 1) refuse(fmt::format("takes one input, got {}.", inputs()));
  if (input().rank() == rank) return;
  std::string mend;
  if (rank == 2 && input().rank() == 1)
    mend = " A recurrent layer before it may need return_sequences = true.";
  else if (rank == 1 && input().rank() == 2) mend = " Put Flatten or a global pooling before it.";
  refuse(fmt::format("expects an input of shape {}, got {}.{}", layout, to_string(input()), mend));
}

}  // namespace sonde
