#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sonde/calibration.hpp>
#include <sonde/labeller.hpp>
#include <sonde/layers.hpp>
#include <sonde/networks.hpp>

#include "tests/support/files.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::same_bits;
using testing::says;

constexpr Index open = dynamic;

Model network(Index time, Index channels, Index outputs = 1, std::string_view name = "conv-lstm") {
  return make_network(
      name, {time, channels},
      {.filters = 3,
       .kernel_size = 3,
       .units = 3,
       .outputs = outputs,
       .activation = outputs == 1 ? ActivationFunction::sigmoid : ActivationFunction::softmax,
       .seed = 5});
}

Recording recording(Index steps, Index channels, double frequency = 0) {
  Recording made;
  made.name = "night";
  made.signal = Array({steps, channels});
  for (Index i = 0; i < made.signal.size(); ++i)
    made.signal.data()[i] = static_cast<float>(std::sin(0.3 * static_cast<double>(i * i % 101)));
  made.frequency = frequency;
  return made;
}

Array probabilities_of(Model model, const Array& signal) {
  const Shape& shape = signal.shape();
  const Array y = model.predict(signal.reshaped({1, shape[0], shape[1]}));
  return y.reshaped({shape[0], y.shape()[2]});
}

TEST(Labeller, gives_labels_and_intervals_of_what_the_model_predicts) {
  const Recording night = recording(57, 2, 50);
  const Array p = probabilities_of(network(open, 2, 3), night.signal);
  Labeller labeller(network(open, 2, 3), {.frequency = 50, .background = 2});
  const LabelledRecording found = labeller.label(night);
  EXPECT_TRUE(same_bits<float>(found.probabilities.values(), p.values()));
  EXPECT_EQ(found.labels, labels_from(p, 50, {}, 2));
  EXPECT_EQ(found.frequency, 50);
  ASSERT_FALSE(found.intervals.empty());
  for (const FoundInterval& each : found.intervals) {
    double sum = 0;
    for (Index t = each.begin; t < each.end; ++t) {
      EXPECT_EQ(found.labels[static_cast<std::size_t>(t)], each.label);
      sum += static_cast<double>(p(t, each.label));
    }
    EXPECT_NEAR(each.probability, sum / static_cast<double>(each.steps()), 1e-12);
  }
}

TEST(Labeller, applies_scale_temperature_and_settings_in_seconds) {
  Recording night = recording(64, 2, 10);
  const Recipe recipe{.frequency = 10,
                      .normalizer = Normalizer{Scaling::per_channel, {0.5, -1}, {2, 0.25}},
                      .temperature = 2.5,
                      .post_processing = {.threshold = 0.47, .duration_seconds = 0.5}};
  Array scaled = night.signal;
  recipe.normalizer->apply(scaled);
  Array p = probabilities_of(network(open, 2), scaled);
  apply_temperature(p.values(), 1, 2.5);
  const LabelledRecording found = Labeller(network(open, 2), recipe).label(night);
  EXPECT_TRUE(same_bits<float>(found.probabilities.values(), p.values()));
  EXPECT_EQ(found.labels, labels_from(p, 10, recipe.post_processing));
  for (const FoundInterval& each : found.intervals) EXPECT_GE(each.steps(), 5);
}

TEST(Labeller, takes_channels_by_name_wherever_they_stand) {
  Recording night = recording(30, 3);
  night.channels = {"EOG", "C3", "C4"};
  Array picked({30, 2});
  for (Index t = 0; t < 30; ++t) {
    picked(t, 0) = night.signal(t, 2);
    picked(t, 1) = night.signal(t, 0);
  }
  Labeller labeller(network(open, 2), {.channels = {"C4", "EOG"}});
  EXPECT_TRUE(same_bits<float>(labeller.label(night).probabilities.values(),
                               probabilities_of(network(open, 2), picked).values()));
  night.channels = {"EOG", "C3", "Cz"};
  EXPECT_PRED2(
      says, refused_with<DataError>([&] { labeller.label(night); }),
      "recording \"night\": has no channel \"C4\", which the model needs; it has EOG, C3, Cz");
}

TEST(Labeller, takes_missing_values_for_the_middle_and_says_nothing_in_a_pause) {
  Recording night = recording(40, 2);
  Array filled = night.signal;
  for (const Index t : {11, 12, 13}) {
    filled(t, 0) = filled(t, 1) = 0;
    night.signal(t, 0) = std::nanf("");
    night.signal(t, 1) = std::numeric_limits<float>::infinity();
  }
  filled(20, 1) = 0;
  night.signal(20, 1) = std::nanf("");
  Labeller labeller(network(open, 2), {.post_processing = {.threshold = 0}});
  const LabelledRecording found = labeller.label(night);
  const Array expected = probabilities_of(network(open, 2), filled);
  for (Index t = 0; t < 40; ++t) {
    const bool pause = t >= 11 && t < 14;
    EXPECT_EQ(std::isnan(found.probabilities(t, 0)), pause);
    EXPECT_EQ(found.labels[static_cast<std::size_t>(t)], !pause);
    if (!pause) {
      EXPECT_EQ(found.probabilities(t, 0), expected(t, 0));
    }
  }
  ASSERT_EQ(found.intervals.size(), 2u);
  EXPECT_EQ(found.intervals[0].end, 11);
  EXPECT_EQ(found.intervals[1].begin, 14);
}

TEST(Labeller, labels_what_is_a_pause_or_nothing_at_all) {
  Labeller labeller(network(open, 2));
  Recording night = recording(5, 2);
  for (float& v : night.signal.values()) v = std::nanf("");
  EXPECT_EQ(labeller.label(night).labels, std::vector<Index>(5, 0));
  EXPECT_TRUE(labeller.label(night).intervals.empty());
  EXPECT_EQ(labeller.label(recording(1, 2)).labels.size(), 1u);
  EXPECT_TRUE(labeller.label(recording(0, 2)).labels.empty());
}

TEST(Windows, overlap_to_weights_that_sum_to_one) {
  for (const Index steps : {1, 7, 8, 9, 31, 100})
    for (const Index hop : {1, 3, 8}) {
      const Array signal = recording(steps, 2).signal;
      Index seen = 0;
      const Array same = predict_in_windows(signal, {8, hop}, [&](const Array& x) {
        EXPECT_EQ(x.shape()[1], std::min<Index>(8, steps));
        seen += x.shape()[0];
        return x;
      });
      EXPECT_EQ(same.shape(), signal.shape());
      for (Index i = 0; i < same.size(); ++i)
        EXPECT_NEAR(same.data()[i], signal.data()[i], 1e-6) << steps << " " << hop;
      EXPECT_EQ(seen, steps <= 8 ? 1 : (steps - 8 + hop - 1) / hop + 1);
    }
}

TEST(Windows, count_less_towards_their_ends) {
  // Windows [0, 4) and [2, 6) say 0 and 1: steps 2 and 3 have weights 2:1 and 1:2.
  const Array mixed = predict_in_windows(Array({6, 1}), {4, 2}, [&](const Array& x) {
    Array y({x.shape()[0], 4, 1});
    for (Index i = 0; i < y.size(); ++i) y.data()[i] = static_cast<float>(i / 4);
    return y;
  });
  const float expected[] = {0, 0, 1.0f / 3, 2.0f / 3, 1, 1};
  for (Index t = 0; t < 6; ++t) EXPECT_NEAR(mixed(t, 0), expected[t], 1e-6);
}

TEST(Labeller, gives_a_model_of_one_length_what_it_takes) {
  for (const Index steps : {3, 20, 21, 77}) {
    const Recording night = recording(steps, 2);
    const LabelledRecording found = Labeller(network(20, 2)).label(night);
    ASSERT_EQ(found.probabilities.shape(), (Shape{steps, 1}));
    if (steps == 20) {
      EXPECT_TRUE(same_bits<float>(found.probabilities.values(),
                                   probabilities_of(network(20, 2), night.signal).values()));
    }
  }
}

TEST(Labeller, predicts_in_windows_where_the_recipe_says_so) {
  const Recording night = recording(50, 2);
  Labeller labeller(network(open, 2), {.windows = PredictionWindows{20, 10}});
  const LabelledRecording found = labeller.label(night);
  const auto window = [&](Index begin) {
    return probabilities_of(network(open, 2), night.signal.slice(begin, begin + 20));
  };
  const Array first = window(0), second = window(10);
  for (Index t = 0; t < 10; ++t) EXPECT_EQ(found.probabilities(t, 0), first(t, 0));
  const float weight = 10.0f / 11;  // of step 10: 10 before the end of one, first of the other
  EXPECT_NEAR(found.probabilities(10, 0), weight * first(10, 0) + (1 - weight) * second(0, 0),
              1e-6);
}

TEST(Labeller, comes_back_from_its_file) {
  const testing::TemporaryFolder folder;
  const Recording night = recording(64, 2, 10);
  Labeller labeller(network(open, 2),
                    {.frequency = 10, .temperature = 0.5, .classes = {"none", "spindle"}});
  labeller.save(folder / "m.keras");
  Labeller loaded = Labeller::load(folder / "m.keras");
  EXPECT_EQ(loaded.label(night).labels, labeller.label(night).labels);
  EXPECT_TRUE(same_bits<float>(loaded.label(night).probabilities.values(),
                               labeller.label(night).probabilities.values()));
  EXPECT_EQ(loaded.recipe().name_of(1), "spindle");
}

TEST(Labeller, refuses_recordings_that_are_not_the_models) {
  Labeller labeller(network(open, 2), {.frequency = 250});
  EXPECT_PRED2(says, refused_with<DataError>([&] { labeller.label(recording(9, 3)); }),
               "3 channels, the model takes 2");
  EXPECT_PRED2(says, refused_with<ArgumentError>([&] { labeller.label(recording(9, 2, 99.1234)); }),
               "resample: from 99.1234 to 250 Hz is no ratio of whole numbers up to 10000");
}

TEST(Labeller, resamples_for_the_network_and_labels_the_steps_that_were_recorded) {
  const Recording fast = recording(81, 2, 100);
  Recording slow = fast;
  slow.signal = resample(fast.signal, 100, 50), slow.frequency = 50;
  Labeller labeller(network(open, 2, 3), {.frequency = 50});
  const LabelledRecording of_network = labeller.label(slow), found = labeller.label(fast);
  EXPECT_EQ(found.frequency, 100);
  ASSERT_EQ(found.probabilities.shape(), (Shape{81, 3}));
  for (Index t = 0; t < 81; ++t) {
    const Index nearest = std::min<Index>((t + 1) / 2, 40);
    EXPECT_EQ(found.labels[static_cast<std::size_t>(t)],
              of_network.labels[static_cast<std::size_t>(nearest)])
        << t;
    EXPECT_EQ(found.probabilities(t, 1), of_network.probabilities(nearest, 1)) << t;
  }
  for (const FoundInterval& each : found.intervals) EXPECT_LE(each.end, 81);
  EXPECT_EQ(labeller.label(recording(0, 2, 100)).labels.size(), 0u);
  EXPECT_EQ(labeller.label(recording(1, 2, 100)).labels.size(), 1u);
}

TEST(Labeller, can_be_given_each_channel_by_itself) {
  const Recording second = channel_of(recording(30, 2, 50), 1);
  const LabelledRecording found = Labeller(network(open, 1), {.each_channel = true}).label(second);
  EXPECT_EQ(found.labels.size(), 30u);
  EXPECT_PRED2(
      says, refused_with<ArgumentError>([] { Labeller(network(open, 2), {.each_channel = true}); }),
      "each_channel");
}

TEST(Labeller, makes_one_labelling_of_what_it_says_of_each_channel) {
  Recording night = recording(60, 3, 50);
  night.channels = {"i", "ii", "iii"};
  night.signal(20, 0) = night.signal(20, 1) = night.signal(20, 2) = std::nanf("");
  night.signal(30, 0) = std::nanf("");
  const Recipe each{
      .each_channel = true,
      .frequency = 50,
      .normalizer =
          Normalizer{.scaling = Scaling::per_channel_robust, .center = {0.25f}, .scale = {2}},
      .classes = {"none", "p", "t"}};
  Recipe all = each;
  all.combine_channels = true;
  all.temperature = 2;
  all.post_processing.gap_seconds = 0.1;
  Labeller one(network(open, 1, 3), each), together(network(open, 1, 3), all);
  std::vector<Array> said;
  for (Index c = 0; c < 3; ++c) said.push_back(one.label(channel_of(night, c)).probabilities);
  for (float& p : said[0].values().subspan(30 * 3, 3)) EXPECT_TRUE(std::isnan(p)) << "a pause";
  // There the first channel is its middle to the network; only where all are missing nothing is
  // said.
  night.signal(30, 0) = 0.25f;
  said[0] = one.label(channel_of(night, 0)).probabilities;
  Array expected = pooled_probabilities(said);
  apply_temperature(expected.values(), 3, 2);
  night.signal(30, 0) = std::nanf("");
  const LabelledRecording found = together.label(night);
  ASSERT_EQ(found.labels.size(), 60u);
  for (Index t = 0; t < 60; ++t)
    for (Index k = 0; k < 3; ++k) {
      EXPECT_EQ(std::isnan(found.probabilities(t, k)), t == 20);
      if (t != 20) {
        EXPECT_EQ(found.probabilities(t, k), expected(t, k));
      }
    }
  // A channel that was not recorded at all has no say.
  Recording two = night;
  for (Index t = 0; t < 60; ++t) two.signal(t, 2) = std::nanf("");
  Recording without = night;
  without.signal = Array({60, 2});
  without.channels = {"i", "ii"};
  for (Index t = 0; t < 60; ++t)
    for (Index c = 0; c < 2; ++c) without.signal(t, c) = night.signal(t, c);
  EXPECT_TRUE(same_bits<float>(together.label(two).probabilities.values(),
                               together.label(without).probabilities.values()));
  const Recording alone = channel_of(night, 1);
  EXPECT_EQ(together.label(alone).labels.size(), 60u) << "one channel is enough";
  EXPECT_PRED2(says, refused_with<ArgumentError>([] {
                 Labeller(network(open, 1), {.combine_channels = true});
               }),
               "combine_channels needs each_channel");
}

TEST(Labeller, refuses_models_and_recipes_that_give_no_labels) {
  const auto message = [](Model model, Recipe recipe = {}) {
    return refused_with<ArgumentError>([&] { Labeller(std::move(model), std::move(recipe)); });
  };
  EXPECT_PRED2(says, message(network(40, 2, 1, "conv-pool-lstm-last")), "one label for each step");
  const Tensor x = Input({open, 2});
  EXPECT_PRED2(says, message(Model(x, Dense{.units = 1}(x))),
               "does not end in the probabilities of classes: 1 outputs, linear");
  EXPECT_PRED2(says, message(Model(x, Dense{.units = 3, .activation = Activation::sigmoid}(x))),
               "3 outputs, sigmoid");
  EXPECT_PRED2(says, message(network(open, 2), {.channels = {"a"}}), "1 channels");
  EXPECT_PRED2(says, message(network(open, 2), {.classes = {"a", "b", "c"}}), "3 classes");
  EXPECT_PRED2(says, message(network(open, 2), {.background = 2}), "background is class 2");
  EXPECT_PRED2(says, message(network(open, 2), {.temperature = 0}), "temperature");
  EXPECT_PRED2(says, message(network(20, 2), {.windows = PredictionWindows{30, 10}}),
               "windows of 30 steps");
  EXPECT_PRED2(
      says, message(network(open, 2), {.normalizer = Normalizer{Scaling::per_channel, {1}, {1}}}),
      "1 scales of channels");
}

}  // namespace
}  // namespace sonde
