#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sonde/callbacks.hpp>
#include <sonde/error.hpp>

// Rules and their order are those of keras.src.callbacks (early_stopping.py and its neighbours).
namespace sonde {
namespace {

Monitor watch(const std::string& name, Direction mode, double min_delta) {
  return {.name = name, .mode = mode, .min_delta = std::abs(min_delta)};
}

}  // namespace

// --- EarlyStopping -------------------------------------------------------------------------------

void EarlyStopping::train_begin(Training&) {
  watched = watch(monitor, mode, min_delta);
  wait = 0;
  best_epoch = 0;
  best_weights.clear();
}

void EarlyStopping::epoch_end(Training& t) {
  const double current = watched.value(t);
  if (t.epoch < start_from_epoch) return;
  if (restore_best_weights && best_weights.empty()) {
    best_weights = t.weights();
    best_epoch = t.epoch;
  }

  ++wait;
  if (watched.improves(current)) {
    best_epoch = t.epoch;
    if (restore_best_weights) best_weights = t.weights();
    // The wait starts again only for a value that beats the baseline as well.
    if (!baseline || watched.better(current, *baseline)) wait = 0;
    return;
  }
  if (wait >= patience && t.epoch > 0)
    t.stop(fmt::format("{} did not improve for {} epoch{}: best {:.6g} in epoch {}.", monitor, wait,
                       wait == 1 ? "" : "s", *watched.best, best_epoch + 1));
}

void EarlyStopping::train_end(Training& t) {
  if (restore_best_weights && !best_weights.empty()) t.set_weights(best_weights);
}

// --- the learning rate ---------------------------------------------------------------------------

void ReduceLROnPlateau::train_begin(Training&) {
  if (!(factor < 1))
    throw ArgumentError(fmt::format(
        "ReduceLROnPlateau: factor must be below 1, got {}. Use 0.1 to divide the rate by ten.",
        factor));
  watched = watch(monitor, mode, min_delta);
  wait = 0;
  cooling = 0;
}

void ReduceLROnPlateau::epoch_end(Training& t) {
  t.logs["learning_rate"] = t.learning_rate();
  const double current = watched.value(t);
  if (cooling > 0) {
    --cooling;
    wait = 0;
  }
  if (watched.improves(current)) {
    wait = 0;
    return;
  }
  if (cooling > 0 || ++wait < patience) return;
  const double rate = t.learning_rate();
  // Keras compares in float32, so that a rate that was set to min_lr is not "above" it.
  if (!(static_cast<float>(rate) > static_cast<float>(min_lr))) return;
  t.set_learning_rate(std::max(rate * factor, min_lr));
  cooling = cooldown;
  wait = 0;
}

void LearningRateScheduler::epoch_begin(Training& t) {
  const double rate = schedule(t.epoch, t.learning_rate());
  if (!std::isfinite(rate))
    throw ArgumentError(
        fmt::format("LearningRateScheduler: schedule({}, …) must return a finite number, got {}.",
                    t.epoch, rate));
  t.set_learning_rate(rate);
}

void LearningRateScheduler::epoch_end(Training& t) { t.logs["learning_rate"] = t.learning_rate(); }

// --- TerminateOnNaN ------------------------------------------------------------------------------

void TerminateOnNaN::batch_end(Training& t) {
  const auto loss = t.logs.find("loss");
  if (loss == t.logs.end() || std::isfinite(loss->second)) return;
  t.stop(
      fmt::format("the loss became {} in epoch {}, batch {}.", loss->second, t.epoch + 1, t.batch));
}

}  // namespace sonde
