#pragma once
#include <sonde/losses.hpp>
#include <span>
#include <string>
#include <string_view>

namespace sonde {

/// The units of a target for an output of `width` units: as many, or one class number.
Index target_width(const Loss& loss, Index width);

/// Why a target of this shape cannot be compared with an output of this shape, with what to do
/// about it; empty when it can. Both shapes leave the batch out. Nothing broadcasts: sizes agree
/// one by one, except that a trailing 1 may be missing on either side.
std::string target_mismatch(const Loss& loss, const Shape& output, const Shape& target);

/// Throws DataError with `where` and the mismatch.
void check_target(const Loss& loss, const Shape& output, const Shape& target,
                  std::string_view where);

/// Finds the first label that the loss cannot use, and throws DataError naming its place, its value
/// and what it may be: not finite; outside [0, 1]; no class number below `width`.
/// `labels` is row-major of `shape` (batch first); `weights` has one number per value, or is empty;
/// labels with weight 0 are not looked at.
void check_labels(const Loss& loss, Index width, const Shape& shape, std::span<const float> labels,
                  std::span<const float> weights, std::string_view where);

/// "the label at (5, 0) is 2; …" for a label that the loss does not allow, else empty. It is number
/// `i` of an array of that shape.
std::string label_refusal(const Loss& loss, Index width, const Shape& shape, Index i, float label);

}  // namespace sonde
