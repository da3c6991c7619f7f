#include <gtest/gtest.h>

#include <cmath>
#include <sonde/error.hpp>
#include <sonde/recordings.hpp>

#include "tests/support/files.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::same_bits;
using testing::says;

Recording night() {
  Recording made;
  made.name = "ann/night";
  made.group = "ann";
  made.frequency = 50;
  made.channels = {"C3/A2", ""};
  made.signal = Array({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6});
  return made;
}

/// Both channels of it, with labels and weights.
std::vector<Recording> apart() {
  std::vector<Recording> channels = {channel_of(night(), 0), channel_of(night(), 1)};
  for (Recording& each : channels) {
    each.units = {"uV"};
    each.labels = Array({3, 1}, std::vector<float>{0, 2, 1});
    each.weights = Array({3}, std::vector<float>{1, 1, 0});
  }
  return channels;
}

TEST(Channels, are_taken_out_of_a_recording_by_number) {
  const Recording first = channel_of(night(), 0), second = channel_of(night(), 1);
  EXPECT_EQ(first.name, "ann/night/C3/A2");
  EXPECT_EQ(second.name, "ann/night/2") << "without a name it is counted";
  EXPECT_EQ(first.group, "ann");
  EXPECT_EQ(first.whole, "ann/night");
  EXPECT_EQ(first.frequency, 50);
  for (Index t = 0; t < 3; ++t) {
    EXPECT_EQ(first.signal(t, 0), night().signal(t, 0));
    EXPECT_EQ(second.signal(t, 0), night().signal(t, 1));
  }
  Recording nobodys = night();
  nobodys.group = {};
  EXPECT_EQ(channel_of(nobodys, 0).group, "ann/night") << "never on two sides of a split";
  EXPECT_PRED2(says, refused_with<ArgumentError>([] { channel_of(night(), 2); }),
               "has 2 channels, got number 2");
}

TEST(Channels, of_one_recording_are_next_to_each_other) {
  std::vector<Recording> all = apart();
  EXPECT_EQ(count_channels(all), 2u);
  all.push_back(all[0]);
  all.back().whole = "ann/day";
  EXPECT_EQ(count_channels(all), 2u);
  all[0].whole = {};
  EXPECT_EQ(count_channels(all), 1u) << "a recording that was not taken apart";
  EXPECT_EQ(count_channels({}), 0u);
}

TEST(Channels, that_were_taken_apart_are_put_together_again) {
  const Recording joined = join_channels(apart());
  EXPECT_EQ(joined.name, "ann/night");
  EXPECT_EQ(joined.whole, "");
  EXPECT_EQ(joined.group, "ann");
  EXPECT_EQ(joined.frequency, 50);
  EXPECT_EQ(joined.channels, (std::vector<std::string>{"C3/A2", "2"}));
  EXPECT_EQ(joined.units, (std::vector<std::string>{"uV", "uV"}));
  EXPECT_TRUE(same_bits<float>(joined.signal.values(), night().signal.values()));
  EXPECT_EQ(joined.signal.shape(), night().signal.shape());
  EXPECT_TRUE(same_bits<float>(joined.labels.values(), apart()[0].labels.values()));
  EXPECT_TRUE(same_bits<float>(joined.weights.values(), apart()[0].weights.values()));
}

TEST(Channels, count_at_a_step_where_one_of_them_does) {
  std::vector<Recording> channels = apart();
  channels[0].weights = Array({3}, std::vector<float>{0, 1, 0});
  channels[0].labels.data()[0] = 0;
  channels[1].labels.data()[0] = 2;
  const Recording joined = join_channels(channels);
  EXPECT_TRUE(same_bits<float>(joined.weights.values(), std::vector<float>{1, 1, 0}));
  EXPECT_EQ(joined.labels.data()[0], 2) << "of the channel that counts there";
}

TEST(Channels, that_were_not_recorded_together_are_refused) {
  EXPECT_PRED2(says, refused_with<ArgumentError>([] { join_channels({}); }), "got no channel");
  const auto refused = [](auto change) {
    std::vector<Recording> channels = apart();
    change(channels[1]);
    return refused_with<ArgumentError>([&] { join_channels(channels); });
  };
  for (const std::string& message :
       {refused([](Recording& r) { r.whole = "ann/day"; }),
        refused([](Recording& r) { r.frequency = 100; }), refused([](Recording& r) {
          r.signal = Array({4, 1});
        }),
        refused([](Recording& r) {
          r.signal = Array({3, 2});
        }),
        refused([](Recording& r) {
          r.labels = Array({2, 1});
        }),
        refused([](Recording& r) { r.weights = Array({1}); })})
    EXPECT_PRED2(says, message, "are no two channels that were recorded together");
}

}  // namespace
}  // namespace sonde
