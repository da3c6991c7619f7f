#include "formats/npz.hpp"
#include "formats/zip.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {

/// An archive as it is, or the bytes of one member.
void fuzz_one(Bytes bytes) {
  if (text_of(bytes).starts_with("PK")) {
    formats::read_npz(bytes, "fuzz");
    return;
  }
  const formats::ZipMember members[] = {{"x.npy", bytes}};
  formats::read_npz(formats::write_zip(members, false), "fuzz");
}

}  // namespace sonde::fuzz
