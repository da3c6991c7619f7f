#include <sonde/layers/masking.hpp>

#include <algorithm>

namespace sonde {
namespace {

struct MaskingOp {
  float value;

  template <class T>
  void forward(const View<T>& v) const {
    const Chunk<const T> x = v.x();
    v.produce(x.steps);
    T* mask = v.made_mask().data;
    T* y = v.y().data;
    for (Index k = 0; k < x.vectors(); ++k, y += x.width) {
      const T* vector = x.data + k * x.width;
      const bool used =
          std::any_of(vector, vector + x.width, [&](T each) { return each != value; });
      mask[k] = used ? T(1) : T(0);
      if (used) std::copy_n(vector, x.width, y);
      else std::fill_n(y, x.width, T(0));
    }
  }
  template <class T>
  void backward(const View<T>& v) const {
    const Chunk<T> dx = v.dx();
    if (!dx) return;
    const T* mask = v.made_mask().data;
    for (Index k = 0; k < dx.vectors(); ++k)
      for (Index i = 0; i < dx.width; ++i)
        dx.data[k * dx.width + i] = mask[k] * v.dy().data[k * dx.width + i];
  }
};

}  // namespace

AnyOp Masking::plan(Planner& planner) const {
  if (planner.inputs() != 1 || planner.input().rank() < 2)
    planner.refuse("expects an input of shape (time, channels), got " + to_string(planner.input()) +
                   ".");
  planner.output(planner.input());
  planner.make_mask();
  return MaskingOp{mask_value};
}

Tensor Masking::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
