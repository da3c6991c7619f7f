#include <sonde/layers/rescaling.hpp>

#include "layers/one_input.hpp"

namespace sonde {
namespace {

struct RescalingOp {
  std::vector<double> scale, offset;  // for each feature

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    const T* x = v.x().data;
    T* y = v.y().data;
    for (const T* const end = x + v.x().size(); x < end;)
      for (std::size_t i = 0; i < scale.size(); ++i)
        *y++ = *x++ * static_cast<T>(scale[i]) + static_cast<T>(offset[i]);
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const T* dy = v.dy().data;
    T* dx = v.dx().data;
    for (const T* const end = dy + v.dy().size(); dy < end;)
      for (const double each : scale) *dx++ = *dy++ * static_cast<T>(each);
  }
};

std::vector<double> for_features(const Planner& planner, const char* name,
                                 const OneOrMany<double>& given) {
  const Index features = planner.input().last();
  if (given.size() != 1 && given.size() != features)
    planner.refuse(
        fmt::format("{} must be one number, or one for each of the {} features, got {} numbers.",
                    name, features, given.size()));
  std::vector<double> all(given.begin(), given.end());
  if (given.size() == 1) all.assign(static_cast<std::size_t>(features), given[0]);
  return all;
}

}  // namespace

AnyOp Rescaling::plan(Planner& planner) const {
  expect_one_input(planner);
  planner.output(planner.input());
  planner.pass_mask();
  return RescalingOp{for_features(planner, "scale", *scale),
                     for_features(planner, "offset", offset)};
}

Tensor Rescaling::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
