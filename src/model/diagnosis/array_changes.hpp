#pragma once
#include <sonde/diagnosis.hpp>

/// Changes of arrays (samples, …). `name` is what the array is called: "X" or "y". Shapes are
/// without the batch.
namespace sonde::diagnosis {

ArrayChange reshape(std::string_view name, const Shape& to);
/// (a, b) → (b, a).
ArrayChange transpose(std::string_view name, const Shape& from);
/// (steps, …) → (steps * factor, …): each step `factor` times.
ArrayChange repeat_steps(const Shape& from, Index factor);
/// (steps, …) → (steps / factor, …): the most frequent label of each `factor` steps; the mean where
/// labels are no whole numbers. What does not fill a block at the end is left out.
ArrayChange join_steps(const Shape& from, Index factor);
/// The same over all steps: (steps, …) → (…).
ArrayChange join_all_steps(const Shape& from);
/// (…) → (steps, …): the label of the signal at each step.
ArrayChange spread(const Shape& from, Index steps);
/// Steps [begin, end) of (steps, …).
ArrayChange crop_steps(const Shape& from, Index begin, Index end);
/// Class numbers (…, 1) or (…) → (…, classes).
ArrayChange one_hot(const Shape& from, Index classes);
/// (…, classes) → (…, 1).
ArrayChange class_numbers(const Shape& from);
/// Sample weights (samples, steps, …) → (samples, 1).
ArrayChange mean_of_steps();
/// Every number y → (y + shift) * scale.
ArrayChange linear(const Shape& from, float shift, float scale, std::string text);

}  // namespace sonde::diagnosis
