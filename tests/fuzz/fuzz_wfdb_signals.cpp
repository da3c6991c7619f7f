#include <fstream>
#include <sonde/formats.hpp>

#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {
namespace {

void write(const std::string& name, Bytes bytes) {
  std::ofstream(folder() / name, std::ios::binary) << text_of(bytes);
}

}  // namespace

/// A header, a zero byte, and the signal file "r.dat".
void fuzz_one(Bytes bytes) {
  const auto [header, signal] = split(bytes);
  write("r.hea", header);
  write("r.dat", signal);
  load_wfdb(folder() / "r");
}

}  // namespace sonde::fuzz
