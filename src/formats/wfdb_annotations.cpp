#include <fmt/format.h>

#include <sonde/error.hpp>
#include <sonde/formats.hpp>

#include "formats/wfdb.hpp"

namespace sonde {
namespace formats {
namespace {

/// PhysioBank's symbols by code; blank where a code has no meaning.
constexpr std::string_view symbols = " NLRaVFJASEj/Q~ | sT*D\"=pB^t+u?![]en@xf()r";

/// Codes that say something about the mark before them, or about the time to the next one.
enum Code { skip = 59, set_number = 60, set_subtype = 61, set_channel = 62, set_note = 63 };

}  // namespace

std::vector<Annotation> read_wfdb_annotations(Bytes bytes, const std::string& where) {
  const auto refuse = [&](std::string_view what) {
    throw DataError(fmt::format("{}: {}.", where, what));
  };
  std::size_t at = 0;
  const auto word = [&] {
    if (bytes.size() - at < 2) refuse("the marks end without an end mark; the file was cut off");
    const unsigned low = std::to_integer<unsigned>(bytes[at]);
    const unsigned high = std::to_integer<unsigned>(bytes[at + 1]);
    at += 2;
    return high << 8 | low;
  };
  const auto signed_byte = [](unsigned value) {
    return static_cast<int>(sign_extended(value & 255, 8));
  };

  std::vector<Annotation> marks;
  std::vector<unsigned> codes;
  Index step = 0;
  for (;;) {
    const unsigned now = word();
    const unsigned code = now >> 10, value = now & 1023;
    if (now == 0) break;
    // Fields of the mark before need one to stand there.
    if (code > skip && marks.empty()) refuse("the marks do not start with a mark");
    switch (code) {
      case skip: {
        const unsigned high = word(), low = word();  // the words of a PDP-11
        step += sign_extended(std::uint64_t{high} << 16 | low, 32);
        break;
      }
      case set_number:
        marks.back().number = signed_byte(value);
        break;
      case set_subtype:
        marks.back().subtype = signed_byte(value);
        break;
      case set_channel:
        marks.back().channel = static_cast<int>(value & 255);
        break;
      case set_note: {
        const std::size_t length = value & 255, padded = (length + 1) / 2 * 2;
        if (bytes.size() - at < padded) refuse("a note is longer than the file");
        std::string_view note = text_of(bytes.subspan(at, length));
        while (note.ends_with('\0')) note.remove_suffix(1);  // as C programs end theirs
        marks.back().note = note;
        at += padded;
        break;
      }
      default: {
        step += value;
        if (code >= symbols.size())
          refuse(fmt::format("mark {} has the unknown code {}", marks.size(), code));
        if (step < 0) refuse("a mark lies before the start of the signal");
        Annotation mark;
        mark.step = step;
        mark.symbol = symbols[code];
        // Number and channel stay as they are until they are set anew.
        if (!marks.empty()) {
          mark.number = marks.back().number;
          mark.channel = marks.back().channel;
        }
        marks.push_back(std::move(mark));
        codes.push_back(code);
      }
    }
  }
  for (; at < bytes.size(); ++at)
    if (bytes[at] != std::byte{0}) refuse("there are bytes after the end mark");

  // Notes at step 0 describe the file; codes without a meaning are no marks. Both are not data,
  // but a file that gives codes a meaning of its own cannot be understood without.
  constexpr unsigned not_a_mark = 0, note = 22;
  std::vector<Annotation> kept;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (codes[i] == not_a_mark) continue;
    if (codes[i] == note && marks[i].step == 0) {
      if (marks[i].note.starts_with("## annotation type definitions"))
        refuse("own annotation types are not read");
      continue;
    }
    kept.push_back(std::move(marks[i]));
  }
  return kept;
}

}  // namespace formats

std::vector<Annotation> load_wfdb_annotations(const std::filesystem::path& record,
                                              const std::string& annotator) {
  std::filesystem::path path = record;
  path += "." + annotator;
  return formats::read_wfdb_annotations(read_file(path), fmt::format("\"{}\"", path.string()));
}

}  // namespace sonde
