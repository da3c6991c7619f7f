#include <sonde/layers/dropout.hpp>
#include <sonde/layers/spatial_dropout1d.hpp>

namespace sonde {

AnyOp SpatialDropout1D::plan(Planner& planner) const {
  planner.expect_rank(2, "(time, channels)");
  return Dropout{.rate = rate, .noise_shape = Shape{dynamic, 1, dynamic}, .seed = seed}.plan(
      planner);
}

Tensor SpatialDropout1D::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
