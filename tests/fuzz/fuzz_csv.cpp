#include "formats/csv.hpp"
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

}  // namespace

/// A table as it is; or a first line of options (two digits and columns between commas) and a
/// table.
void fuzz_one(Bytes bytes) {
  std::string_view text = text_of(bytes);
  CsvOptions options;
  if (text.starts_with("@") && text.size() > 3) {
    options.skip_lines = text[1] % 4;
    options.missing_as_nan = text[2] % 2 != 0;
    options.decimal = text[2] % 3 == 0 ? ',' : text[2] % 3 == 1 ? '.' : '\0';
    const std::size_t end = std::min(text.find('\n'), text.size());
    for (std::string_view names = text.substr(3, end - 3); !names.empty();) {
      const std::size_t comma = std::min(names.find(','), names.size());
      options.columns.emplace_back(names.substr(0, comma));
      names.remove_prefix(std::min(comma + 1, names.size()));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  try_to([&] { formats::read_text_table(text, "fuzz", options); });
  formats::read_csv(text, "fuzz", options);
}

}  // namespace sonde::fuzz
