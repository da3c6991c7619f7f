#include "formats/edf.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {

/// What was read is put side by side, and its annotations are written and read again.
void fuzz_one(Bytes bytes) {
  const EdfFile file = formats::read_edf(bytes, "fuzz");
  try {
    const std::string again = formats::write_edf_annotations(file.start, file.annotations);
    if (formats::read_edf(bytes_of(again), "again").annotations != file.annotations)
      __builtin_trap();
  } catch (const ArgumentError&) {  // times beyond a thousand years, control characters
  }
  edf_signal(file);
}

}  // namespace sonde::fuzz
