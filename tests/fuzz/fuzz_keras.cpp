#include "formats/keras/model_bytes.hpp"
#include "formats/zip.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {

/// An archive as it is; or config.json, a zero byte and model.weights.h5, which are packed here
/// because no mutation would ever find the checksums of an archive.
void fuzz_one(Bytes bytes) {
  if (text_of(bytes).starts_with("PK")) {
    formats::keras::read_model(bytes, "fuzz", options());
    return;
  }
  const auto [config, weights] = split(bytes);
  const formats::ZipMember members[] = {{"config.json", config}, {"model.weights.h5", weights}};
  formats::keras::read_model(formats::write_zip(members), "fuzz", options());
}

}  // namespace sonde::fuzz
