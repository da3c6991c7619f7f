#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <sonde/recordings.hpp>
#include <string>
#include <string_view>
#include <vector>
#include "base/file.hpp"

/// PhysioNet's WFDB files, read from bytes. https://physionet.org/physiotools/wag/header-5.htm,
/// signal-5.htm and annot-5.htm are what this follows.
namespace sonde::formats {

/// The number whose two's complement of `bits` bits is `value`.
constexpr std::int64_t sign_extended(std::uint64_t value, int bits) {
  const std::uint64_t sign = std::uint64_t{1} << (bits - 1);
  return static_cast<std::int64_t>(value ^ sign) - static_cast<std::int64_t>(sign);
}

/// A line of a header: one channel.
struct WfdbChannel {
  std::string file;
  int format = 0;
  Index samples_per_step = 1;
  Index skew = 0;             ///< steps that this channel is stored too late
  std::uint64_t offset = 0;   ///< bytes before the first sample of the file
  double gain = 200;          ///< stored units per physical unit
  std::int64_t baseline = 0;  ///< the stored number of physical 0
  std::string units = "mV";
  std::int64_t first_value = 0;  ///< what the differences of format 8 add up from
  bool has_checksum = false;
  std::int64_t checksum = 0;  ///< sum of the stored numbers, modulo 2^16
  std::string description;
};

/// A part of a record, which is a record of its own.
struct WfdbSegment {
  std::string name;  ///< "~": nothing was recorded
  Index steps = 0;
};

struct WfdbHeader {
  std::string name;
  double frequency = 250;
  Index steps = -1;                   ///< -1: whatever the files hold
  std::int64_t channel_count = 0;     ///< also where only the segments list the channels
  std::vector<WfdbChannel> channels;  ///< none in a record of segments
  std::vector<WfdbSegment> segments;  ///< the first one has no steps where it lists all channels
  std::vector<std::string> comments;
};

/// DataError with the line for whatever is not understood.
WfdbHeader read_wfdb_header(std::string_view text, const std::string& where);

/// The stored numbers of every channel, in the order of the header, and how they are to be read.
struct WfdbNumbers {
  Index steps = 0;
  std::vector<std::vector<std::int32_t>> channels;  ///< samples_per_step for each step
};
/// Reads the signal files that `header` names in `folder`, after all checks of lengths.
WfdbNumbers read_wfdb_numbers(const std::filesystem::path& folder, const WfdbHeader& header,
                              const std::string& where);
/// The number with which `format` says that there is no value; none in format 8.
std::optional<std::int32_t> wfdb_missing(int format);

/// Marks in the MIT format.
std::vector<Annotation> read_wfdb_annotations(Bytes bytes, const std::string& where);

}  // namespace sonde::formats
