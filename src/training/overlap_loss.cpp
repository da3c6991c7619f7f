#include "training/overlap_loss.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sonde/error.hpp>
#include <vector>

namespace sonde {
namespace {

template <class S>
constexpr bool is_ratio = std::is_same_v<S, Dice> || std::is_same_v<S, Tversky>;

/// Calls f(element, weight, group) for each number that counts.
template <class T, class F>
void for_each_number(const LossBatch<T>& b, F f) {
  const Index vectors = b.count / b.rows;
  const Index units = b.kept.units ? b.width : 1, steps = b.kept.steps ? vectors : 1;
  for (Index i = 0; i < b.count; ++i) {
    const T weight = b.weights == nullptr ? T(1) : b.weights[i];
    if (weight == 0) continue;
    const Index row = b.kept.batch ? i / b.per_step % b.rows : 0;
    const Index step = b.kept.steps ? i / (b.per_step * b.rows) * b.per_step + i % b.per_step : 0;
    const Index group = (row * steps + step) * units;
    for (Index k = 0; k < b.width; ++k) f(i * b.width + k, weight, group + (b.kept.units ? k : 0));
  }
}

/// The value of a ratio, and its derivatives with respect to two of its sums.
struct Ratio {
  double value;
  double by_product;
  double by_outputs;
};

/// 1 - numerator / denominator, from how both change with the sums. Keras' epsilon keeps a group
/// without labels and outputs from 0 / 0.
Ratio ratio(const OverlapSums& s, double factor, double of_product, double of_labels,
            double of_outputs) {
  const double top = factor * s.product;
  const double bottom =
      of_product * s.product + of_labels * s.labels + of_outputs * s.outputs + 1e-7;
  return {1 - top / bottom, -(factor - top / bottom * of_product) / bottom,
          top / bottom * of_outputs / bottom};
}

Ratio value_of(const Dice&, const OverlapSums& s) { return ratio(s, 2, 0, 1, 1); }
Ratio value_of(const Tversky& loss, const OverlapSums& s) {
  return ratio(s, 1, 1 - loss.alpha - loss.beta, loss.alpha, loss.beta);
}
template <class S>
Ratio value_of(const S&, const OverlapSums&) {
  return {};
}

}  // namespace

bool is_overlap(const Loss& loss) noexcept {
  return std::holds_alternative<Dice>(loss) || std::holds_alternative<Tversky>(loss);
}

KeptAxes kept_axes(const Loss& loss, const Shape& output, std::string_view where) {
  return std::visit(
      [&](const auto& spec) -> KeptAxes {
        if constexpr (is_ratio<std::decay_t<decltype(spec)>>) {
          if (spec.axis.empty()) return {};
          const Index rank = output.rank() + 1;
          std::vector<bool> summed(static_cast<std::size_t>(rank), false);
          const auto refuse = [&](std::string_view why) {
            throw ArgumentError(fmt::format(
                "{}: {}: axis = {} {} Its output has {} axes: the batch is 0, time 1, the units "
                "{}. Use {{1, {}}} for a value of each sample, {{0, {}}} for one of each unit.",
                where, spec.name, to_string(to_value(spec.axis)), why, rank, rank - 1, rank - 1,
                rank > 2 ? 1 : 0));
          };
          for (const Index axis : spec.axis) {
            if (axis < -rank || axis >= rank) refuse("is not there.");
            const auto at = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
            if (summed[at]) refuse("names one twice.");
            summed[at] = true;
          }
          for (std::size_t a = 2; a + 1 < summed.size(); ++a)
            if (summed[a] != summed[1]) refuse("keeps some of the axes of a step and sums others.");
          return {!summed.front(), rank > 2 && !summed[1], !summed.back()};
        }
        return {};
      },
      loss);
}

template <class T>
void add_overlaps(const LossBatch<T>& b, OverlapSums* sums) noexcept {
  for_each_number(b, [&](Index i, T given, Index group) {
    const double y = static_cast<double>(b.y[i]), t = static_cast<double>(b.target[i]);
    const double weight = static_cast<double>(given);
    OverlapSums& s = sums[group];
    s.product += weight * (t * y);
    s.labels += weight * t;
    s.outputs += weight * y;
    s.weights += weight;
  });
}

double overlap_values(const Loss& loss, Index groups, double elements, OverlapSums* sums) noexcept {
  double total = 0;
  std::visit(
      [&](const auto& spec) {
        for (Index g = 0; g < groups; ++g) {
          OverlapSums& s = sums[g];
          const Ratio found = value_of(spec, s);
          const double weight = s.weights / elements;
          // A group whose steps are all masked has no value, be its sums what they may.
          total += weight == 0 ? 0 : weight * found.value;
          s.product = weight * found.by_product;
          s.outputs = weight * found.by_outputs;
        }
      },
      loss);
  return total;
}

template <class T>
void overlap_gradient(const LossBatch<T>& b, const OverlapSums* slopes, T scale, T* dy) noexcept {
  std::fill_n(dy, b.count * b.width, T(0));
  for_each_number(b, [&](Index i, T weight, Index group) {
    const double slope =
        slopes[group].product * static_cast<double>(b.target[i]) + slopes[group].outputs;
    dy[i] = scale * weight * static_cast<T>(slope);
  });
}

template <class T>
double overlap_loss(const Loss& loss, const LossBatch<T>& b, T scale, T* dy) noexcept {
  if (b.count == 0) return 0;
  const Index groups = overlap_groups(b.kept, b.rows, b.count / b.rows, b.width);
  std::fill_n(b.sums, groups, OverlapSums{});
  add_overlaps(b, b.sums);
  const Index each = b.count * b.width / groups;
  const auto elements = static_cast<double>(each);
  const double total = overlap_values(loss, groups, elements, b.sums);
  if (dy != nullptr) overlap_gradient(b, b.sums, scale, dy);
  return total;
}

template void add_overlaps(const LossBatch<float>&, OverlapSums*) noexcept;
template void add_overlaps(const LossBatch<double>&, OverlapSums*) noexcept;
template void overlap_gradient(const LossBatch<float>&, const OverlapSums*, float, float*) noexcept;
template void overlap_gradient(const LossBatch<double>&, const OverlapSums*, double,
                               double*) noexcept;
template double overlap_loss(const Loss&, const LossBatch<float>&, float, float*) noexcept;
template double overlap_loss(const Loss&, const LossBatch<double>&, double, double*) noexcept;

}  // namespace sonde
