#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <sonde/error.hpp>

#include "formats/npy.hpp"
#include "formats/printable.hpp"

namespace sonde::formats {
namespace {

constexpr Index most_axes = 32;

/// Reads the Python literal of a header: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4),
/// }
class Literal {
 public:
  Literal(std::string_view text, const std::string& where) : rest_(text), where_(where) {}

  NpyHeader read() {
    std::optional<std::string_view> descr;
    std::optional<bool> order;
    std::optional<Shape> shape;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = word();
      expect(':');
      if (key == "descr" && !descr) descr = type();
      else if (key == "fortran_order" && !order) order = truth();
      else if (key == "shape" && !shape) shape = sizes();
      else refuse(fmt::format("an unexpected key '{}'", printable(key)));
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (!rest_.empty()) refuse("text after its end");
    if (!descr || !order || !shape) refuse("no descr, fortran_order or shape");
    NpyHeader header;
    read_type(*descr, header);
    header.is_fortran_order = *order;
    header.shape = std::move(*shape);
    return header;
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    throw DataError(fmt::format("{}: the NPY header is damaged: it has {}.", where_, what));
  }
  [[noreturn]] void refuse_type(std::string_view what) const {
    throw DataError(
        fmt::format("{}: expected numbers, got {}. Save with x.astype('float32').", where_, what));
  }

  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n'))
      rest_.remove_prefix(1);
  }
  bool accept(char c) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse(fmt::format("no '{}' where one is due", c));
  }

  std::string_view word() {
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"'))
      refuse("no quoted word where one is due");
    const char quote = rest_.front();
    const std::size_t end = rest_.find(quote, 1);
    if (end == rest_.npos) refuse("a quoted word without an end");
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }

  std::string_view type() {
    skip_blanks();
    if (!rest_.empty() && (rest_.front() == '[' || rest_.front() == '('))
      refuse_type("a structured type with named fields");
    return word();
  }

  bool truth() {
    skip_blanks();
    for (const std::string_view text : {"True", "False"})
      if (rest_.substr(0, text.size()) == text) {
        rest_.remove_prefix(text.size());
        return text == "True";
      }
    refuse("no True or False for fortran_order");
  }

  Shape sizes() {
    std::vector<Index> sizes;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      Index size = -1;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (error != std::errc() || size < 0) refuse("a size that is no number or too large");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      if (!rest_.empty() && rest_.front() == 'L') rest_.remove_prefix(1);  // Python 2
      sizes.push_back(size);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    if (static_cast<Index>(sizes.size()) > most_axes) refuse(fmt::format("{} axes", sizes.size()));
    return Shape(std::move(sizes));
  }

  /// A type is a byte order, a letter and a number of bytes: '<f4'.
  void read_type(std::string_view descr, NpyHeader& header) const {
    if (descr.size() < 2 || std::string_view("<>|=").find(descr[0]) == std::string_view::npos)
      refuse(fmt::format("the unknown type '{}'", printable(descr)));
    const char kind = descr[1];
    switch (kind) {
      case 'O':
        refuse_type("Python objects (a pickle, which is never loaded)");
      case 'c':
        refuse_type("complex numbers; take x.real or abs(x) first");
      case 'S':
      case 'a':
      case 'U':
        refuse_type("text");
      case 'V':
        refuse_type("raw or structured records");
      case 'M':
      case 'm':
        refuse_type("dates or time spans");
      default:
        break;
    }
    int width = 0;
    const auto [end, error] = std::from_chars(descr.data() + 2, descr.data() + descr.size(), width);
    const bool fits = kind == 'b'   ? width == 1
                      : kind == 'f' ? width == 2 || width == 4 || width == 8
                      : kind == 'i' || kind == 'u'
                          ? width == 1 || width == 2 || width == 4 || width == 8
                          : false;
    if (error != std::errc() || end != descr.data() + descr.size() || !fits)
      refuse_type(fmt::format("the type '{}'", printable(descr)));
    header.kind = kind;
    header.width = width;
    header.is_big_endian = descr[0] == '>';
  }

  std::string_view rest_;
  const std::string& where_;
};

}  // namespace

NpyHeader read_npy_literal(std::string_view text, const std::string& where) {
  return Literal(text, where).read();
}

}  // namespace sonde::formats
