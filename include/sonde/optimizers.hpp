#pragma once
#include <concepts>
#include <optional>
#include <sonde/schedules.hpp>
#include <string>
#include <string_view>
#include <variant>

/// How weights follow their gradients, with Keras' names, arguments, defaults and formulas.
/// Keras: keras.optimizers.
///
///   model.compile({.optimizer = Adam{.learning_rate = 1e-3f, .clipnorm = 1.0}, …});
///   model.compile({.optimizer = SGD{.learning_rate = CosineDecay{0.1, 1000}, .momentum = 0.9},
///   …});
///
/// What all of them take, in the order in which it acts:
///   clipnorm, global_clipnorm, clipvalue  bound the gradient: the norm of each weight's, that of
///   all
///                      together, or each number. At most one of the three.
///   weight_decay       w -= w * weight_decay * learning_rate before the step; for every weight.
///   use_ema            keeps the average ema_momentum * average + (1 - ema_momentum) * w, and puts
///                      it in the place of the weights when training ends, and before that every
///                      ema_overwrite_frequency steps.
///   loss_scale_factor, gradient_accumulation_steps  refused: left out, or null.
namespace sonde {

/// A number, or a schedule. A whole number does not compile: 1 was meant as 1.0 or as 1e-3.
class LearningRate {
 public:
  /// Rounded to float, as Keras keeps it.
  template <std::floating_point F>
  LearningRate(F rate) : rate_(static_cast<double>(static_cast<float>(rate))) {}
  template <class S>
  requires std::constructible_from<Schedule, S> &&(!std::is_arithmetic_v<S>)LearningRate(S schedule)
      : schedule_(Schedule(std::move(schedule))) {}

  /// Null when the rate is a number.
  const Schedule* schedule() const { return schedule_ ? &*schedule_ : nullptr; }
  /// The number, when there is no schedule.
  double rate() const { return rate_; }
  /// At the optimizer's step `iteration`, counted from 0.
  double at(std::int64_t iteration) const;
  bool operator==(const LearningRate&) const = default;

 private:
  double rate_ = 0;
  std::optional<Schedule> schedule_;
};

Value to_value(const LearningRate& rate);
void from_value(const Value& value, const Where& where, LearningRate& out);

namespace detail {
template <class S>
constexpr auto clip_fields() {
  return fields_of(field("clipnorm", &S::clipnorm), field("clipvalue", &S::clipvalue),
                   field("global_clipnorm", &S::global_clipnorm), field("use_ema", &S::use_ema),
                   field("ema_momentum", &S::ema_momentum),
                   field("ema_overwrite_frequency", &S::ema_overwrite_frequency),
                   field("loss_scale_factor", &S::loss_scale_factor),
                   field("gradient_accumulation_steps", &S::gradient_accumulation_steps),
                   field("name", &S::name));
}
}  // namespace detail

/// Without momentum w -= rate * g; with it v = momentum * v - rate * g and w += v, or with nesterov
/// w += momentum * v - rate * g.
struct SGD {
  static constexpr std::string_view type = "SGD";
  LearningRate learning_rate = 0.01;
  double momentum = 0.0;
  bool nesterov = false;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {};
  std::optional<double> clipvalue = {};
  std::optional<double> global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<double> loss_scale_factor = {};
  std::optional<Index> gradient_accumulation_steps = {};
  std::string name = "sgd";

  static constexpr auto fields() {
    using S = SGD;
    return std::tuple_cat(
        fields_of(field("learning_rate", &S::learning_rate), field("momentum", &S::momentum),
                  field("nesterov", &S::nesterov), field("weight_decay", &S::weight_decay)),
        detail::clip_fields<S>());
  }
  bool operator==(const SGD&) const = default;
};

/// Adam with Keras' epsilon: added to sqrt(v), the bias corrections being in the rate.
/// Kingma and Ba, Adam: A Method for Stochastic Optimization (2015), the form of section 2.
struct Adam {
  static constexpr std::string_view type = "Adam";
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {};
  std::optional<double> clipvalue = {};
  std::optional<double> global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<double> loss_scale_factor = {};
  std::optional<Index> gradient_accumulation_steps = {};
  std::string name = "adam";

  static constexpr auto fields() {
    using S = Adam;
    return std::tuple_cat(
        fields_of(field("learning_rate", &S::learning_rate), field("beta_1", &S::beta_1),
                  field("beta_2", &S::beta_2), field("epsilon", &S::epsilon),
                  field("amsgrad", &S::amsgrad), field("weight_decay", &S::weight_decay)),
        detail::clip_fields<S>());
  }
  bool operator==(const Adam&) const = default;
};

/// Adam with weight decay from the start. Loshchilov and Hutter, Decoupled Weight Decay
/// Regularization (2019).
struct AdamW {
  static constexpr std::string_view type = "AdamW";
  LearningRate learning_rate = 0.001;
  std::optional<double> weight_decay = 0.004;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  std::optional<double> clipnorm = {};
  std::optional<double> clipvalue = {};
  std::optional<double> global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<double> loss_scale_factor = {};
  std::optional<Index> gradient_accumulation_steps = {};
  std::string name = "adamw";

  static constexpr auto fields() {
    using S = AdamW;
    return std::tuple_cat(fields_of(field("learning_rate", &S::learning_rate),
                                    field("weight_decay", &S::weight_decay),
                                    field("beta_1", &S::beta_1), field("beta_2", &S::beta_2),
                                    field("epsilon", &S::epsilon), field("amsgrad", &S::amsgrad)),
                          detail::clip_fields<S>());
  }
  bool operator==(const AdamW&) const = default;
};

/// Divides by a running root mean square of the gradient; epsilon stands inside the root.
struct RMSprop {
  static constexpr std::string_view type = "RMSprop";
  LearningRate learning_rate = 0.001;
  double rho = 0.9;
  double momentum = 0.0;
  double epsilon = 1e-7;
  bool centered = false;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {};
  std::optional<double> clipvalue = {};
  std::optional<double> global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<double> loss_scale_factor = {};
  std::optional<Index> gradient_accumulation_steps = {};
  std::string name = "rmsprop";

  static constexpr auto fields() {
    using S = RMSprop;
    return std::tuple_cat(
        fields_of(field("learning_rate", &S::learning_rate), field("rho", &S::rho),
                  field("momentum", &S::momentum), field("epsilon", &S::epsilon),
                  field("centered", &S::centered), field("weight_decay", &S::weight_decay)),
        detail::clip_fields<S>());
  }
  bool operator==(const RMSprop&) const = default;
};

/// Divides by the root of all squared gradients so far. Duchi, Hazan, Singer (2011).
struct Adagrad {
  static constexpr std::string_view type = "Adagrad";
  LearningRate learning_rate = 0.001;
  double initial_accumulator_value = 0.1;
  double epsilon = 1e-7;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {};
  std::optional<double> clipvalue = {};
  std::optional<double> global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<double> loss_scale_factor = {};
  std::optional<Index> gradient_accumulation_steps = {};
  std::string name = "adagrad";

  static constexpr auto fields() {
    using S = Adagrad;
    return std::tuple_cat(
        fields_of(field("learning_rate", &S::learning_rate),
                  field("initial_accumulator_value", &S::initial_accumulator_value),
                  field("epsilon", &S::epsilon), field("weight_decay", &S::weight_decay)),
        detail::clip_fields<S>());
  }
  bool operator==(const Adagrad&) const = default;
};

using Optimizer = std::variant<SGD, Adam, AdamW, RMSprop, Adagrad>;

/// "adam", "sgd", "adamw", "rmsprop", "adagrad", with Keras' defaults. Throws ArgumentError.
Optimizer optimizer_from_name(std::string_view name);

}  // namespace sonde
