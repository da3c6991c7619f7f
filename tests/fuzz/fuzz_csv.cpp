#include "formats/csv.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {

void fuzz_one(Bytes bytes) { formats::read_csv(text_of(bytes), "fuzz"); }

}  // namespace sonde::fuzz
