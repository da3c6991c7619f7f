#include "formats/edf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <sonde/error.hpp>
#include <sonde/words.hpp>

#include "formats/printable.hpp"

namespace sonde::formats {
namespace {

/// "+12.5" → 12.5. Onsets begin with a sign, durations do not.
double seconds_of(std::string_view text, bool with_sign, const std::string& where) {
  std::string_view digits = text;
  const bool sign = digits.starts_with('+') || digits.starts_with('-');
  if (digits.starts_with('+')) digits.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (sign != with_sign || error != std::errc() || end != digits.data() + digits.size() ||
      digits.empty() || !std::isfinite(value))
    throw DataError(fmt::format("{}: \"{}\" is no {} of an annotation.", where, printable(text),
                                with_sign ? "onset" : "duration"));
  return value;
}

std::int64_t sample_at(const std::byte* bytes, int size) {
  std::uint32_t value = 0;
  for (int i = 0; i < size; ++i)
    value |= std::to_integer<std::uint32_t>(bytes[i]) << (8 * (i + 4 - size));
  return static_cast<std::int32_t>(value) >> (8 * (4 - size));
}

/// Adds a record to the stretch that it goes on with, or begins one.
void add_record(std::vector<EdfStretch>& stretches, double onset, double seconds, double tolerance,
                const std::string& where) {
  if (!stretches.empty()) {
    EdfStretch& last = stretches.back();
    const double end = last.onset + last.duration;
    if (std::abs(onset - end) <= tolerance) {
      last.duration += seconds;
      return;
    }
    if (onset < end)
      throw DataError(fmt::format("{}: begins at {} s, before the record before it ends at {} s.",
                                  where, onset, end));
  }
  stretches.push_back({onset, seconds});
}

}  // namespace

void read_edf_annotations(std::string_view bytes, const std::string& where, EdfTimes& times) {
  constexpr char separator = '\x14', before_duration = '\x15';
  while (!bytes.empty()) {
    if (bytes.front() == '\0') {
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = bytes.find('\0');
    std::string_view list = bytes.substr(0, end);
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
    const std::size_t head_end = list.find(separator);
    if (end == bytes.npos || head_end == list.npos)
      throw DataError(fmt::format("{}: the annotation \"{}\" does not end.", where,
                                  printable(list.substr(0, 40))));
    const std::string_view head = list.substr(0, head_end);
    const std::size_t onset_end = std::min(head.find(before_duration), head.size());
    const double onset = seconds_of(head.substr(0, onset_end), true, where);
    const double duration =
        onset_end < head.size() ? seconds_of(head.substr(onset_end + 1), false, where) : 0;
    list.remove_prefix(head_end + 1);
    // The first list of a record has an empty text: when the record began.
    bool first = !times.has_record_onset;
    while (!list.empty()) {
      const std::size_t text_end = std::min(list.find(separator), list.size());
      const std::string_view text = list.substr(0, text_end);
      if (first) {
        times.record_onset = onset;
        times.has_record_onset = true;
      }
      if (!text.empty()) times.annotations.push_back({onset, duration, std::string(text)});
      first = false;
      list.remove_prefix(std::min(text_end + 1, list.size()));
    }
  }
}

EdfFile read_edf(Bytes bytes, const std::string& where) {
  const EdfHeader header = read_edf_header(text_of(bytes), bytes.size(), where);
  EdfFile file{.patient = header.patient,
               .recording = header.recording,
               .start = header.start,
               .channels = {},
               .annotations = {},
               .stretches = {}};
  double shortest = header.seconds;
  for (const EdfSignal& each : header.signals) {
    if (each.holds_annotations() && header.plus) continue;
    const double frequency = static_cast<double>(each.samples) / header.seconds;
    shortest = std::min(shortest, 1 / frequency);
    file.channels.push_back(
        {each.label, each.unit, frequency, Array({header.records * each.samples})});
  }

  const std::byte* at = bytes.data() + header.size;
  for (Index r = 0; r < header.records; ++r) {
    const std::string record = fmt::format("{}: data record {}", where, r);
    EdfTimes times;
    std::size_t channel = 0;
    for (const EdfSignal& each : header.signals) {
      const auto size =
          static_cast<std::size_t>(each.samples) * static_cast<std::size_t>(header.sample_bytes);
      if (each.holds_annotations() && header.plus) {
        read_edf_annotations(text_of({at, size}), record, times);
      } else {
        const double step = (each.physical_maximum - each.physical_minimum) /
                            static_cast<double>(each.digital_maximum - each.digital_minimum);
        float* values = file.channels[channel++].values.data() + r * each.samples;
        for (Index i = 0; i < each.samples; ++i) {
          const std::int64_t sample = sample_at(at + i * header.sample_bytes, header.sample_bytes);
          values[i] = static_cast<float>(each.physical_minimum +
                                         static_cast<double>(sample - each.digital_minimum) * step);
        }
      }
      at += size;
    }
    if (header.plus && !times.has_record_onset)
      throw DataError(fmt::format("{}: does not say when it began, as EDF+ must.", record));
    const double onset = header.plus ? times.record_onset : static_cast<double>(r) * header.seconds;
    add_record(file.stretches, onset, header.seconds, shortest / 2, record);
    if (!header.broken && file.stretches.size() > 1)
      throw DataError(fmt::format(
          "{}: begins at {} s after a pause, but the file says that it has none (EDF+C).", record,
          onset));
    file.annotations.insert(file.annotations.end(), times.annotations.begin(),
                            times.annotations.end());
  }
  std::stable_sort(file.annotations.begin(), file.annotations.end(),
                   [](const auto& a, const auto& b) { return a.onset < b.onset; });
  return file;
}

}  // namespace sonde::formats

namespace sonde {

EdfFile load_edf(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path, std::numeric_limits<std::uint64_t>::max());
  return formats::read_edf(bytes, path.string());
}

Array edf_signal(const EdfFile& file, const std::vector<std::string>& names) {
  std::vector<const EdfChannel*> channels;
  for (const EdfChannel& each : file.channels)
    if (names.empty()) channels.push_back(&each);
  for (const std::string& name : names) {
    const auto found = std::find_if(file.channels.begin(), file.channels.end(),
                                    [&](const EdfChannel& each) { return each.name == name; });
    if (found == file.channels.end()) {
      std::string known;
      for (const EdfChannel& each : file.channels) known += (known.empty() ? "" : ", ") + each.name;
      std::vector<std::string_view> names_there;
      for (const EdfChannel& each : file.channels) names_there.push_back(each.name);
      throw DataError(fmt::format("EDF: there is no channel \"{}\".{} Known: {}.", name,
                                  did_you_mean(name, names_there), known));
    }
    channels.push_back(&*found);
  }
  if (channels.empty()) throw DataError("EDF: the file holds no channel.");
  const double frequency = channels[0]->frequency;
  for (const EdfChannel* each : channels)
    if (each->frequency != frequency)
      throw DataError(
          fmt::format("EDF: \"{}\" has {} samples a second, \"{}\" has {}. Choose channels of one "
                      "frequency, or "
                      "resample them.",
                      channels[0]->name, rate_text(frequency, each->frequency), each->name,
                      rate_text(each->frequency, frequency)));

  const auto steps_of = [&](double seconds) {
    return static_cast<Index>(std::llround(seconds * frequency));
  };
  const double first = file.stretches.empty() ? 0 : file.stretches.front().onset;
  // Pauses of hours are allowed, but not that a few bytes ask for all the memory there is.
  constexpr double always = double{1 << 26}, times = 64;
  const double stored = static_cast<double>(channels[0]->values.size()),
               width = static_cast<double>(channels.size());
  const double span = file.stretches.empty()
                          ? 0
                          : file.stretches.back().onset + file.stretches.back().duration - first;
  if (!(span * frequency * width <= std::max(always, times * stored * width)))
    throw LimitError(fmt::format(
        "EDF: with its pauses the recording has {:.0f} steps of {} channels, many times what is "
        "stored. Read its stretches one by one (EdfFile::stretches).",
        span * frequency, channels.size()));
  const Index steps = file.stretches.empty() ? 0
                                             : steps_of(file.stretches.back().onset - first) +
                                                   steps_of(file.stretches.back().duration);
  Array signal({steps, static_cast<Index>(channels.size())});
  std::fill(signal.values().begin(), signal.values().end(),
            std::numeric_limits<float>::quiet_NaN());
  Index read = 0;
  for (const EdfStretch& stretch : file.stretches) {
    const Index begin = steps_of(stretch.onset - first), count = steps_of(stretch.duration);
    for (Index t = 0; t < count && begin + t < steps && read + t < channels[0]->values.size(); ++t)
      for (std::size_t c = 0; c < channels.size(); ++c)
        signal(begin + t, static_cast<Index>(c)) = channels[c]->values.data()[read + t];
    read += count;
  }
  return signal;
}

}  // namespace sonde
