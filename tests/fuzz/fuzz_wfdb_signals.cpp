#include <fstream>
#include <sonde/formats.hpp>

#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {
namespace {

void write(const std::string& name, Bytes bytes) {
  std::ofstream(folder() / name, std::ios::binary) << text_of(bytes);
}

}  // namespace

/// A header, a zero byte, and the signal file "r.dat". The header is that of a segment as well, of
/// the record that a header between two zero bytes in front describes.
void fuzz_one(Bytes bytes) {
  const auto [header, rest] = split(bytes);
  const auto [segment, signal] = split(rest);
  const bool has_segments = text_of(header).substr(0, 40).find('/') != std::string_view::npos;
  write("r.hea", header);
  write("s.hea", segment);
  write("r.dat", has_segments ? signal : rest);
  load_wfdb(folder() / "r");
  load_wfdb_signals(folder() / "r");
}

}  // namespace sonde::fuzz
