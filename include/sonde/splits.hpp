#pragma once
#include <optional>
#include <sonde/recordings.hpp>

/// Which recordings train, which choose the best epoch, and which test: whole people, sessions or
/// machines, so that a network is never judged on somebody it knows.
namespace sonde {

/// What must not stand on two sides.
enum class SplitBy {
  group,      ///< all recordings of one group (a person, a machine); of one without, the recording
  recording,  ///< a recording, whoever it is of
  time,       ///< the end of each recording tests what its beginning taught
};
constexpr auto enum_names(SplitBy) {
  return std::array<std::string_view, 3>{"group", "recording", "time"};
}

/// Names in lists are those of recordings or groups; `*` stands for any characters.
struct SplitRules {
  static constexpr std::string_view type = "split";
  SplitBy by = SplitBy::group;
  std::string file = {};                      ///< lines `record,part` for all recordings
  std::vector<std::string> train = {};        ///< always train, in every fold
  std::vector<std::string> validation = {};   ///< choose the best epoch, in every fold
  std::vector<std::string> test = {};         ///< test; not together with folds
  double validation_share = 0.2;              ///< of the steps that are not for testing
  double test_share = 0;                      ///< of all steps that stand in no list
  Index folds = 0;                            ///< so many parts, each of which tests once
  bool leave_one_out = false;                 ///< a fold for each group
  std::optional<SplitBy> validation_by = {};  ///< none: as `by`
  double gap = 0;  ///< seconds between two parts of one recording that nobody uses
  Index seed = 0;  ///< of the order in which groups are dealt out

  static constexpr auto fields() {
    using S = SplitRules;
    return fields_of(
        field("by", &S::by), field("file", &S::file), field("train", &S::train),
        field("validation", &S::validation), field("test", &S::test),
        field("validation_share", &S::validation_share), field("test_share", &S::test_share),
        field("folds", &S::folds), field("leave_one_out", &S::leave_one_out),
        field("validation_by", &S::validation_by), field("gap", &S::gap), field("seed", &S::seed));
  }
  bool operator==(const SplitRules&) const = default;
};

/// Steps [begin, end) of recording number `recording`.
struct Stretch {
  Index recording = 0;
  Index begin = 0;
  Index end = 0;
  bool operator==(const Stretch&) const = default;
};

struct Fold {
  std::vector<Stretch> train, validation, test;
  bool operator==(const Fold&) const = default;
};

/// The group of a recording; its name where it has none.
const std::string& group_of(const Recording& recording);

/// The folds of `rules`, one where there are none. Groups are dealt out so that all folds hold
/// about as many labelled steps; the same recordings, rules and seed give the same folds.
///   for (const Fold& fold : plan_split(recordings, {.folds = 5})) {
///     Parts parts = divide(recordings, fold);
///     …
/// Throws ArgumentError for rules that contradict each other, and DataError, with the names, where
/// a part would be empty, a name is unknown, or one group would stand on two sides.
std::vector<Fold> plan_split(std::span<const Recording> recordings, const SplitRules& rules);

/// The recordings of one fold, copied. A stretch of a recording bears its name with the steps.
Parts divide(std::span<const Recording> recordings, const Fold& fold);

/// Throws DataError where two parts hold the same signal, under whatever names: copies of a
/// recording make scores that mean nothing.
void check_no_copies(const Parts& parts);

}  // namespace sonde
