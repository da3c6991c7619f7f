#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <sonde/error.hpp>

#include "formats/mat.hpp"
#include "formats/printable.hpp"

// Version 4: one matrix behind the other, each with a header of five numbers.
namespace sonde::formats {
namespace {

using Kind = NumberForm::Kind;

/// By the digit P of the type.
constexpr std::array<NumberForm, 6> forms = {NumberForm{Kind::floating, 8, false},
                                             {Kind::floating, 4, false},
                                             {Kind::whole, 4, false},
                                             {Kind::whole, 2, false},
                                             {Kind::natural, 2, false},
                                             {Kind::natural, 1, false}};

std::uint32_t word(Bytes bytes, std::size_t at, bool is_big_endian) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value |= std::to_integer<std::uint32_t>(bytes[at + i]) << 8 * (is_big_endian ? 3 - i : i);
  return value;
}

}  // namespace

void walk_mat4(Bytes bytes, const std::string& where, MatVisitor& visitor) {
  constexpr std::size_t head = 20;
  constexpr std::uint32_t most_types = 5000, longest_name = 64;
  std::size_t at = 0;
  const auto refuse = [&](const std::string& what) {
    throw DataError(fmt::format("{}: is no MATLAB file of version 4, or is damaged at byte {}: {}.",
                                where, at, what));
  };
  while (at < bytes.size()) {
    if (bytes.size() - at < head) refuse("a header ends too early");
    const bool big = word(bytes, at, false) >= most_types;
    const std::uint32_t type = word(bytes, at, big);
    const std::uint32_t rows = word(bytes, at + 4, big), columns = word(bytes, at + 8, big);
    const std::uint32_t imaginary = word(bytes, at + 12, big);
    const std::uint32_t name_length = word(bytes, at + 16, big);
    const std::uint32_t order = type / 1000, format = type / 10 % 10, matrix = type % 10;
    if (type >= most_types || order > 1 || type / 100 % 10 != 0 || format >= forms.size() ||
        matrix > 2 || imaginary > 1 || big != (order == 1))
      refuse("a header that makes no sense");
    if (name_length < 1 || name_length > longest_name) refuse("the length of a name");
    at += head;
    if (bytes.size() - at < name_length) refuse("a name ends too early");
    std::string_view name = text_of(bytes.subspan(at, name_length));
    at += name_length;

    MatVariable variable;
    variable.name = name.substr(0, name.find('\0'));
    if (variable.name.empty()) refuse("a name is empty");
    variable.form = forms[format];
    variable.form.is_big_endian = big;
    // Both below 2^32, and the width is at most 8: one step more could overflow.
    const std::uint64_t count = std::uint64_t{rows} * columns;
    const auto width = static_cast<std::uint64_t>(variable.form.width) * (1 + imaginary);
    if (count > (bytes.size() - at) / width)
      refuse(fmt::format("\"{}\" should have {} numbers, {} bytes are there",
                         printable(variable.name), count, bytes.size() - at));
    variable.shape = Shape({static_cast<Index>(rows), static_cast<Index>(columns)});
    variable.numbers = bytes.subspan(
        at, static_cast<std::size_t>(count) * static_cast<std::size_t>(variable.form.width));
    at += static_cast<std::size_t>(count * width);
    if (matrix == 1) variable.refusal = "is text";
    else if (matrix == 2) variable.refusal = "is sparse";
    else if (count == 0) variable.refusal = "is empty";
    else if (imaginary == 1) variable.refusal = "holds complex numbers";
    if (!visitor.visit(variable)) return;
  }
}

}  // namespace sonde::formats
