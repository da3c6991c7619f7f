#include "formats/hdf5_datasets.hpp"
#include "formats/keras/model_bytes.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {
namespace {

template <class F>
void try_to(F&& f) {
  try {
    f();
  } catch (const Error&) {
  }
}

/// Reads everything that can be reached.
void walk(const formats::Hdf5Reader& file, const std::string& path, int depth, int& steps) {
  if (++steps > 500 || depth > 6) return;
  try_to([&] { file.texts(path, "weight_names"); });
  try_to([&] { file.texts(path, "name"); });
  try_to([&] { file.read_integer(path); });
  try_to([&] {
    if (file.holds_numbers(path)) file.read_numbers(path);
  });
  try_to([&] {
    const Shape shape = file.shape(path);
    if (shape.elements() < 1 << 20) file.read(path, shape);
  });
  try_to([&] {
    for (const std::string& name : file.names(path))
      walk(file, path.empty() ? name : path + "/" + name, depth + 1, steps);
  });
}

}  // namespace

void fuzz_one(Bytes bytes) {
  int steps = 0;
  try_to([&] { walk(formats::Hdf5Reader(bytes), "", 0, steps); });
  try_to([&] { formats::datasets_of(formats::Hdf5Reader(bytes)); });
  if (text_of(bytes).starts_with("\x89HDF")) formats::keras::read_model(bytes, "fuzz", options());
}

}  // namespace sonde::fuzz
