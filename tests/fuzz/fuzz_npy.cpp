#include "formats/npy.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {

void fuzz_one(Bytes bytes) { formats::read_npy(bytes, "fuzz"); }

}  // namespace sonde::fuzz
