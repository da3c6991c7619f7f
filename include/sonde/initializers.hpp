#pragma once
#include <array>
#include <optional>
#include <sonde/fields.hpp>
#include <string_view>
#include <variant>
#include <vector>

/// First values of weights, with Keras' names, arguments and defaults. Keras: keras.initializers.
///
///   Dense{.units = 4, .kernel_initializer = HeNormal{}}
///   LSTM{.units = 32, .recurrent_initializer = Orthogonal{.gain = 0.5}}
///
/// The numbers drawn follow from the model's seed and the weight's name alone: not from the order
/// of layers, and not from `seed`, which is kept only so that a Keras file comes back as it was.
/// Fans: of a matrix (in, out); of a convolution (taps…, channels, filters), in = taps * channels
/// and out = taps * filters; input_axes and output_axes, given together, say otherwise.
namespace sonde {

/// The axes whose product is a fan; empty: the rule above.
using FanAxes = std::optional<std::vector<Index>>;

namespace detail {
template <class S>
constexpr auto fan_fields() {
  return fields_of(field("seed", &S::seed), field("input_axes", &S::input_axes),
                   field("output_axes", &S::output_axes));
}
}  // namespace detail

/// Uniform in ±sqrt(6 / (fan_in + fan_out)).
struct GlorotUniform {
  static constexpr std::string_view type = "GlorotUniform";
  std::optional<Index> seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};

  static constexpr auto fields() { return detail::fan_fields<GlorotUniform>(); }
  bool operator==(const GlorotUniform&) const = default;
};

/// Truncated normal of variance 2 / (fan_in + fan_out).
struct GlorotNormal {
  static constexpr std::string_view type = "GlorotNormal";
  std::optional<Index> seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};

  static constexpr auto fields() { return detail::fan_fields<GlorotNormal>(); }
  bool operator==(const GlorotNormal&) const = default;
};

/// Truncated normal of variance 2 / fan_in.
struct HeNormal {
  static constexpr std::string_view type = "HeNormal";
  std::optional<Index> seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};

  static constexpr auto fields() { return detail::fan_fields<HeNormal>(); }
  bool operator==(const HeNormal&) const = default;
};

/// Uniform in ±sqrt(6 / fan_in).
struct HeUniform {
  static constexpr std::string_view type = "HeUniform";
  std::optional<Index> seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};

  static constexpr auto fields() { return detail::fan_fields<HeUniform>(); }
  bool operator==(const HeUniform&) const = default;
};

/// Truncated normal of variance 1 / fan_in.
struct LecunNormal {
  static constexpr std::string_view type = "LecunNormal";
  std::optional<Index> seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};

  static constexpr auto fields() { return detail::fan_fields<LecunNormal>(); }
  bool operator==(const LecunNormal&) const = default;
};

/// Uniform in ±sqrt(3 / fan_in).
struct LecunUniform {
  static constexpr std::string_view type = "LecunUniform";
  std::optional<Index> seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};

  static constexpr auto fields() { return detail::fan_fields<LecunUniform>(); }
  bool operator==(const LecunUniform&) const = default;
};

/// Orthonormal rows or columns, whichever are fewer, times `gain`; all axes but the last are one.
struct Orthogonal {
  static constexpr std::string_view type = "Orthogonal";
  double gain = 1.0;
  std::optional<Index> seed = {};

  static constexpr auto fields() {
    return fields_of(field("gain", &Orthogonal::gain), field("seed", &Orthogonal::seed));
  }
  bool operator==(const Orthogonal&) const = default;
};

struct RandomNormal {
  static constexpr std::string_view type = "RandomNormal";
  double mean = 0.0;
  double stddev = 0.05;
  std::optional<Index> seed = {};

  static constexpr auto fields() {
    return fields_of(field("mean", &RandomNormal::mean), field("stddev", &RandomNormal::stddev),
                     field("seed", &RandomNormal::seed));
  }
  bool operator==(const RandomNormal&) const = default;
};

/// Uniform in [minval, maxval).
struct RandomUniform {
  static constexpr std::string_view type = "RandomUniform";
  double minval = -0.05;
  double maxval = 0.05;
  std::optional<Index> seed = {};

  static constexpr auto fields() {
    return fields_of(field("minval", &RandomUniform::minval),
                     field("maxval", &RandomUniform::maxval), field("seed", &RandomUniform::seed));
  }
  bool operator==(const RandomUniform&) const = default;
};

/// A normal cut at mean ± 2 stddev; the cut makes it 0.88 times as wide as `stddev` says.
struct TruncatedNormal {
  static constexpr std::string_view type = "TruncatedNormal";
  double mean = 0.0;
  double stddev = 0.05;
  std::optional<Index> seed = {};

  static constexpr auto fields() {
    return fields_of(field("mean", &TruncatedNormal::mean),
                     field("stddev", &TruncatedNormal::stddev),
                     field("seed", &TruncatedNormal::seed));
  }
  bool operator==(const TruncatedNormal&) const = default;
};

enum class FanMode { fan_in, fan_out, fan_avg };
constexpr auto enum_names(FanMode) {
  return std::array<std::string_view, 3>{"fan_in", "fan_out", "fan_avg"};
}

enum class Distribution {
  truncated_normal,
  uniform,
  untruncated_normal,
  normal,  ///< an older name of truncated_normal
};
constexpr auto enum_names(Distribution) {
  return std::array<std::string_view, 4>{"truncated_normal", "uniform", "untruncated_normal",
                                         "normal"};
}

/// Variance scale / fan, from the given distribution: what Glorot, He and LeCun are cases of.
struct VarianceScaling {
  static constexpr std::string_view type = "VarianceScaling";
  double scale = 1.0;
  FanMode mode = FanMode::fan_in;
  Distribution distribution = Distribution::truncated_normal;
  std::optional<Index> seed = {};
  FanAxes input_axes = {};
  FanAxes output_axes = {};

  static constexpr auto fields() {
    return std::tuple_cat(
        fields_of(field("scale", &VarianceScaling::scale), field("mode", &VarianceScaling::mode),
                  field("distribution", &VarianceScaling::distribution)),
        detail::fan_fields<VarianceScaling>());
  }
  bool operator==(const VarianceScaling&) const = default;
};

struct Zeros {
  static constexpr std::string_view type = "Zeros";
  static constexpr auto fields() { return fields_of(); }
  bool operator==(const Zeros&) const = default;
};

struct Ones {
  static constexpr std::string_view type = "Ones";
  static constexpr auto fields() { return fields_of(); }
  bool operator==(const Ones&) const = default;
};

/// One number everywhere. (Keras also takes a whole array here; such a file is refused.)
struct Constant {
  static constexpr std::string_view type = "Constant";
  double value = 0.0;

  static constexpr auto fields() { return fields_of(field("value", &Constant::value)); }
  bool operator==(const Constant&) const = default;
};

/// `gain` on the diagonal of a matrix, zeros elsewhere. Keras: Identity.
struct IdentityMatrix {
  static constexpr std::string_view type = "Identity";
  double gain = 1.0;

  static constexpr auto fields() { return fields_of(field("gain", &IdentityMatrix::gain)); }
  bool operator==(const IdentityMatrix&) const = default;
};

using Initializer =
    std::variant<GlorotUniform, GlorotNormal, HeNormal, HeUniform, LecunNormal, LecunUniform,
                 Orthogonal, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, Zeros,
                 Ones, Constant, IdentityMatrix>;

}  // namespace sonde
