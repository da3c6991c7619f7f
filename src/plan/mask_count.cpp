#include "plan/mask_count.hpp"

namespace sonde {
namespace {

struct MaskCountOp {
  template <class T>
  void forward_sums(const View<T>& v) const {
    const Chunk<const T> mask = v.x();
    double count = 0;
    for (Index i = 0; i < mask.size(); ++i) count += static_cast<double>(mask.data[i]);
    v.forward_sums()[0] += count;
  }
  template <class T>
  void forward(const View<T>&) const {}
  template <class T>
  void backward(const View<T>&) const {}
};

}  // namespace

AnyOp plan_mask_count(Planner& planner) {
  planner.batch_sums(1, 0);
  return MaskCountOp{};
}

}  // namespace sonde
