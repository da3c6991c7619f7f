#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sonde/error.hpp>

#include "formats/printable.hpp"
#include "formats/wfdb.hpp"

// Signal files: from bytes to the numbers that were stored.
namespace sonde::formats {
namespace {

/// How a format stores its numbers: `count` of them in `bytes`, in all formats but the packed ones
/// one in each block. `cut[n]` bytes hold the first n numbers of a block that was cut off.
struct Storage {
  int format;
  int bits;
  bool is_big_endian;
  std::int32_t offset;  ///< what is added to keep numbers positive
  std::size_t count, bytes;
  std::array<std::size_t, 3> cut;
};
constexpr Storage storages[] = {
    {8, 8, false, 0, 1, 1, {}},           {16, 16, false, 0, 1, 2, {}},
    {24, 24, false, 0, 1, 3, {}},         {32, 32, false, 0, 1, 4, {}},
    {61, 16, true, 0, 1, 2, {}},          {80, 8, false, 128, 1, 1, {}},
    {160, 16, false, 32768, 1, 2, {}},    {212, 12, false, 0, 2, 3, {0, 2, 0}},
    {310, 10, false, 0, 3, 4, {0, 2, 4}}, {311, 10, false, 0, 3, 4, {0, 2, 3}}};

const Storage& storage_of(const WfdbChannel& channel, const std::string& where) {
  for (const Storage& storage : storages)
    if (storage.format == channel.format) return storage;
  const bool is_flac = channel.format == 508 || channel.format == 516 || channel.format == 524;
  throw DataError(fmt::format(
      "{}: signal format {} {}; expected 8, 16, 24, 32, 61, 80, 160, 212, 310 or 311. Convert the "
      "record with xform or wfdb.wrsamp.",
      where, channel.format, is_flac ? "is compressed by FLAC, which is not read" : "is not read"));
}

/// How many numbers `bytes` bytes hold.
std::size_t numbers_in(const Storage& storage, std::size_t bytes) {
  std::size_t numbers = bytes / storage.bytes * storage.count;
  for (std::size_t n = 1; n < storage.count; ++n)
    if (bytes % storage.bytes >= storage.cut[n]) ++numbers;
  return numbers;
}
std::size_t bytes_for(const Storage& storage, std::size_t numbers) {
  return numbers / storage.count * storage.bytes + storage.cut[numbers % storage.count];
}

/// Number `at` of a signal file whose samples start at data[0].
std::int32_t stored_number(const Storage& storage, Bytes data, std::size_t at) {
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(data[i]); };
  const auto extended = [&](std::uint32_t value) {
    return static_cast<std::int32_t>(sign_extended(value, storage.bits));
  };
  const std::size_t block = at / storage.count * storage.bytes, place = at % storage.count;
  switch (storage.format) {
    case 212:  // the middle byte holds the upper bits of both numbers
      return extended(place == 0 ? byte(block) | (byte(block + 1) & 15) << 8
                                 : byte(block + 2) | (byte(block + 1) & 0xf0) << 4);
    case 310:  // two words of 16 bits; the third number lies in their upper five bits
      if (place < 2)
        return extended(byte(block + 2 * place) >> 1 | (byte(block + 2 * place + 1) & 7) << 7);
      return extended(byte(block + 1) >> 3 | (byte(block + 3) >> 3) << 5);
    case 311:  // one number after the other, from the lowest bits up
      return extended(
          (byte(block + place) >> 2 * place | byte(block + place + 1) << (8 - 2 * place)) & 1023);
    default: {
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < storage.bytes; ++i)
        value |= byte(block + i) << 8 * (storage.is_big_endian ? storage.bytes - 1 - i : i);
      return storage.offset != 0 ? static_cast<std::int32_t>(value) - storage.offset
                                 : extended(value);
    }
  }
}

/// Channels [first, first + count) of a header that lie in one file, sample beside sample.
struct Group {
  std::size_t first;
  std::size_t count;
  std::size_t samples;  ///< of all its channels in one step
};

std::vector<Group> groups_of(const WfdbHeader& header, const std::string& where) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < header.channels.size(); ++i) {
    const WfdbChannel& channel = header.channels[i];
    const auto samples = static_cast<std::size_t>(channel.samples_per_step);
    if (i > 0 && channel.file == header.channels[i - 1].file) {
      const WfdbChannel& before = header.channels[i - 1];
      if (channel.format != before.format || channel.offset != before.offset)
        throw DataError(fmt::format("{}: the channels in \"{}\" have different formats.", where,
                                    printable(channel.file)));
      ++groups.back().count;
      groups.back().samples += samples;
      continue;
    }
    if (channel.file == "~")
      throw DataError(
          fmt::format("{}: its channels have no signal file; it only lists those of a record of "
                      "segments. Read that record.",
                      where));
    for (const Group& group : groups)
      if (header.channels[group.first].file == channel.file)
        throw DataError(fmt::format("{}: the channels in \"{}\" do not stand together.", where,
                                    printable(channel.file)));
    groups.push_back({i, 1, samples});
  }
  return groups;
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
  samples.steps = numbers_in(*samples.storage, bytes) / group.samples;
  if (header.steps < 0) return samples;
  const auto steps = static_cast<std::size_t>(header.steps);
  // Two bytes may fill the last sample up to a whole word.
  constexpr std::size_t filling = 2;
  if (samples.steps < steps || bytes > bytes_for(*samples.storage, steps * group.samples) + filling)
    throw DataError(fmt::format(
        "{}: the header says {} steps, but \"{}\" holds {}. One of them is not the original.",
        where, steps, channel.file, samples.steps));
  return samples;
}

/// All numbers of one channel, whose samples begin `before` samples after those of a step.
std::vector<std::int32_t> decode(const Samples& samples, const WfdbChannel& channel, Index steps,
                                 std::size_t before, const Group& group, const std::string& where) {
  const auto width = static_cast<std::size_t>(channel.samples_per_step);
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(steps) * width);
  // Differences add up as the C library does, in 32 bits.
  auto running = static_cast<std::uint32_t>(channel.first_value);
  std::uint64_t sum = 0;
  for (std::size_t t = 0, out = 0; t < static_cast<std::size_t>(steps); ++t)
    for (std::size_t i = 0; i < width; ++i, ++out) {
      std::int32_t number =
          stored_number(*samples.storage, samples.data, t * group.samples + before + i);
      if (channel.format == 8) {
        running += static_cast<std::uint32_t>(number);
        number = static_cast<std::int32_t>(running);
      }
      sum += static_cast<std::uint64_t>(std::int64_t{number});
      numbers[out] = number;
    }
  const auto expected = static_cast<std::uint64_t>(channel.checksum);
  if (channel.has_checksum && ((sum ^ expected) & 0xffff) != 0)
    throw DataError(fmt::format(
        "{}: channel \"{}\" has checksum {}, expected {}. The signal file is damaged.", where,
        printable(channel.description), sign_extended(sum & 0xffff, 16), channel.checksum));
  return numbers;
}

}  // namespace

std::optional<std::int32_t> wfdb_missing(int format) {
  for (const Storage& storage : storages)
    if (storage.format == format && format != 8)
      return static_cast<std::int32_t>(-(std::int64_t{1} << (storage.bits - 1)));
  return std::nullopt;
}

WfdbNumbers read_wfdb_numbers(const std::filesystem::path& folder, const WfdbHeader& header,
                              const std::string& where) {
  const auto groups = groups_of(header, where);
  std::vector<Samples> files;
  WfdbNumbers result;
  result.steps = header.steps;
  for (const Group& group : groups) {
    files.push_back(open_samples(folder, header, group, where));
    const Index there = static_cast<Index>(files.back().steps);
    if (header.steps < 0) result.steps = result.steps < 0 ? there : std::min(result.steps, there);
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::size_t before = 0;
    for (std::size_t c = groups[g].first; c < groups[g].first + groups[g].count; ++c) {
      const WfdbChannel& channel = header.channels[c];
      result.channels.push_back(decode(files[g], channel, result.steps, before, groups[g], where));
      before += static_cast<std::size_t>(channel.samples_per_step);
    }
  }
  return result;
}

}  // namespace sonde::formats
