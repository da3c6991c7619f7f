#include "training/target.hpp"

#include <fmt/format.h>

#include <cmath>

namespace sonde {
namespace {

bool is_sparse(const Loss& loss) { return target_kind(loss) == TargetKind::class_numbers; }

bool agree(const Shape& a, const Shape& b) {
  if (a.rank() != b.rank()) return false;
  for (Index axis = 0; axis < a.rank(); ++axis)
    if (a[axis] != b[axis] && a[axis] != dynamic && b[axis] != dynamic) return false;
  return true;
}

bool ends_in_one(const Shape& shape) { return shape.rank() > 0 && shape.last() == 1; }

/// One number of the target for each of the output's.
bool fits_numbers(const Shape& output, const Shape& target) {
  return agree(output, target) || (ends_in_one(output) && agree(output.without_last(), target)) ||
         (ends_in_one(target) && agree(output, target.without_last()));
}

/// One class number for each of the output's vectors.
bool fits_vectors(const Shape& output, const Shape& target) {
  const Shape vectors = output.without_last();
  return agree(vectors, target) || (ends_in_one(target) && agree(vectors, target.without_last()));
}

std::string with_batch(const Shape& shape) { return to_string(shape.with_front(dynamic)); }

/// "(17, 0)": the place of element `i`; without the batch where there is only one sample.
std::string place(const Shape& shape, Index i) {
  std::vector<Index> at(static_cast<std::size_t>(shape.rank()));
  for (Index axis = shape.rank(); axis-- > 0;) {
    at[static_cast<std::size_t>(axis)] = i % shape[axis];
    i /= shape[axis];
  }
  if (shape[0] == 1 && at.size() > 1) at.erase(at.begin());
  return to_string(Shape(std::move(at)));
}

/// What a label may be, or empty when this one is fine.
std::string wrong_label(const Loss& loss, Index width, float label) {
  if (const auto* sparse = std::get_if<SparseCategoricalCrossentropy>(&loss)) {
    if (sparse->ignore_class && label == static_cast<float>(*sparse->ignore_class)) return "";
    if (label >= 0 && label < static_cast<float>(width) && label == std::floor(label)) return "";
    return fmt::format(
        "whole numbers from 0 to {} for an output of {} units. Give the output as many units as "
        "there are classes, or number the classes from 0",
        width - 1, width);
  }
  const TargetKind kind = target_kind(loss);
  if (kind == TargetKind::probabilities && !(label >= 0 && label <= 1))
    return "numbers in [0, 1]. For class numbers use SparseCategoricalCrossentropy and a softmax "
           "over as many units as there are classes";
  if (kind == TargetKind::distribution && !(label >= 0 && label <= 1))
    return "numbers in [0, 1], one for each class. For class numbers use "
           "SparseCategoricalCrossentropy";
  if (kind == TargetKind::signs && !(label == -1 || label == 0 || label == 1))
    return "-1 and 1, or 0 and 1";
  const bool logarithmic = std::holds_alternative<MeanSquaredLogarithmicError>(loss) ||
                           std::holds_alternative<Poisson>(loss);
  if (logarithmic && label < 0) return "numbers of at least 0. MeanSquaredError takes any";
  if (std::holds_alternative<MeanAbsolutePercentageError>(loss) && std::abs(label) < 1e-7f)
    return "numbers other than 0, of which a part can be told. MeanAbsoluteError takes any";
  if (!std::isfinite(label))
    return "finite numbers. Give steps whose label is unknown the sample weight 0";
  return "";
}

}  // namespace

Index target_width(const Loss& loss, Index width) { return is_sparse(loss) ? 1 : width; }

std::string target_mismatch(const Loss& loss, const Shape& output, const Shape& target) {
  const std::string both = fmt::format("targets of shape {} do not fit its output {}",
                                       with_batch(target), with_batch(output));
  const std::string& name = name_of(loss);
  const bool over_classes = is_sparse(loss) || target_kind(loss) == TargetKind::distribution;
  if (over_classes && output.last() == 1)
    return fmt::format(
        "{} needs one unit for each class, at least 2, and its output is {}. Use "
        "BinaryCrossentropy and a sigmoid for two classes.",
        name, with_batch(output));
  if (is_sparse(loss)) {
    if (fits_vectors(output, target)) return "";
    if (agree(output, target))
      return fmt::format(
          "{}: {} takes class numbers, of shape {}. Use CategoricalCrossentropy "
          "for one-hot targets.",
          both, name, with_batch(output.without_last()));
    return fmt::format("{}: {} needs one class number for each of its vectors, {}.", both, name,
                       with_batch(output.without_last()));
  }
  if (over_classes) {
    if (agree(output, target)) return "";
    if (fits_vectors(output, target))
      return fmt::format(
          "{}: {} takes a number for each class. Use "
          "SparseCategoricalCrossentropy for class numbers.",
          both, name);
  }
  if (!over_classes && fits_numbers(output, target)) return "";
  if (target_kind(loss) == TargetKind::probabilities && fits_vectors(output, target))
    return fmt::format(
        "{}: {} takes a number for each unit. Make class numbers one-hot, or use "
        "SparseCategoricalCrossentropy.",
        both, name);
  return fmt::format(
      "{}: {} needs one target number for each output number. Nothing is repeated "
      "to make them fit.",
      both, name);
}

void check_target(const Loss& loss, const Shape& output, const Shape& target,
                  std::string_view where) {
  const std::string mismatch = target_mismatch(loss, output, target);
  if (!mismatch.empty()) throw DataError(fmt::format("{}: {}", where, mismatch));
}

std::string label_refusal(const Loss& loss, Index width, const Shape& shape, Index i, float label) {
  const std::string allowed = wrong_label(loss, width, label);
  if (allowed.empty()) return "";
  return fmt::format("the label at {} is {}; {} needs {}.", place(shape, i), label, name_of(loss),
                     allowed);
}

void check_labels(const Loss& loss, Index width, const Shape& shape, std::span<const float> labels,
                  std::span<const float> weights, std::string_view where) {
  const auto units = static_cast<std::size_t>(target_width(loss, width));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!weights.empty() && weights[i / units] == 0) continue;
    const std::string refusal = label_refusal(loss, width, shape, static_cast<Index>(i), labels[i]);
    if (!refusal.empty()) throw DataError(fmt::format("{}: {}", where, refusal));
  }
}

}  // namespace sonde
