#include <gtest/gtest.h>

#include <algorithm>
#include <sonde/recordings.hpp>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;

/// Marks from their symbols and steps: "(@10 p@12 )@15".
std::vector<Annotation> marks(const std::string& text) {
  std::vector<Annotation> found;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    Annotation mark;
    mark.symbol = word.substr(0, 1);
    mark.step = std::stol(word.substr(2));
    found.push_back(mark);
    at = end + 1;
  }
  return found;
}

/// One letter a step: . none, P Q T waves, ? unlabelled. A margin of two steps.
std::string labelled(const std::string& text, Index steps) {
  const WaveLabels result =
      label_waves(marks(text), steps, 100, {.longest_gap = 1.5, .margin = 0.02});
  std::string letters;
  for (Index t = 0; t < steps; ++t)
    letters += result.weights(t) == 0 ? '?' : ".PQT"[static_cast<int>(result.labels(t, 0))];
  return letters;
}

TEST(WaveLabels, label_waves_from_onset_to_offset) {
  EXPECT_EQ(labelled("(@4 p@5 )@6 (@9 N@10 )@11 (@14 t@16 )@17", 24), "??..PPP..QQQ..TTTT..????");
}

TEST(WaveLabels, do_not_know_where_a_t_wave_without_onset_began) {
  EXPECT_EQ(labelled("(@4 p@5 )@6 (@9 N@10 )@11 t@16 )@17", 24), "??..PPP..QQQ????TT..????");
}

TEST(WaveLabels, do_not_know_u_waves) {
  EXPECT_EQ(labelled("(@4 N@5 )@6 (@8 t@9 )@10 u@14 )@15", 20), "??..QQQ.TTT?????..??");
  EXPECT_EQ(labelled("(@4 N@5 )@6 (@8 t@9 )@10 (@13 u@14 )@15", 20), "??..QQQ.TTT..???..??");
}

TEST(WaveLabels, know_none_between_neighbouring_beats) {
  EXPECT_EQ(
      labelled(
          "(@2 N@2 )@3 (@5 t@6 )@6 (@12 N@12 )@13 (@15 t@16 )@16 (@22 V@22 )@23 (@25 t@25 )@26",
          29),
      "..QQ.TT.....QQ.TT.....QQ.TT..");
}

TEST(WaveLabels, do_not_know_gaps_in_which_beats_were_left_out) {
  // Beats 10 steps apart, then 20: only the margins beside the waves are none.
  EXPECT_EQ(
      labelled(
          "(@2 N@2 )@3 (@5 t@6 )@6 (@12 N@12 )@13 (@15 t@16 )@16 (@32 N@32 )@33 (@35 t@36 )@36",
          39),
      "..QQ.TT.....QQ.TT..???????????..QQ.TT..");
}

TEST(WaveLabels, do_not_know_where_a_beat_without_t_wave_ends) {
  EXPECT_EQ(labelled("(@2 N@2 )@3 (@12 p@12 )@13 (@15 N@15 )@16", 20), "..QQ????????PP.QQ???");
}

TEST(WaveLabels, give_a_step_of_two_waves_to_the_later_one) {
  EXPECT_EQ(labelled("(@2 N@2 )@3 (@5 t@6 )@7 (@7 p@8 )@9 (@11 N@11 )@12 (@14 t@15 )@15", 18),
            "..QQ.TTPPP.QQ.TT..");
}

TEST(WaveLabels, know_nothing_without_marks) {
  EXPECT_EQ(labelled("", 3), "???");
  EXPECT_EQ(labelled("+@0 ~@2", 3), "???");  // rhythm and noise are no waves
}

TEST(WaveLabels, stay_inside_the_signal) {
  EXPECT_EQ(labelled("(@0 N@0 )@1 (@3 t@3 )@3", 4), "QQ.T");
  EXPECT_EQ(labelled("t@2 )@3", 5), "??TT.");
}

TEST(WaveLabels, refuse_marks_in_another_order) {
  const auto refused = [](const std::string& text) {
    return refused_with<DataError>([&] { label_waves(marks(text), 20, 100); });
  };
  EXPECT_EQ(refused("(@1 )@2"), "wave marks: expected the peak of a wave at step 2, got \")\".");
  EXPECT_EQ(refused("(@1 p@2"),
            "wave marks: expected an offset \")\" after the peak at the end, got nothing.");
  EXPECT_EQ(refused("(@1 p@2 (@3 N@4 )@5"),
            "wave marks: expected an offset \")\" after the peak at step 3, got \"(\".");
  EXPECT_EQ(refused("p@2 )@3"),
            "wave marks: expected an onset \"(\" before the peak at step 2, got \"p\".");
  EXPECT_PRED2(says, refused("(@1 p@5 )@4"), "expected marks in order of time at step 4");
  EXPECT_PRED2(says, refused("(@1 p@5 )@20"),
               "expected marks below the 20 steps of the signal at step 20");
  EXPECT_PRED2(says, refused("(@1"), "expected the peak of a wave at the end, got nothing");
}

}  // namespace
}  // namespace sonde
