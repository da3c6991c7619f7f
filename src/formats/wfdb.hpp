#pragma once
#include <cstdint>
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
  std::uint64_t offset = 0;   ///< bytes before the first sample of the file
  double gain = 200;          ///< stored units per physical unit
  std::int64_t baseline = 0;  ///< the stored number of physical 0
  std::string units = "mV";
  bool has_checksum = false;
  std::int64_t checksum = 0;  ///< sum of the stored numbers, modulo 2^16
  std::string description;
};

struct WfdbHeader {
  std::string name;
  double frequency = 250;
  Index steps = -1;  ///< -1: whatever the files hold
  std::vector<WfdbChannel> channels;
  std::vector<std::string> comments;
};

/// DataError with the line for whatever is not understood.
WfdbHeader read_wfdb_header(std::string_view text, const std::string& where);

/// Marks in the MIT format.
std::vector<Annotation> read_wfdb_annotations(Bytes bytes, const std::string& where);

}  // namespace sonde::formats
