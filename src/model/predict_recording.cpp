#include <fmt/format.h>

#include <algorithm>
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

/// Rises from the window's ends to its middle; never 0, so that each step counts somewhere.
float weight_of(Index place, Index window) {
  return static_cast<float>(std::min(place + 1, window - place));
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

  std::vector<Index> begins;
  for (Index begin = 0;; begin = std::min(begin + hop, steps - window)) {
    begins.push_back(begin);
    if (begin == steps - window) break;
  }
  Array sums, weights({steps});
  std::fill_n(weights.data(), steps, 0.0f);
  for (std::size_t first = 0; first < begins.size();
       first += static_cast<std::size_t>(options.batch_size)) {
    const auto count =
        std::min<Index>(static_cast<Index>(begins.size() - first), options.batch_size);
    Array x({count, window, channels});
    for (Index i = 0; i < count; ++i)
      std::copy_n(signal.data() + begins[first + static_cast<std::size_t>(i)] * channels,
                  window * channels, x.data() + i * window * channels);
    const Array y = model.predict(x, predict);
    check_output(y, count, window, model);
    const Index outputs = y.shape().last();
    if (first == 0) {
      sums = Array({steps, outputs});
      std::fill_n(sums.data(), sums.size(), 0.0f);
    }
    for (Index i = 0; i < count; ++i)
      for (Index t = 0; t < window; ++t) {
        const Index step = begins[first + static_cast<std::size_t>(i)] + t;
        const float weight = weight_of(t, window);
        weights.data()[step] += weight;
        for (Index k = 0; k < outputs; ++k)
          sums.data()[step * outputs + k] += weight * y.data()[(i * window + t) * outputs + k];
      }
  }
  const Index outputs = sums.shape()[1];
  for (Index t = 0; t < steps; ++t)
    for (Index k = 0; k < outputs; ++k) sums.data()[t * outputs + k] /= weights.data()[t];
  return sums;
}

}  // namespace sonde
