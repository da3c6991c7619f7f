#include <gtest/gtest.h>

#include <sonde/networks.hpp>
#include <sonde/predict_recording.hpp>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;

Array wave(Index steps, Index channels) {
  Array signal({steps, channels});
  for (Index i = 0; i < signal.size(); ++i)
    signal.data()[i] = static_cast<float>((i * 37) % 23 - 11) / 7;
  return signal;
}

Model network(const char* name, const Shape& input) {
  return make_network(name, input,
                      {.filters = 3,
                       .kernel_size = 3,
                       .units = 4,
                       .outputs = 3,
                       .activation = ActivationFunction::softmax,
                       .seed = 5});
}

TEST(PredictRecording, whole_is_what_the_model_says_of_the_whole_signal) {
  Model model = network("conv-bilstm", {dynamic, 2});
  const Array signal = wave(97, 2);
  const Array p = predict_recording(model, signal);
  const Array expected = model.predict(signal.reshaped({1, 97, 2}));
  ASSERT_EQ(p.shape(), (Shape{97, 3}));
  for (Index i = 0; i < p.size(); ++i) EXPECT_EQ(p.data()[i], expected.data()[i]);
}

/// The mean over windows, each step weighed by its distance to the window's nearer end.
Array by_hand(Model& model, const Array& signal, Index window, Index hop) {
  const Index steps = signal.shape()[0], channels = signal.shape()[1];
  Array sums({steps, 3});
  std::vector<double> weights(static_cast<std::size_t>(steps));
  std::vector<double> totals(static_cast<std::size_t>(steps * 3));
  for (Index begin = 0;; begin = std::min(begin + hop, steps - window)) {
    const Array y =
        model.predict(signal.slice(begin, begin + window).reshaped({1, window, channels}));
    for (Index t = 0; t < window; ++t) {
      const auto weight = static_cast<double>(std::min(t + 1, window - t));
      weights[static_cast<std::size_t>(begin + t)] += weight;
      for (Index k = 0; k < 3; ++k)
        totals[static_cast<std::size_t>((begin + t) * 3 + k)] +=
            weight * static_cast<double>(y(0, t, k));
    }
    if (begin == steps - window) break;
  }
  for (Index i = 0; i < sums.size(); ++i)
    sums.data()[i] = static_cast<float>(totals[static_cast<std::size_t>(i)] /
                                        weights[static_cast<std::size_t>(i / 3)]);
  return sums;
}

TEST(PredictRecording, windows_are_averaged_with_weights_that_sum_to_one) {
  Model model = network("conv-lstm", {dynamic, 2});
  const Array signal = wave(101, 2);
  for (const auto& [window, hop] : {std::pair<Index, Index>{20, 7}, {20, 20}, {101, 50}, {1, 1}}) {
    const Array p = predict_recording(model, signal, {.window = window, .hop = hop});
    const Array expected = by_hand(model, signal, window, hop);
    for (Index t = 0; t < 101; ++t) {
      float sum = 0;
      for (Index k = 0; k < 3; ++k) {
        EXPECT_NEAR(p(t, k), expected(t, k), 1e-6) << window << " " << t;
        sum += p(t, k);
      }
      EXPECT_NEAR(sum, 1, 1e-5);
    }
  }
}

// A network that carried anything from window to window could count them.
TEST(PredictRecording, windows_do_not_know_where_in_the_recording_they_are) {
  Model model = network("conv-lstm", {dynamic, 1});
  Array signal({60, 1});
  for (Index t = 0; t < 60; ++t) signal(t, 0) = static_cast<float>(t % 10);
  const Array p = predict_recording(model, signal, {.window = 20, .hop = 10});
  for (Index t = 20; t < 30; ++t)
    for (Index k = 0; k < 3; ++k) EXPECT_FLOAT_EQ(p(t, k), p(t + 10, k));
}

TEST(PredictRecording, gives_the_same_bits_whatever_threads_and_batches) {
  Model model = network("conv-bilstm", {dynamic, 2});
  const Array signal = wave(331, 2);
  const Array one = predict_recording(model, signal, {.window = 40, .hop = 9, .threads = 1});
  const Array two =
      predict_recording(model, signal, {.window = 40, .hop = 9, .batch_size = 7, .threads = 2});
  for (Index i = 0; i < one.size(); ++i) ASSERT_EQ(one.data()[i], two.data()[i]);
}

TEST(PredictRecording, works_for_networks_of_one_length_in_windows_only) {
  Model model = network("conv-lstm", {30, 2});
  EXPECT_EQ(predict_recording(model, wave(77, 2), {.window = 30}).shape(), (Shape{77, 3}));
}

TEST(PredictRecording, refuses_what_gives_no_label_for_each_step) {
  Model last = network("conv-pool-lstm-last", {dynamic, 2});
  EXPECT_PRED2(says, refused_with<ArgumentError>([&] { predict_recording(last, wave(50, 2)); }),
               "recordings need a label for each step");
  Model model = network("conv-lstm", {dynamic, 2});
  const auto refused = [&](WholeOptions options) {
    return refused_with<ArgumentError>([&] { predict_recording(model, wave(50, 2), options); });
  };
  EXPECT_PRED2(says, refused({.window = 5, .hop = 6}), "hop from 1 to the window, got 5 and 6");
  EXPECT_PRED2(says, refused({.window = -1}), "window must be at least 1");
  EXPECT_PRED2(says, refused({.window = 5, .batch_size = 0}), "batch_size must be at least 1");
  EXPECT_PRED2(
      says, refused_with<DataError>([&] { predict_recording(model, wave(50, 2), {.window = 51}); }),
      "the recording has 50 steps, fewer than the window of 51");
  EXPECT_PRED2(says, refused_with<DataError>([&] {
                 predict_recording(model, Array({1, 50, 2}));
               }),
               "expected a signal (time, channels)");
}

}  // namespace
}  // namespace sonde
