#include "formats/wfdb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <sonde/error.hpp>
#include <sonde/formats.hpp>

#include "formats/printable.hpp"

namespace sonde {
namespace formats {
namespace {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

/// What happens to channels of several samples per step.
enum class Rates { one, own };

/// A record in which every channel is a row of its own.
struct Channels {
  struct Channel {
    std::string name, unit;
    Index samples_per_step = 1;
    std::vector<float> values;
  };
  std::string name;
  double frequency = 0;
  Index steps = 0;
  std::vector<Channel> channels;
  std::vector<std::string> comments;
};

WfdbHeader read_header(std::filesystem::path path, std::string& where) {
  if (path.extension() != ".hea") path += ".hea";
  where = fmt::format("\"{}\"", path.string());
  // A line per channel or segment and some comments: a header of megabytes is none.
  const auto text = read_file(path, 1 << 22);
  return read_wfdb_header(text_of(text), where);
}

/// Physical values of one channel. Those of one step are made one as wfdb does: the mean of the
/// stored numbers, cut to a whole one; it is missing only where all of them are.
std::vector<float> physical(const WfdbChannel& channel, std::span<const std::int32_t> numbers,
                            Rates rates) {
  const auto nothing = wfdb_missing(channel.format);
  const auto value = [&](std::int64_t number) {
    return static_cast<float>(static_cast<double>(number - channel.baseline) / channel.gain);
  };
  const auto width = static_cast<std::size_t>(channel.samples_per_step);
  // Moved to the front, as far as there is something behind.
  const std::size_t steps = numbers.size() / width;
  const std::size_t skew = std::min(steps, static_cast<std::size_t>(channel.skew));
  const auto moved = numbers.subspan(skew * width);
  std::vector<float> values;
  if (rates == Rates::own || width == 1) {
    values.assign(numbers.size(), missing);
    for (std::size_t i = 0; i < moved.size(); ++i)
      if (moved[i] != nothing) values[i] = value(moved[i]);
    return values;
  }
  values.assign(steps, missing);
  for (std::size_t t = 0; t < steps - skew; ++t) {
    std::int64_t sum = 0;
    bool is_there = !nothing;
    for (const std::int32_t number : moved.subspan(t * width, width)) {
      sum += number;
      is_there |= number != nothing;
    }
    if (is_there) values[t] = value(sum / channel.samples_per_step);
  }
  return values;
}

Channels read_single(const std::filesystem::path& folder, const WfdbHeader& header, Rates rates,
                     const std::string& where) {
  WfdbNumbers numbers = read_wfdb_numbers(folder, header, where);
  Channels record{header.name, header.frequency, numbers.steps, {}, header.comments};
  for (std::size_t c = 0; c < header.channels.size(); ++c) {
    const WfdbChannel& channel = header.channels[c];
    record.channels.push_back({channel.description, channel.units,
                               rates == Rates::own ? channel.samples_per_step : 1,
                               physical(channel, numbers.channels[c], rates)});
    numbers.channels[c] = {};
  }
  return record;
}

// --- several segments ----------------------------------------------------------------------------

/// A record whose channels are NaN from front to back; the segments are written into it.
class Assembly {
 public:
  Assembly(const std::filesystem::path& folder, const WfdbHeader& header, Rates rates,
           const std::string& where)
      : folder_(folder), header_(header), rates_(rates), where_(where) {}

  Channels read() {
    whole_ = {header_.name, header_.frequency, 0, {}, header_.comments};
    for (const WfdbSegment& segment : header_.segments) {
      if (segment.steps > most_steps - whole_.steps) refuse_size();
      whole_.steps += segment.steps;
    }
    if (header_.steps >= 0 && whole_.steps != header_.steps)
      refuse(fmt::format("the header says {} steps, its segments have {}", header_.steps,
                         whole_.steps));
    measure();
    const bool is_variable = header_.segments[0].steps == 0;
    if (is_variable) read_layout();
    Index begin = 0;
    for (std::size_t s = is_variable ? 1 : 0; s < header_.segments.size(); ++s) {
      const WfdbSegment& segment = header_.segments[s];
      if (segment.name != "~") add(read_segment(segment), begin, is_variable);
      begin += segment.steps;
    }
    if (whole_.channels.empty()) refuse("none of its segments holds a signal");
    for (Channels::Channel& channel : whole_.channels) make_room(channel);
    return std::move(whole_);
  }

 private:
  static constexpr Index most_steps = Index{1} << 40;

  [[noreturn]] void refuse(const std::string& what) const {
    throw DataError(fmt::format("{}: {}.", where_, what));
  }
  [[noreturn]] void refuse_size() const {
    throw LimitError(
        fmt::format("{}: with its gaps the record is many times larger than its files. Read its "
                    "segments one by one.",
                    where_));
  }

  const WfdbHeader& header_of(const WfdbSegment& segment) {
    if (const auto known = headers_.find(segment.name); known != headers_.end())
      return known->second;
    std::string where;
    WfdbHeader header = read_header(folder_ / (segment.name + ".hea"), where);
    if (!header.segments.empty())
      refuse(fmt::format("the segment \"{}\" has segments itself", printable(segment.name)));
    if (header.frequency != header_.frequency)
      refuse(fmt::format("the segment \"{}\" has {} steps a second, the record {}",
                         printable(segment.name), header.frequency, header_.frequency));
    return headers_.emplace(segment.name, std::move(header)).first->second;
  }

  /// Finds how many bytes all signal files have together.
  void measure() {
    std::set<std::string> files;
    for (const WfdbSegment& segment : header_.segments) {
      if (segment.name == "~") continue;
      for (const WfdbChannel& channel : header_of(segment).channels)
        if (channel.file != "~" && files.insert(channel.file).second) {
          std::error_code missing_file;  // is found again, and named, when it is read
          const auto size = std::filesystem::file_size(folder_ / channel.file, missing_file);
          if (!missing_file) stored_ += size;
        }
    }
  }

  /// The first segment of a variable layout lists all channels that occur.
  void read_layout() {
    if (header_.segments[0].name == "~") refuse("its first segment must list the channels");
    for (const WfdbChannel& channel : header_of(header_.segments[0]).channels) {
      if (find(channel.description) != nullptr)
        refuse(fmt::format("two channels are called \"{}\": the segments cannot say which is which",
                           printable(channel.description)));
      whole_.channels.push_back(
          {channel.description, "", rates_ == Rates::own ? channel.samples_per_step : 1, {}});
      units_.push_back(channel.units);
    }
  }

  Channels read_segment(const WfdbSegment& segment) {
    const std::string where = fmt::format("{}, segment \"{}\"", where_, printable(segment.name));
    Channels part = read_single(folder_, header_of(segment), rates_, where);
    if (part.steps != segment.steps)
      refuse(fmt::format("the segment \"{}\" should have {} steps, but has {}",
                         printable(segment.name), segment.steps, part.steps));
    return part;
  }

  Channels::Channel* find(const std::string& name) {
    for (Channels::Channel& channel : whole_.channels)
      if (channel.name == name) return &channel;
    return nullptr;
  }

  void add(const Channels& part, Index begin, bool is_variable) {
    if (!is_variable && whole_.channels.empty()) {
      for (const Channels::Channel& each : part.channels)
        whole_.channels.push_back({each.name, each.unit, each.samples_per_step, {}});
      units_.resize(part.channels.size());
    }
    if (!is_variable && part.channels.size() != whole_.channels.size())
      refuse(fmt::format("the segment \"{}\" has {} channels, the first one {}",
                         printable(part.name), part.channels.size(), whole_.channels.size()));
    for (std::size_t c = 0; c < part.channels.size(); ++c) {
      const Channels::Channel& from = part.channels[c];
      Channels::Channel* to = is_variable ? find(from.name) : &whole_.channels[c];
      if (to == nullptr || to->name != from.name)
        refuse(fmt::format("the segment \"{}\" has a channel \"{}\" where the record has {}",
                           printable(part.name), printable(from.name),
                           to == nullptr ? "none" : "\"" + printable(to->name) + "\""));
      if (to->values.empty() && to->unit.empty()) to->unit = from.unit;
      if (to->unit != from.unit || to->samples_per_step != from.samples_per_step)
        refuse(fmt::format("the channel \"{}\" changes its unit or rate in the segment \"{}\"",
                           printable(from.name), printable(part.name)));
      make_room(*to);
      std::copy(from.values.begin(), from.values.end(),
                to->values.begin() + static_cast<std::ptrdiff_t>(begin * to->samples_per_step));
    }
  }

  /// Makes a channel as long as the record, if what is stored bears it.
  void make_room(Channels::Channel& channel) {
    if (!channel.values.empty() || whole_.steps == 0) return;
    const auto steps = static_cast<std::uint64_t>(whole_.steps);
    booked_ += steps * static_cast<std::uint64_t>(channel.samples_per_step);
    // Gaps of days are allowed, but not that a few bytes ask for all the memory there is.
    constexpr std::uint64_t always = std::uint64_t{1} << 26, times = 64;
    if (booked_ > std::max<std::uint64_t>(always, times * stored_)) refuse_size();
    const auto at = static_cast<std::size_t>(&channel - whole_.channels.data());
    if (channel.unit.empty()) channel.unit = units_[at];
    channel.values.assign(static_cast<std::size_t>(whole_.steps * channel.samples_per_step),
                          missing);
  }

  const std::filesystem::path& folder_;
  const WfdbHeader& header_;
  Rates rates_;
  const std::string& where_;
  Channels whole_;
  std::map<std::string, WfdbHeader> headers_;
  std::vector<std::string> units_;  ///< of the layout, where no segment says better
  std::uint64_t stored_ = 0;        ///< bytes of all signal files: at most as many numbers
  std::uint64_t booked_ = 0;        ///< numbers
};

Channels read_channels(const std::filesystem::path& record, Rates rates) {
  std::string where;
  const WfdbHeader header = read_header(record, where);
  const std::filesystem::path folder = record.parent_path();
  return header.segments.empty() ? read_single(folder, header, rates, where)
                                 : Assembly(folder, header, rates, where).read();
}

}  // namespace
}  // namespace formats

WfdbRecord load_wfdb(const std::filesystem::path& record) {
  formats::Channels read = formats::read_channels(record, formats::Rates::one);
  WfdbRecord result;
  result.name = read.name;
  result.frequency = read.frequency;
  result.comments = read.comments;
  const auto width = static_cast<Index>(read.channels.size());
  result.signal = Array({read.steps, width});
  for (Index c = 0; c < width; ++c) {
    formats::Channels::Channel& channel = read.channels[static_cast<std::size_t>(c)];
    for (Index t = 0; t < read.steps; ++t)
      result.signal.data()[t * width + c] = channel.values[static_cast<std::size_t>(t)];
    channel.values = {};
    result.channels.push_back(channel.name);
    result.units.push_back(channel.unit);
  }
  return result;
}

std::vector<WfdbSignal> load_wfdb_signals(const std::filesystem::path& record) {
  formats::Channels read = formats::read_channels(record, formats::Rates::own);
  std::vector<WfdbSignal> result;
  for (formats::Channels::Channel& channel : read.channels) {
    result.push_back({channel.name, channel.unit,
                      read.frequency * static_cast<double>(channel.samples_per_step),
                      Array({static_cast<Index>(channel.values.size())}, channel.values)});
    channel.values = {};
  }
  return result;
}

}  // namespace sonde
