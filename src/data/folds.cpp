#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <sonde/splits.hpp>
#include <sonde/words.hpp>
#include "base/random.hpp"

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

enum class Part { none, train, validation, test };
constexpr std::array<std::string_view, 4> part_names = {"no list", "train", "validation", "test"};

/// did_you_mean, among recordings and groups.
std::string near_name(std::string_view word, std::span<const Recording> recordings) {
  std::set<std::string> names;
  for (const Recording& each : recordings) names.insert({each.name, group_of(each)});
  return did_you_mean(word, {names.begin(), names.end()});
}

/// `pattern` with `*` for any characters.
bool matches(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == name;
  if (name.substr(0, star) != pattern.substr(0, star)) return false;
  name.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  for (std::size_t skipped = 0; skipped <= name.size(); ++skipped)
    if (matches(pattern, name.substr(skipped))) return true;
  return false;
}

/// What the lists and the file say of each recording.
std::vector<Part> parts_by_name(std::span<const Recording> recordings, const SplitRules& rules) {
  std::vector<Part> parts(recordings.size(), Part::none);
  const auto set = [&](std::size_t r, Part part) {
    if (parts[r] != Part::none && parts[r] != part)
      throw DataError(
          fmt::format("split: recording \"{}\" stands in two lists, {} and {}. Leave it in one.",
                      recordings[r].name, part_names[static_cast<std::size_t>(parts[r])],
                      part_names[static_cast<std::size_t>(part)]));
    parts[r] = part;
  };
  const auto take = [&](const std::vector<std::string>& patterns, Part part) {
    for (const std::string& pattern : patterns) {
      bool found = false;
      for (std::size_t r = 0; r < recordings.size(); ++r)
        if (matches(pattern, recordings[r].name) || matches(pattern, group_of(recordings[r])))
          found = true, set(r, part);
      if (!found)
        throw DataError(fmt::format(
            "split: {} = \"{}\" is the name of no recording and no group.{} The first recording is "
            "\"{}\" of group \"{}\".",
            part_names[static_cast<std::size_t>(part)], pattern, near_name(pattern, recordings),
            recordings.front().name, group_of(recordings.front())));
    }
  };
  take(rules.train, Part::train);
  take(rules.validation, Part::validation);
  take(rules.test, Part::test);
  if (rules.file.empty()) return parts;
  const Split split = load_split(rules.file);
  for (std::size_t r = 0; r < recordings.size(); ++r) {
    const auto found = split.find(recordings[r].name);
    if (found == split.end())
      throw DataError(fmt::format("split: \"{}\" has no line for recording \"{}\". Add one.",
                                  rules.file, recordings[r].name));
    set(r, found->second == "train"        ? Part::train
           : found->second == "validation" ? Part::validation
                                           : Part::test);
  }
  return parts;
}

double labelled_steps(const Recording& recording) {
  const auto weights = recording.weights.values();
  return static_cast<double>(
      std::count_if(weights.begin(), weights.end(), [](float w) { return w > 0; }));
}

/// Recordings that stay together.
struct Unit {
  std::string name;
  std::vector<Index> recordings = {};
  double steps = 0;
  Part part = Part::none;
};

std::vector<Unit> units_of(std::span<const Recording> recordings, const std::vector<Part>& parts,
                           const std::vector<Index>& which, SplitBy by) {
  std::vector<Unit> units;
  std::map<std::string, std::size_t> places;
  for (const Index r : which) {
    const Recording& recording = recordings[at(r)];
    const std::string& name = by == SplitBy::group      ? group_of(recording)
                              : recording.whole.empty() ? recording.name
                                                        : recording.whole;  // channels of one
    const auto [place, is_new] = places.try_emplace(name, units.size());
    if (is_new) units.push_back({.name = name, .part = parts[at(r)]});
    Unit& unit = units[place->second];
    if (unit.part != parts[at(r)])
      throw DataError(fmt::format(
          "split: group \"{}\" would stand on two sides: recording \"{}\" stands in {}, recording "
          "\"{}\" in {}. Put all of it on one side, or say by = \"recording\" if its recordings "
          "may judge each other.",
          name, recordings[at(unit.recordings.front())].name,
          part_names[static_cast<std::size_t>(unit.part)], recording.name,
          part_names[static_cast<std::size_t>(parts[at(r)])]));
    unit.recordings.push_back(r);
    unit.steps += labelled_steps(recording);
  }
  return units;
}

/// `units` in an order of the seed's own.
std::vector<Unit> mixed(std::vector<Unit> units, Index seed, std::string_view what) {
  // By name first: the order in which a folder was listed must not matter.
  std::sort(units.begin(), units.end(),
            [](const Unit& a, const Unit& b) { return a.name < b.name; });
  std::vector<Unit> result;
  const RandomKey key = random_key(static_cast<std::uint64_t>(seed), what);
  for (const Index i : shuffled(static_cast<Index>(units.size()), key, 0))
    result.push_back(std::move(units[at(i)]));
  return result;
}

/// Units in `count` folds of about as many steps: the longest first, each to the shortest fold.
std::vector<std::vector<Unit>> dealt(std::vector<Unit> units, Index count, Index seed) {
  units = mixed(std::move(units), seed, "folds");
  std::stable_sort(units.begin(), units.end(),
                   [](const Unit& a, const Unit& b) { return a.steps > b.steps; });
  std::vector<std::vector<Unit>> folds(at(count));
  std::vector<double> steps(at(count));
  for (Unit& unit : units) {
    const auto least = std::min_element(steps.begin(), steps.end());
    *least += unit.steps;
    folds[static_cast<std::size_t>(least - steps.begin())].push_back(std::move(unit));
  }
  return folds;
}

/// Takes units out of `units` until they hold about `share` of all its steps; one at least, and one
/// is left.
std::vector<Unit> take_share(std::vector<Unit>& units, double share, Index seed,
                             std::string_view what) {
  if (units.size() < 2)
    throw DataError(fmt::format(
        "split: {} group{} cannot be shared between training and {}. Use validation_by = \"time\", "
        "or {}_share = 0.",
        units.size(), units.size() == 1 ? "" : "s", what, what));
  units = mixed(std::move(units), seed, what);
  double all = 0, taken_steps = 0;
  for (const Unit& unit : units) all += unit.steps;
  std::vector<Unit> taken, left;
  for (Unit& unit : units) {
    const double without = std::abs(taken_steps - share * all),
                 with = std::abs(taken_steps + unit.steps - share * all);
    const bool takes = with < without;
    if (takes) taken_steps += unit.steps;
    (takes ? taken : left).push_back(std::move(unit));
  }
  const auto move_shortest = [](std::vector<Unit>& from, std::vector<Unit>& to) {
    const auto shortest = std::min_element(
        from.begin(), from.end(), [](const Unit& a, const Unit& b) { return a.steps < b.steps; });
    to.push_back(std::move(*shortest));
    from.erase(shortest);
  };
  if (taken.empty()) move_shortest(left, taken);
  if (left.empty()) move_shortest(taken, left);
  units = std::move(left);
  return taken;
}

void check(std::span<const Recording> recordings, const SplitRules& rules) {
  const auto refuse = [](const std::string& what) { throw ArgumentError("split: " + what); };
  if (recordings.empty()) throw DataError("split: there are no recordings.");
  std::map<std::string, int> names;
  for (const Recording& each : recordings)
    if (++names[each.name] > 1)
      throw DataError(fmt::format("split: two recordings have the name \"{}\".", each.name));
  for (const auto& [share, name] : {std::pair{rules.validation_share, "validation_share"},
                                    std::pair{rules.test_share, "test_share"}})
    if (!(share >= 0 && share < 1))
      refuse(fmt::format("{} must be at least 0 and below 1, got {}.", name, share));
  if (!(rules.gap >= 0)) refuse(fmt::format("gap must be at least 0 seconds, got {}.", rules.gap));
  if (rules.seed < 0) refuse(fmt::format("seed must be at least 0, got {}.", rules.seed));
  if (rules.folds < 0 || rules.folds == 1)
    refuse(fmt::format("folds must be 0 (none) or at least 2, got {}.", rules.folds));
  const bool folds = rules.folds > 0 || rules.leave_one_out;
  const bool lists = !rules.train.empty() || !rules.validation.empty() || !rules.test.empty();
  if (folds && (!rules.test.empty() || rules.test_share > 0))
    refuse("folds test every recording in turn; leave test and test_share out.");
  if (rules.folds > 0 && rules.leave_one_out) refuse("give folds or leave_one_out, not both.");
  if (!rules.file.empty() && (folds || lists || rules.test_share > 0))
    refuse("file says all; leave folds, test_share and the lists out.");
  if (rules.by == SplitBy::time && (folds || lists || !rules.file.empty()))
    refuse("by = \"time\" cuts every recording; leave folds, file and the lists out.");
  if (!rules.test.empty() && rules.test_share > 0) refuse("give test or test_share, not both.");
}

/// The last `share` of stretch [0, end) of each recording, after a gap; what comes before stays.
std::vector<Stretch> cut_end(std::vector<Stretch>& stretches, double share, double gap,
                             std::span<const Recording> recordings) {
  std::vector<Stretch> ends;
  for (Stretch& each : stretches) {
    const Recording& recording = recordings[at(each.recording)];
    const auto steps = static_cast<double>(each.end - each.begin);
    const Index begin = each.begin + static_cast<Index>(std::floor(steps * (1 - share)));
    const Index before = begin - static_cast<Index>(std::ceil(gap * recording.frequency));
    if (before <= each.begin || begin >= each.end)
      throw DataError(
          fmt::format("split: recording \"{}\" has {} steps, too few for a share of {} and a gap "
                      "of {} s. Take a smaller gap, or split by group.",
                      recording.name, each.end - each.begin, share, gap));
    ends.push_back({each.recording, begin, each.end});
    each.end = before;
  }
  return ends;
}

}  // namespace

const std::string& group_of(const Recording& recording) {
  return recording.group.empty() ? recording.name : recording.group;
}

std::vector<Fold> plan_split(std::span<const Recording> recordings, const SplitRules& rules) {
  check(recordings, rules);
  const auto whole = [&](const std::vector<Unit>& units) {
    std::vector<Stretch> stretches;
    for (const Unit& unit : units)
      for (const Index r : unit.recordings)
        stretches.push_back({r, 0, recordings[at(r)].signal.shape()[0]});
    std::sort(stretches.begin(), stretches.end(),
              [](const Stretch& a, const Stretch& b) { return a.recording < b.recording; });
    return stretches;
  };
  const SplitBy validation_by = rules.validation_by.value_or(rules.by);
  const double validation_share =
      rules.file.empty() && rules.validation.empty() ? rules.validation_share : 0;

  const std::vector<Part> parts = parts_by_name(recordings, rules);
  std::vector<Index> all(recordings.size());
  std::iota(all.begin(), all.end(), Index{0});
  std::vector<Unit> free;
  std::array<std::vector<Unit>, 4> fixed;
  for (Unit& unit : units_of(recordings, parts, all, rules.by))
    (unit.part == Part::none ? free : fixed[static_cast<std::size_t>(unit.part)])
        .push_back(std::move(unit));

  // What tests, for each fold.
  std::vector<std::vector<Unit>> tests = {fixed[static_cast<std::size_t>(Part::test)]};
  const bool folds = rules.folds > 0 || rules.leave_one_out;
  if (folds) {
    const Index count = rules.leave_one_out ? static_cast<Index>(free.size()) : rules.folds;
    if (static_cast<Index>(free.size()) < std::max<Index>(count, 2))
      throw DataError(
          fmt::format("split: {} folds need as many groups, there are {} that stand in no list. "
                      "Take fewer folds.",
                      std::max<Index>(count, 2), free.size()));
    tests = dealt(free, count, rules.seed);
  } else if (rules.test_share > 0 && rules.by != SplitBy::time) {
    tests = {take_share(free, rules.test_share, rules.seed, "test")};
  }

  std::vector<Fold> result;
  for (const std::vector<Unit>& test : tests) {
    std::vector<Unit> rest;
    for (const Unit& unit : free)
      if (!folds || std::none_of(test.begin(), test.end(),
                                 [&](const Unit& each) { return each.name == unit.name; }))
        rest.push_back(unit);
    Fold fold;
    fold.test = whole(test);
    std::vector<Unit> train = fixed[static_cast<std::size_t>(Part::train)],
                      validation = fixed[static_cast<std::size_t>(Part::validation)];
    const bool in_time = validation_by == SplitBy::time;
    if (validation_share > 0 && !in_time) {
      std::vector<Index> left;
      for (const Unit& unit : rest)
        left.insert(left.end(), unit.recordings.begin(), unit.recordings.end());
      std::vector<Unit> units = units_of(recordings, parts, left, validation_by);
      // Where some always train, they alone may be enough to train on.
      const bool all_may_go = !train.empty() && units.size() == 1;
      validation = all_may_go ? std::exchange(units, {})
                              : take_share(units, validation_share, rules.seed, "validation");
      rest = std::move(units);
    }
    train.insert(train.end(), std::make_move_iterator(rest.begin()),
                 std::make_move_iterator(rest.end()));
    fold.train = whole(train);
    fold.validation = whole(validation);
    if (rules.by == SplitBy::time && rules.test_share > 0)
      fold.test = cut_end(fold.train, rules.test_share, rules.gap, recordings);
    if (validation_share > 0 && in_time)
      fold.validation = cut_end(fold.train, validation_share, rules.gap, recordings);
    if (fold.train.empty())
      throw DataError("split: nothing is left for training. Take names out of the other lists.");
    result.push_back(std::move(fold));
  }
  return result;
}

Parts divide(std::span<const Recording> recordings, const Fold& fold) {
  const auto copy = [&](const std::vector<Stretch>& stretches) {
    std::vector<Recording> part;
    for (const Stretch& each : stretches) {
      const Recording& whole = recordings[at(each.recording)];
      if (each.begin == 0 && each.end == whole.signal.shape()[0]) {
        part.push_back(whole);
        continue;
      }
      Recording piece = {.name = fmt::format("{}[{}:{}]", whole.name, each.begin, each.end),
                         .signal = whole.signal.slice(each.begin, each.end),
                         .labels = whole.labels.slice(each.begin, each.end),
                         .weights = whole.weights.slice(each.begin, each.end),
                         .frequency = whole.frequency,
                         .channels = whole.channels,
                         .group = group_of(whole)};
      if (!whole.whole.empty())
        piece.whole = fmt::format("{}[{}:{}]", whole.whole, each.begin, each.end);
      part.push_back(std::move(piece));
    }
    return part;
  };
  return {copy(fold.train), copy(fold.validation), copy(fold.test)};
}

void check_no_copies(const Parts& parts) {
  struct Seen {
    const Recording* recording;
    std::string_view part;
  };
  std::multimap<std::uint64_t, Seen> seen;
  for (const auto& [part, name] :
       {std::pair{&parts.train, "train"}, std::pair{&parts.validation, "validation"},
        std::pair{&parts.test, "test"}})
    for (const Recording& each : *part) {
      const auto values = each.signal.values();
      const auto* bytes = reinterpret_cast<const char*>(values.data());
      const std::uint64_t hash = hash_name({bytes, values.size() * sizeof(float)});
      const auto [first, last] = seen.equal_range(hash);
      for (auto other = first; other != last; ++other)
        if (other->second.part != name &&
            other->second.recording->signal.shape() == each.signal.shape())
          throw DataError(fmt::format(
              "split: recording \"{}\" ({}) and recording \"{}\" ({}) hold the same signal. Leave "
              "one out, or give both the same group.",
              other->second.recording->name, other->second.part, each.name, name));
      seen.emplace(hash, Seen{&each, name});
    }
}

}  // namespace sonde
