#include <fmt/format.h>

#include <algorithm>
#include <sonde/labeller.hpp>
#include <sonde/predict_recording.hpp>

namespace sonde {
namespace {

/// (windows, steps, outputs), or refused.
void check_output(const Array& y, Index windows, Index steps, const Model& model) {
  const Shape& shape = y.shape();
  if (shape.rank() == 3 && shape[0] == windows && shape[1] == steps) return;
  throw ArgumentError(fmt::format(
      "model \"{}\": gives {} for {} steps; recordings need a label for each step. Use a network "
      "that keeps all steps, as conv-lstm does, or predict in windows of a length that it keeps.",
      model.name(), to_string(shape.without_front().with_front(dynamic)), steps));
}

}  // namespace

Array predict_recording(Model& model, const Array& signal, WholeOptions options) {
  if (signal.shape().rank() != 2)
    throw DataError(fmt::format("predict_recording: expected a signal (time, channels), got {}.",
                                to_string(signal.shape())));
  const Index steps = signal.shape()[0], channels = signal.shape()[1], window = options.window;
  const PredictOptions predict{.batch_size = options.batch_size, .threads = options.threads};
  if (window == 0) {
    Array y = model.predict(signal.reshaped({1, steps, channels}), predict);
    check_output(y, 1, steps, model);
    return y.reshaped({steps, y.shape().last()});
  }
  const Index hop = options.hop > 0 ? options.hop : std::max<Index>(window / 2, 1);
  if (window < 0 || options.hop < 0 || hop > window)
    throw ArgumentError(
        fmt::format("predict_recording: window must be at least 1 and hop from 1 to the window, "
                    "got {} and {}.",
                    window, options.hop));
  if (options.batch_size < 1)
    throw ArgumentError(fmt::format("predict_recording: batch_size must be at least 1, got {}.",
                                    options.batch_size));
  if (steps < window)
    throw DataError(fmt::format(
        "predict_recording: the recording has {} steps, fewer than the window of {}. Take shorter "
        "windows.",
        steps, window));

  return predict_in_windows(signal, {.length = window, .hop = hop}, [&](const Array& x) {
    Array y = model.predict(x, predict);
    check_output(y, x.shape()[0], window, model);
    return y;
  });
}

}  // namespace sonde
