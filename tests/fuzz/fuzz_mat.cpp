#include "formats/mat.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {

/// Every array that a file says it has; most files of a few bytes have few.
void fuzz_one(Bytes bytes) {
  int left = 20;
  for (const std::string& name : formats::mat_names(bytes, "fuzz")) {
    if (left-- == 0) break;
    formats::read_mat(bytes, name, "fuzz");
  }
}

}  // namespace sonde::fuzz
