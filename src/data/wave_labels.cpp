#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <sonde/recordings.hpp>

namespace sonde {
namespace {

/// PhysioBank's symbols for a beat, normal or not: each is the peak of a QRS complex.
constexpr std::string_view beat_symbols = "NLRBAaJSVrFejnE/fQ?";
/// Symbols that can stand anywhere and mark no wave: rhythm, noise, comments, ST and T changes.
constexpr std::string_view other_symbols = "+~|\"sT*D=^!@";

/// U is a wave that the experts marked, but no class.
enum class Kind { p = 1, qrs = 2, t = 3, u = 4 };

struct Marked {
  Kind kind;
  bool has_onset;
  Index begin;  ///< the onset, or the peak without one
  Index peak;
  Index end;   ///< the offset; the wave's last step
  Index beat;  ///< P: the beat that follows it; the others: the beat they belong to
};

std::optional<Kind> kind_of(std::string_view symbol) {
  if (symbol == "p") return Kind::p;
  if (symbol == "t") return Kind::t;
  if (symbol == "u") return Kind::u;
  if (symbol.size() == 1 && beat_symbols.find(symbol) != symbol.npos) return Kind::qrs;
  return std::nullopt;
}

/// Reads ( peak ) by ( peak ).
std::vector<Marked> read_waves(std::span<const Annotation> annotations, Index steps) {
  std::vector<Annotation> marks;
  for (const Annotation& mark : annotations)
    if (mark.symbol.size() != 1 || other_symbols.find(mark.symbol) == other_symbols.npos)
      marks.push_back(mark);

  std::size_t at = 0;
  const auto refuse = [&](std::string_view expected) {
    if (at == marks.size())
      throw DataError(fmt::format("wave marks: expected {} at the end, got nothing.", expected));
    throw DataError(fmt::format("wave marks: expected {} at step {}, got \"{}\".", expected,
                                marks[at].step, marks[at].symbol));
  };
  std::vector<Marked> waves;
  Index beat = 0, last = 0;
  const auto take = [&] {
    const Index step = marks[at].step;
    if (step < last) refuse("marks in order of time");
    if (step >= steps) refuse(fmt::format("marks below the {} steps of the signal", steps));
    last = step;
    ++at;
    return step;
  };
  while (at < marks.size()) {
    Marked wave{};
    wave.has_onset = marks[at].symbol == "(";
    if (wave.has_onset) wave.begin = take();
    const auto kind = at < marks.size() ? kind_of(marks[at].symbol) : std::nullopt;
    if (!kind) refuse("the peak of a wave");
    if (!wave.has_onset && (*kind == Kind::p || *kind == Kind::qrs))
      refuse("an onset \"(\" before the peak");
    wave.kind = *kind;
    if (wave.kind == Kind::qrs) ++beat;
    wave.beat = wave.kind == Kind::p ? beat + 1 : beat;
    wave.peak = take();
    if (!wave.has_onset) wave.begin = wave.peak;
    if (at == marks.size() || marks[at].symbol != ")") refuse("an offset \")\" after the peak");
    wave.end = take();
    waves.push_back(wave);
  }
  return waves;
}

/// The longest time between two beats, in steps, within which no beat was left out; beats by
/// number.
double longest_beat_to_beat(const std::vector<Index>& peaks, double factor) {
  std::vector<Index> times;
  for (std::size_t i = 1; i < peaks.size(); ++i) times.push_back(peaks[i] - peaks[i - 1]);
  if (times.empty()) return std::numeric_limits<double>::infinity();
  const auto quartile = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 4);
  std::nth_element(times.begin(), quartile, times.end());
  return factor * static_cast<double>(*quartile);
}

}  // namespace

WaveLabels label_waves(std::span<const Annotation> annotations, Index steps, double frequency,
                       const WaveRules& rules) {
  const std::vector<Marked> waves = read_waves(annotations, steps);
  std::vector<Index> peaks;
  for (const Marked& wave : waves)
    if (wave.kind == Kind::qrs) peaks.push_back(wave.peak);
  const double longest = longest_beat_to_beat(peaks, rules.longest_gap);
  const auto margin = static_cast<Index>(std::llround(rules.margin * frequency));

  WaveLabels result{Array({steps, 1}), Array({steps})};
  const auto none_between = [&](Index begin, Index end) {
    for (Index t = std::max<Index>(begin, 0); t < std::min(end, steps); ++t) result.weights(t) = 1;
  };
  // Numbers of beats start at 1; a P wave before the first or after the last has none beside it.
  const auto are_neighbours = [&](Index beat, Index next) {
    if (beat < 1 || next > static_cast<Index>(peaks.size())) return false;
    const auto i = static_cast<std::size_t>(beat);
    return static_cast<double>(peaks[i] - peaks[i - 1]) <= longest;
  };

  for (std::size_t i = 0; i < waves.size(); ++i) {
    const Marked& wave = waves[i];
    if (i == 0) {
      if (wave.has_onset) none_between(wave.begin - margin, wave.begin);
      continue;
    }
    const Marked& before = waves[i - 1];
    if (!wave.has_onset) continue;  // it began somewhere since the wave before
    if (before.beat == wave.beat || before.kind == Kind::p) {
      none_between(before.end + 1, wave.begin);
    } else if (before.kind == Kind::qrs) {
      continue;  // where its T wave went is unknown
    } else if (are_neighbours(before.beat, wave.beat)) {
      none_between(before.end + 1, wave.begin);
    } else {
      none_between(before.end + 1, std::min(before.end + 1 + margin, wave.begin));
      none_between(std::max(wave.begin - margin, before.end + 1), wave.begin);
    }
  }
  if (!waves.empty() && waves.back().kind != Kind::qrs)
    none_between(waves.back().end + 1, waves.back().end + 1 + margin);

  // Where two waves touch, the later one counts.
  for (const Marked& wave : waves)
    for (Index t = wave.begin; t <= wave.end; ++t) {
      result.labels(t, 0) = wave.kind == Kind::u ? 0 : static_cast<float>(wave.kind);
      result.weights(t) = wave.kind == Kind::u ? 0 : 1;
    }
  return result;
}

}  // namespace sonde
