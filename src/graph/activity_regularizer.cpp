#include <fmt/format.h>

#include <cmath>
#include <sonde/layer.hpp>

namespace sonde {
namespace {

/// An op and the penalties on what it gives.
struct RegularizedOp {
  AnyOp op;
  double l1, l2;
  Index outputs;

  template <class T>
  void pack(const View<T>& v) const {
    op.pack(v);
  }
  template <class T>
  void after_batch(const View<T>& v) const {
    op.after_batch(v);
  }
  template <class T>
  void forward(const View<T>& v) const {
    op.forward(v);
    if (double* total = v.penalty())
      for (Index i = 0; i < outputs; ++i) *total += penalty(v.y(i));
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (v.penalty())
      for (Index i = 0; i < outputs; ++i) add_gradient(v.y(i), v.dy(i).data, v.batch_rows());
    op.backward(v);
  }

  /// Summed in lanes of a constant number, in one order whatever the machine.
  template <class T>
  double penalty(const Chunk<T>& y) const {
    constexpr Index lanes = 8;
    double absolute[lanes] = {}, square[lanes] = {};
    const auto add = [&](Index lane, double value) {
      absolute[lane] += std::fabs(value);
      square[lane] += value * value;
    };
    Index i = 0;
    for (; i + lanes <= y.size(); i += lanes)
      for (Index lane = 0; lane < lanes; ++lane) add(lane, static_cast<double>(y.data[i + lane]));
    for (Index lane = 0; i + lane < y.size(); ++lane)
      add(lane, static_cast<double>(y.data[i + lane]));
    double sum = 0;
    for (Index lane = 0; lane < lanes; ++lane) sum += l1 * absolute[lane] + l2 * square[lane];
    return sum;
  }
  template <class T>
  void add_gradient(const Chunk<T>& y, T* dy, Index batch_rows) const {
    const auto rows = static_cast<double>(batch_rows);
    const T slope = static_cast<T>(l1 / rows), pull = static_cast<T>(2 * l2 / rows);
    for (Index i = 0; i < y.size(); ++i) {
      const T sign = static_cast<T>((y.data[i] > 0) - (y.data[i] < 0));
      dy[i] += slope * sign + pull * y.data[i];
    }
  }
};

}  // namespace

namespace detail {

AnyOp regularized(Planner& planner, const Regularizer& regularizer, AnyOp op) {
  double l1 = 0, l2 = 0;
  std::visit(
      [&](const auto& r) {
        if constexpr (requires { r.l1; }) l1 = r.l1;
        if constexpr (requires { r.l2; }) l2 = r.l2;
      },
      regularizer);
  for (const auto& [name, factor] : {std::pair{"l1", l1}, std::pair{"l2", l2}})
    if (!(factor >= 0) || std::isinf(factor))
      planner.refuse(fmt::format(
          "{} of its activity regularizer must be a number of at least 0, got {}.", name, factor));
  // Sums before a barrier would see gradients without the penalty's.
  if (planner.backward_sums() > 0)
    throw std::logic_error("an op with batch sums has no activity regularizer");
  if ((l1 == 0 && l2 == 0) || planner.streaming()) return op;
  planner.penalize_outputs();
  return RegularizedOp{std::move(op), l1, l2, static_cast<Index>(planner.outputs().size())};
}

}  // namespace detail

}  // namespace sonde
