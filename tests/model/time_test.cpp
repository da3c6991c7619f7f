#include <gtest/gtest.h>

#include <algorithm>
#include <sonde/layers.hpp>
#include <sonde/model.hpp>

// What a report says is held against what the network does: one input step after the other is
// changed, and every output step that changes with it depends on it.
namespace sonde {
namespace {

struct Seen {
  Index receptive_field = 0;
  Index lookahead = 0;
};

Array signal(Index steps, Index channels) {
  Array x({1, steps, channels});
  std::uint32_t state = 7;
  for (float& v : x.values())
    v = static_cast<float>((state = state * 1664525u + 1013904223u) >> 8) / 1e7f;
  return x;
}

/// `stride`: input steps for each output step. Steps near the ends see padding: left out.
Seen watch(Model& model, double stride) {
  const Index steps = model.time().steps_in, channels = 2, margin = steps / 3;
  const Array x = signal(steps, channels);
  const Array y = model.predict(x, {.threads = 1});
  const Index steps_out = y.shape()[1], width = y.shape()[2];
  std::vector<Index> first(static_cast<std::size_t>(steps_out), steps), last(first.size(), -1);
  for (Index s = 0; s < steps; ++s) {
    Array changed = x;
    for (Index c = 0; c < channels; ++c) changed(0, s, c) += 3;
    const Array z = model.predict(changed, {.threads = 1});
    for (Index t = 0; t < steps_out; ++t)
      if (!std::equal(y.data() + t * width, y.data() + (t + 1) * width, z.data() + t * width)) {
        auto& begin = first[static_cast<std::size_t>(t)];
        begin = std::min(begin, s);
        last[static_cast<std::size_t>(t)] = s;
      }
  }
  Seen seen;
  for (Index t = 0; t < steps_out; ++t) {
    const auto own = static_cast<Index>(static_cast<double>(t) * stride);
    if (own < margin || own >= steps - margin) continue;
    const Index begin = first[static_cast<std::size_t>(t)], end = last[static_cast<std::size_t>(t)];
    seen.receptive_field = std::max(seen.receptive_field, end - begin + 1);
    seen.lookahead = std::max(seen.lookahead, end - own);
  }
  return seen;
}

void expect_as_seen(Tensor x, Tensor y, double stride = 1) {
  Model model(std::move(x), std::move(y), {.seed = 3});
  const Seen seen = watch(model, stride);
  const TimeReport report = model.time();
  ASSERT_TRUE(report.receptive_field);
  EXPECT_EQ(*report.receptive_field, seen.receptive_field);
  EXPECT_EQ(report.lookahead, seen.lookahead);
}

Conv1D conv(Index taps, Padding padding, Index strides = 1, Index dilation = 1) {
  return {.filters = 2,
          .kernel_size = taps,
          .strides = strides,
          .padding = padding,
          .dilation_rate = dilation};
}

TEST(Time, of_a_convolution_is_its_window_over_the_signal) {
  for (const Index taps : {1, 2, 3, 4, 7, 8})
    for (const Padding padding : {Padding::valid, Padding::same, Padding::causal}) {
      SCOPED_TRACE(taps);
      auto x = Input({40, 2});
      expect_as_seen(x, conv(taps, padding)(x));
    }
}

TEST(Time, of_dilated_convolutions_adds_up) {
  auto x = Input({60, 2});
  expect_as_seen(x, conv(3, Padding::same, 1, 4)(conv(3, Padding::causal, 1, 2)(x)));
}

TEST(Time, of_strides_counts_in_steps_of_the_input) {
  auto x = Input({90, 2});
  expect_as_seen(x, conv(3, Padding::same)(conv(5, Padding::valid, 3)(x)), 3);
}

TEST(Time, of_pooling_and_upsampling_is_the_worst_step_of_each_window) {
  auto x = Input({96, 2});
  auto h = AveragePooling1D{.pool_size = 4}(conv(8, Padding::same)(x));
  h = conv(3, Padding::same)(UpSampling1D{.size = 4}(h));
  expect_as_seen(x, h);
}

TEST(Time, of_upsampling_by_another_factor_than_pooling) {
  auto x = Input({96, 2});
  auto h = UpSampling1D{.size = 3}(AveragePooling1D{.pool_size = 4}(x));
  expect_as_seen(x, conv(2, Padding::same)(h), 4.0 / 3.0);
}

TEST(Time, of_branches_is_that_of_the_longest) {
  auto x = Input({60, 2});
  expect_as_seen(x, Add{}({conv(9, Padding::causal)(x), conv(6, Padding::same)(x), x}));
}

TEST(Time, of_padding_and_cropping_is_where_they_put_a_step) {
  auto x = Input({60, 2});
  expect_as_seen(x, Cropping1D{.cropping = {3, 2}}(x));
  expect_as_seen(x, ZeroPadding1D{.padding = {0, 4}}(conv(5, Padding::valid)(x)));
  expect_as_seen(x, conv(5, Padding::valid)(ZeroPadding1D{.padding = {3, 1}}(x)));
}

TEST(Time, of_an_LSTM_is_all_earlier_steps_and_none_later) {
  auto x = Input({400, 2});
  Model model(x, LSTM{.units = 2, .return_sequences = true}(conv(8, Padding::same)(x)));
  const TimeReport report = model.time();
  EXPECT_FALSE(report.receptive_field);
  EXPECT_EQ(report.lookahead, 4);
  EXPECT_EQ(report.steps_in, 400);
  EXPECT_EQ(report.steps_out, 400);
}

TEST(Time, of_one_label_for_the_signal_has_no_steps_out) {
  auto x = Input({40, 2});
  const TimeReport report = Model(x, LSTM{.units = 2}(x)).time();
  EXPECT_EQ(report.steps_in, 40);
  EXPECT_EQ(report.steps_out, 0);
  EXPECT_FALSE(report.receptive_field);
}

TEST(Time, of_what_runs_backwards_or_goes_through_one_vector_is_the_whole_signal) {
  auto x = Input({40, 2});
  const auto backwards = LSTM{.units = 2, .return_sequences = true, .go_backwards = true}(x);
  const auto through_one = RepeatVector{.n = 40}(GlobalAveragePooling1D{}(x));
  const auto reshaped = Reshape{.target_shape = std::vector<Index>{20, 4}}(x);
  for (const Tensor& y : {backwards, through_one, reshaped}) {
    const TimeReport report = Model(x, y).time();
    EXPECT_EQ(report.lookahead, dynamic);
    EXPECT_FALSE(report.receptive_field);
  }
}

TEST(Time, of_a_state_that_another_signal_left_is_that_whole_signal) {
  auto source = Input({30, 2}), target = Input({20, 2});
  auto encoded = LSTM{.units = 4, .return_state = true}.outputs(source);
  auto decoded = LSTM{.units = 4, .return_sequences = true}(target, {encoded[1], encoded[2]});
  const TimeReport report = Model({source, target}, {decoded}).time();
  EXPECT_EQ(report.lookahead, dynamic);
}

TEST(Time, of_no_time_at_all_is_nothing) {
  auto x = Input({7});
  const TimeReport report = Model(x, Dense{.units = 2}(x)).time();
  EXPECT_EQ(report.steps_in, 0);
  EXPECT_EQ(report.steps_out, 0);
}

}  // namespace
}  // namespace sonde
