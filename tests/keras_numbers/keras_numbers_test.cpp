#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sonde/fields.hpp>

#include "formats/json.hpp"
#include "tests/support/keras_replay.hpp"

/// The numbers of Keras' own tests, replayed: tests/keras_numbers/README.md. What is refused here
/// is counted, and docs/keras.md says how many of how many hold; what gives other numbers fails.
namespace sonde::testing {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> recorded() {
  std::vector<std::string> stems;
  for (const auto& file : fs::directory_iterator(SONDE_SOURCE_DIR "/tests/keras_numbers/cases"))
    stems.push_back(file.path().stem().string());
  std::sort(stems.begin(), stems.end());
  return stems;
}

/// The row that docs/keras.md owes to one file: comparisons with numbers, those that hold here, why
/// the others do not.
std::string row(const std::string& file, Index held, const std::map<std::string, Index>& others) {
  Index all = held;
  std::string reasons;
  for (const auto& [reason, count] : others) {
    all += count;
    reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", reason, count);
  }
  return fmt::format("| `{}` | {} | {} | {} |", file.substr(std::string_view("keras/src/").size()),
                     all, held, reasons);
}

class KerasNumbers : public ::testing::TestWithParam<std::string> {};

TEST_P(KerasNumbers, hold_here) {
  const fs::path path =
      fs::path(SONDE_SOURCE_DIR "/tests/keras_numbers/cases") / (GetParam() + ".json");
  const Value all = formats::parse_json(text_of(path), path.string());
  const std::string file = *all.find("file")->as<std::string>();
  std::map<std::string, Index> others;
  for (const auto& [reason, count] : *all.find("left_out")->as<Value::Dict>())
    others[reason] += *count.as<std::int64_t>();

  Index held = 0;
  for (const Value& recorded : *all.find("cases")->as<Value::List>()) {
    const std::string where = file + ": " + *recorded.find("test")->as<std::string>();
    const Outcome outcome = replay(recorded);
    if (!outcome.refusal.empty()) {
      ++others[outcome.refusal];
      continue;
    }
    const std::vector<double> expected = numbers_of(*recorded.find("expected"));
    double tolerance = 0;
    from_value(*recorded.find("tolerance"), where, tolerance);
    tolerance = std::max(tolerance, 2e-6);  // float32, however the sums are ordered
    ASSERT_EQ(outcome.numbers.size(), expected.size()) << where;
    bool same = true;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double got = outcome.numbers[i];
      const bool near = std::abs(got - expected[i]) <= tolerance * (1 + std::abs(expected[i]));
      const bool both_odd = got == expected[i] || (std::isnan(got) && std::isnan(expected[i]));
      same = same && (near || both_odd);
      EXPECT_TRUE(near || both_odd)
          << where << ": number " << i << " is " << got << ", expected " << expected[i] << "\n"
          << to_string(recorded).substr(0, 2000);
      if (!same) break;
    }
    held += same;
  }
  const std::string wanted = row(file, held, others);
  EXPECT_NE(text_of(SONDE_SOURCE_DIR "/docs/keras.md").find(wanted), std::string::npos)
      << "docs/keras.md should say\n"
      << wanted;
}

INSTANTIATE_TEST_SUITE_P(Files, KerasNumbers, ::testing::ValuesIn(recorded()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(KerasNumbersOfAllFiles, are_there) { EXPECT_GT(recorded().size(), 40u); }

}  // namespace
}  // namespace sonde::testing
