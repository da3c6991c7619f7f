#pragma once
#include <cstdint>
#include <sonde/fields.hpp>
#include <string_view>
#include <variant>
#include <vector>

/// Learning rates that change with the optimizer's step n = 0, 1, …, with Keras' names, arguments
/// and defaults. Keras: keras.optimizers.schedules.
///
///   Adam{.learning_rate = ExponentialDecay{1e-3, 1000, 0.96}}
namespace sonde {

/// initial_learning_rate * decay_rate ^ (n / decay_steps); `staircase` rounds the exponent down.
struct ExponentialDecay {
  static constexpr std::string_view type = "ExponentialDecay";
  Required<double> initial_learning_rate;
  Required<Index> decay_steps;
  Required<double> decay_rate;
  bool staircase = false;
  std::string name = "ExponentialDecay";

  static constexpr auto fields() {
    using S = ExponentialDecay;
    return fields_of(field("initial_learning_rate", &S::initial_learning_rate),
                     field("decay_steps", &S::decay_steps), field("decay_rate", &S::decay_rate),
                     field("staircase", &S::staircase), field("name", &S::name));
  }
  bool operator==(const ExponentialDecay&) const = default;
};

/// initial_learning_rate / (1 + decay_rate * n / decay_steps).
struct InverseTimeDecay {
  static constexpr std::string_view type = "InverseTimeDecay";
  Required<double> initial_learning_rate;
  Required<Index> decay_steps;
  Required<double> decay_rate;
  bool staircase = false;
  std::string name = "InverseTimeDecay";

  static constexpr auto fields() {
    using S = InverseTimeDecay;
    return fields_of(field("initial_learning_rate", &S::initial_learning_rate),
                     field("decay_steps", &S::decay_steps), field("decay_rate", &S::decay_rate),
                     field("staircase", &S::staircase), field("name", &S::name));
  }
  bool operator==(const InverseTimeDecay&) const = default;
};

/// From the initial rate to end_learning_rate in decay_steps; `cycle` begins again, over longer.
struct PolynomialDecay {
  static constexpr std::string_view type = "PolynomialDecay";
  Required<double> initial_learning_rate;
  Required<Index> decay_steps;
  double end_learning_rate = 0.0001;
  double power = 1.0;
  bool cycle = false;
  std::string name = "PolynomialDecay";

  static constexpr auto fields() {
    using S = PolynomialDecay;
    return fields_of(field("initial_learning_rate", &S::initial_learning_rate),
                     field("decay_steps", &S::decay_steps),
                     field("end_learning_rate", &S::end_learning_rate), field("power", &S::power),
                     field("cycle", &S::cycle), field("name", &S::name));
  }
  bool operator==(const PolynomialDecay&) const = default;
};

/// values[i] for boundaries[i - 1] < n <= boundaries[i]; one value more than boundaries.
struct PiecewiseConstantDecay {
  static constexpr std::string_view type = "PiecewiseConstantDecay";
  Required<std::vector<Index>> boundaries;
  Required<std::vector<double>> values;
  std::string name = "PiecewiseConstant";

  static constexpr auto fields() {
    using S = PiecewiseConstantDecay;
    return fields_of(field("boundaries", &S::boundaries), field("values", &S::values),
                     field("name", &S::name));
  }
  bool operator==(const PiecewiseConstantDecay&) const = default;
};

/// Half a cosine from the initial rate (or warmup_target, after warmup_steps) to `alpha` times it.
struct CosineDecay {
  static constexpr std::string_view type = "CosineDecay";
  Required<double> initial_learning_rate;
  Required<Index> decay_steps;
  double alpha = 0.0;
  std::string name = "CosineDecay";
  std::optional<double> warmup_target = {};
  Index warmup_steps = 0;

  static constexpr auto fields() {
    using S = CosineDecay;
    return fields_of(field("initial_learning_rate", &S::initial_learning_rate),
                     field("decay_steps", &S::decay_steps), field("alpha", &S::alpha),
                     field("name", &S::name), field("warmup_target", &S::warmup_target),
                     field("warmup_steps", &S::warmup_steps));
  }
  bool operator==(const CosineDecay&) const = default;
};

/// Half cosines one after another, each t_mul times as long and m_mul times as high.
struct CosineDecayRestarts {
  static constexpr std::string_view type = "CosineDecayRestarts";
  Required<double> initial_learning_rate;
  Required<Index> first_decay_steps;
  double t_mul = 2.0;
  double m_mul = 1.0;
  double alpha = 0.0;
  std::string name = "SGDRDecay";

  static constexpr auto fields() {
    using S = CosineDecayRestarts;
    return fields_of(field("initial_learning_rate", &S::initial_learning_rate),
                     field("first_decay_steps", &S::first_decay_steps), field("t_mul", &S::t_mul),
                     field("m_mul", &S::m_mul), field("alpha", &S::alpha), field("name", &S::name));
  }
  bool operator==(const CosineDecayRestarts&) const = default;
};

using Schedule = std::variant<ExponentialDecay, InverseTimeDecay, PolynomialDecay,
                              PiecewiseConstantDecay, CosineDecay, CosineDecayRestarts>;

}  // namespace sonde
