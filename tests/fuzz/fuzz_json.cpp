#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {

void fuzz_one(Bytes bytes) {
  const Model model = model_from_json(text_of(bytes), options());
  // What was understood can be written, and is then understood again.
  model_from_json(model_to_json(model), options());
}

}  // namespace sonde::fuzz
