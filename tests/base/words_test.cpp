#include <gtest/gtest.h>

#include <sonde/words.hpp>

namespace sonde {
namespace {

TEST(Words, a_slip_is_mended_and_another_word_is_not) {
  EXPECT_EQ(did_you_mean("lable", {"x", "label"}), " Did you mean \"label\"?");
  EXPECT_EQ(did_you_mean("Acc-X", {"acc_z", "acc_x"}), " Did you mean \"acc_x\"?");
  EXPECT_EQ(did_you_mean("lsmt", {"conv1d", "lstm"}), " Did you mean \"lstm\"?");
  EXPECT_EQ(did_you_mean("step", {"turn", "rest"}), "");
  EXPECT_EQ(did_you_mean("walking", {"talk", "sitting"}), "");
  EXPECT_EQ(did_you_mean("b", {"a", "c"}), "") << "all words of one letter are one slip apart";
  EXPECT_EQ(did_you_mean("b", {"a", "B"}), " Did you mean \"B\"?");
}

TEST(Words, a_rate_has_the_digits_that_a_clock_can_tell) {
  EXPECT_EQ(rate_text(50.000000000001066), "50");
  EXPECT_EQ(rate_text(1 / 0.0078125), "128");
  EXPECT_EQ(rate_text(100.0 / 3), "33.3333");
  EXPECT_EQ(rate_text(50.001, 50.002), "50.001");
  EXPECT_EQ(rate_text(50.00001, 50.00002), "50.00001") << "two that differ look different";
}

}  // namespace
}  // namespace sonde
