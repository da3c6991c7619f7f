#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <sonde/error.hpp>
#include <sonde/formats.hpp>
#include "formats/printable.hpp"
#include "formats/wfdb.hpp"

namespace sonde {
namespace formats {
namespace {

// --- signal files --------------------------------------------------------------------------------

/// How a format stores one number. 212 packs two 12-bit numbers in three bytes.
struct Storage {
  int format;
  int bits;
  bool is_big_endian;
  std::int64_t offset;  ///< what is added to keep numbers positive
};
constexpr Storage storages[] = {{16, 16, false, 0}, {24, 24, false, 0},  {32, 32, false, 0},
                                {61, 16, true, 0},  {80, 8, false, 128}, {160, 16, false, 32768},
                                {212, 12, false, 0}};

/// Number `at` of a signal file whose samples start at data[0].
std::int64_t stored_number(const Storage& storage, Bytes data, std::size_t at) {
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint64_t>(data[i]); };
  if (storage.format == 212) {
    const std::size_t pair = at / 2 * 3;
    return sign_extended(at % 2 == 0 ? byte(pair) | (byte(pair + 1) & 15) << 8
                                     : byte(pair + 2) | (byte(pair + 1) & 0xf0) << 4,
                         12);
  }
  const auto width = static_cast<std::size_t>(storage.bits / 8);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i)
    value |= byte(at * width + i) << 8 * (storage.is_big_endian ? width - 1 - i : i);
  if (storage.offset != 0) return static_cast<std::int64_t>(value) - storage.offset;
  return sign_extended(value, storage.bits);
}

/// Channels [first, first + count) of a header that lie in one file, sample beside sample.
struct Group {
  std::size_t first;
  std::size_t count;
};

std::vector<Group> groups_of(const WfdbHeader& header, const std::string& where) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < header.channels.size(); ++i) {
    const WfdbChannel& channel = header.channels[i];
    if (i > 0 && channel.file == header.channels[i - 1].file) {
      const WfdbChannel& before = header.channels[i - 1];
      if (channel.format != before.format || channel.offset != before.offset)
        throw DataError(fmt::format("{}: the channels in \"{}\" have different formats.", where,
                                    printable(channel.file)));
      ++groups.back().count;
      continue;
    }
    for (const Group& group : groups)
      if (header.channels[group.first].file == channel.file)
        throw DataError(fmt::format("{}: the channels in \"{}\" do not stand together.", where,
                                    printable(channel.file)));
    groups.push_back({i, 1});
  }
  return groups;
}

const Storage& storage_of(const WfdbChannel& channel, const std::string& where) {
  for (const Storage& storage : storages)
    if (storage.format == channel.format) return storage;
  throw DataError(fmt::format(
      "{}: signal format {} is not read; expected 16, 24, 32, 61, 80, 160 or 212. Convert the "
      "record with xform or wfdb.wrsamp.",
      where, channel.format));
}

/// The samples of one file: its bytes without what stands before them.
struct Samples {
  std::vector<std::byte> file;
  Bytes data;
  const Storage* storage;
  std::size_t steps;  ///< whole steps in the data
};

Samples open_samples(const std::filesystem::path& folder, const WfdbHeader& header,
                     const Group& group, const std::string& where) {
  const WfdbChannel& channel = header.channels[group.first];
  Samples samples;
  samples.storage = &storage_of(channel, where);
  samples.file = read_file(folder / channel.file);
  if (channel.offset > samples.file.size())
    throw DataError(fmt::format("{}: samples in \"{}\" start at byte {}, but it has {}.", where,
                                channel.file, channel.offset, samples.file.size()));
  samples.data = Bytes(samples.file).subspan(channel.offset);
  const std::size_t bytes = samples.data.size();
  const std::size_t numbers = channel.format == 212
                                  ? bytes / 3 * 2 + (bytes % 3 == 2)
                                  : bytes / static_cast<std::size_t>(samples.storage->bits / 8);
  samples.steps = numbers / group.count;
  if (header.steps < 0) return samples;
  const auto steps = static_cast<std::size_t>(header.steps);
  if (samples.steps != steps)
    // Two bytes may fill the last sample up to a whole word.
    if (samples.steps < steps ||
        bytes * 8 >
            (steps * group.count * static_cast<std::size_t>(samples.storage->bits)) + 7 + 16)
      throw DataError(fmt::format(
          "{}: the header says {} steps, but \"{}\" holds {}. One of them is not the original.",
          where, steps, channel.file, samples.steps));
  return samples;
}

/// Physical values of one group into its columns of `signal`. Verifies the checksums.
void decode(const Samples& samples, const WfdbHeader& header, const Group& group, Array& signal,
            const std::string& where) {
  const Index steps = signal.shape()[0], width = signal.shape()[1];
  const std::int64_t nothing = -(std::int64_t{1} << (samples.storage->bits - 1));
  for (std::size_t c = 0; c < group.count; ++c) {
    const WfdbChannel& channel = header.channels[group.first + c];
    float* out = signal.data() + group.first + c;
    std::uint64_t sum = 0;
    for (Index t = 0; t < steps; ++t, out += width) {
      const std::int64_t number = stored_number(*samples.storage, samples.data,
                                                static_cast<std::size_t>(t) * group.count + c);
      sum += static_cast<std::uint64_t>(number);
      const double value = static_cast<double>(number - channel.baseline) / channel.gain;
      *out =
          number == nothing ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(value);
    }
    const auto expected = static_cast<std::uint64_t>(channel.checksum);
    if (channel.has_checksum && ((sum ^ expected) & 0xffff) != 0)
      throw DataError(fmt::format(
          "{}: channel \"{}\" has checksum {}, expected {}. The signal file is damaged.", where,
          printable(channel.description), sign_extended(sum & 0xffff, 16), channel.checksum));
  }
}

}  // namespace
}  // namespace formats

WfdbRecord load_wfdb(const std::filesystem::path& record) {
  std::filesystem::path path = record;
  if (path.extension() != ".hea") path += ".hea";
  const std::string where = fmt::format("\"{}\"", path.string());
  // A line per channel and some comments: a header of megabytes is none.
  const auto text = read_file(path, 1 << 20);
  const formats::WfdbHeader header = formats::read_wfdb_header(text_of(text), where);
  const auto groups = formats::groups_of(header, where);
  std::vector<formats::Samples> files;
  Index steps = header.steps;
  for (const formats::Group& group : groups) {
    files.push_back(formats::open_samples(path.parent_path(), header, group, where));
    const Index there = static_cast<Index>(files.back().steps);
    if (header.steps < 0) steps = steps < 0 ? there : std::min(steps, there);
  }

  WfdbRecord result;
  result.name = header.name;
  result.frequency = header.frequency;
  result.comments = header.comments;
  result.signal = Array({steps, static_cast<Index>(header.channels.size())});
  for (std::size_t i = 0; i < groups.size(); ++i)
    formats::decode(files[i], header, groups[i], result.signal, where);
  for (const formats::WfdbChannel& channel : header.channels) {
    result.channels.push_back(channel.description);
    result.units.push_back(channel.units);
  }
  return result;
}

}  // namespace sonde
