#include "formats/wfdb.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {

void fuzz_one(Bytes bytes) { formats::read_wfdb_annotations(bytes, "fuzz"); }

}  // namespace sonde::fuzz
