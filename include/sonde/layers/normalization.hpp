#pragma once
#include <sonde/array.hpp>
#include <sonde/layer.hpp>
#include <sonde/one_or_many.hpp>

namespace sonde {

/// (x - mean) / sqrt(variance), with fixed numbers for each feature; with `invert` the way back.
/// (…, features) → the same shape. Keras: Normalization.
///   Normalization norm;
///   norm.adapt(x);
///   auto y = norm(Input({400, 16}));
/// `axis` counts the batch as 0, as in Keras: what lies on these axes has numbers of its own; none,
/// `.axis = {}`, is one mean and one variance for everything. One mean and variance serve all, a
/// list is for the last of the axes.
/// Weights, unless mean and variance are given: mean, variance, count, of which Keras' files say
/// what an adapted layer has learned; training leaves them alone.
struct Normalization {
  static constexpr std::string_view type = "Normalization";
  OneOrMany<Index> axis = -1;
  OneOrMany<double> mean = {};
  OneOrMany<double> variance = {};
  bool invert = false;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Normalization;
    return fields_of(field("axis", &L::axis), field("mean", &L::mean),
                     field("variance", &L::variance), field("invert", &L::invert),
                     field("name", &L::name), field("trainable", &L::trainable));
  }
  /// Takes mean and variance from data, (samples, …). Call it before the layer is called: it sets
  /// `mean` and `variance`. Throws ArgumentError after that, or for more than one axis.
  void adapt(const Array& data);

  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
