#pragma once
#include <string_view>

#include "training/loss.hpp"

/// Dice and Tversky: ratios of sums over many numbers. Where they sum over the batch, a value needs
/// all shards: each adds up its own sums, the fixed tree adds those, and then each shard writes its
/// gradient. The three steps are apart here.
namespace sonde {

/// Whether the loss is a ratio of sums.
bool is_overlap(const Loss& loss) noexcept;

/// The axes that its `axis` leaves, for an output of this shape (without the batch): none apart for
/// other losses. Throws ArgumentError for axes that are not there, doubled, or some but not all of
/// those between batch and units.
KeptAxes kept_axes(const Loss& loss, const Shape& output, std::string_view where);

/// The groups of `rows` rows of `vectors` vectors of `width` units; each has one value.
inline Index overlap_groups(KeptAxes kept, Index rows, Index vectors, Index width) {
  return (kept.batch ? rows : 1) * (kept.steps ? vectors : 1) * (kept.units ? width : 1);
}

/// Adds the batch's numbers to its groups' sums. Never throws or allocates, as all below.
template <class T>
void add_overlaps(const LossBatch<T>& batch, OverlapSums* sums) noexcept;

/// Returns the sum of weight * value over groups of `elements` numbers each, and turns each group's
/// sums into slopes: `product` and `outputs` become what the loss changes with them.
double overlap_values(const Loss& loss, Index groups, double elements, OverlapSums* sums) noexcept;

/// dy = scale * what those slopes make of it.
template <class T>
void overlap_gradient(const LossBatch<T>& batch, const OverlapSums* slopes, T scale,
                      T* dy) noexcept;

/// All three for a batch that lies here as a whole: loss_value_and_gradient().
template <class T>
double overlap_loss(const Loss& loss, const LossBatch<T>& batch, T scale, T* dy) noexcept;

}  // namespace sonde
