#include <fmt/format.h>

#include "graph/activity_penalty.hpp"

namespace sonde {
namespace {

/// An op and the penalties on what it gives.
struct RegularizedOp {
  AnyOp op;
  ActivityPenalty penalty;
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
    for (Index i = 0; i < outputs; ++i) penalty.forward(v, v.y(i));
  }
  template <class T>
  void backward(const View<T>& v) const {
    for (Index i = 0; i < outputs; ++i) penalty.backward(v, v.y(i), v.dy(i).data);
    op.backward(v);
  }
};

}  // namespace

ActivityPenalty ActivityPenalty::plan(Planner& planner, const Regularizer& regularizer) {
  ActivityPenalty p;
  std::visit(
      [&](const auto& r) {
        if constexpr (requires { r.l1; }) p.l1 = r.l1;
        if constexpr (requires { r.l2; }) p.l2 = r.l2;
      },
      regularizer);
  for (const auto& [name, factor] : {std::pair{"l1", p.l1}, std::pair{"l2", p.l2}})
    if (!(factor >= 0) || std::isinf(factor))
      planner.refuse(fmt::format(
          "{} of its activity regularizer must be a number of at least 0, got {}.", name, factor));
  if (!p || planner.streaming()) return {};
  planner.penalize_outputs();
  return p;
}

namespace detail {

AnyOp regularized(Planner& planner, const Regularizer& regularizer, AnyOp op) {
  // Sums before a barrier would see gradients without the penalty's.
  if (planner.backward_sums() > 0)
    throw std::logic_error("an op with batch sums has no activity regularizer");
  const ActivityPenalty penalty = ActivityPenalty::plan(planner, regularizer);
  if (!penalty) return op;
  return RegularizedOp{std::move(op), penalty, static_cast<Index>(planner.outputs().size())};
}

}  // namespace detail

}  // namespace sonde
