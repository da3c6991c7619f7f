#include "formats/mat.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <sonde/error.hpp>
#include <sonde/formats.hpp>

#include "tests/support/files.hpp"

namespace sonde::formats {
namespace {

using testing::refused_with;
using testing::says;
using Floats = std::vector<float>;
using Names = std::vector<std::string>;

Floats values(const Array& array) { return {array.values().begin(), array.values().end()}; }

std::string word(std::uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}
std::string element(std::uint32_t type, std::string data) {
  const auto size = static_cast<std::uint32_t>(data.size());
  data.resize((data.size() + 7) / 8 * 8, '\0');
  return word(type) + word(size) + data;
}
std::string head() {
  std::string text = "MATLAB 5.0 MAT-file";
  text.resize(124, ' ');
  return text + std::string("\x00\x01", 2) + "IM";
}
/// A matrix as the format's description gives it. Class 6 is double, type 2 uint8.
std::string matrix(const std::string& name, std::uint32_t flags, const std::vector<int>& sizes,
                   const std::string& rest) {
  std::string dimensions;
  for (const int size : sizes) dimensions += word(static_cast<std::uint32_t>(size));
  return element(
      14, element(6, word(flags) + word(0)) + element(5, dimensions) + element(1, name) + rest);
}
std::string numbers(const std::string& name) {
  return matrix(name, 6, {2, 3}, element(2, std::string("\1\2\3\4\5\6", 6)));
}
std::string packed(const std::string& plain) {
  uLongf size = compressBound(plain.size());
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size,
           reinterpret_cast<const Bytef*>(plain.data()), plain.size());
  out.resize(size);
  return word(15) + word(static_cast<std::uint32_t>(size)) + out;
}

Array read(const std::string& file, const std::string& name = "") {
  return read_mat(bytes_of(file), name, "a.mat");
}
std::string refusal(const std::string& file, const std::string& name = "") {
  return refused_with<DataError>([&] { read(file, name); });
}

TEST(Mat, columns_become_the_second_axis) {
  const Array array = read(head() + numbers("x"), "x");
  EXPECT_EQ(array.shape(), (Shape{2, 3}));
  EXPECT_EQ(values(array), (Floats{1, 3, 5, 2, 4, 6}));
}

TEST(Mat, packed_arrays_are_unpacked_and_others_left_alone) {
  const std::string broken = word(15) + word(4) + "oops";
  EXPECT_EQ(values(read(head() + packed(numbers("x")), "x"))[1], 3);
  EXPECT_EQ(values(read(head() + packed(numbers("y")) + packed(numbers("x")), "x"))[1], 3);
  EXPECT_PRED2(says, refusal(head() + broken), "a packed element without a tag");
  std::string cut = packed(numbers("x"));
  cut[20] = static_cast<char>(cut[20] ^ 0x55);
  EXPECT_PRED2(says, refusal(head() + cut, "x"), "the MATLAB file is damaged");
}

TEST(Mat, fields_of_structs_have_paths) {
  const std::string field = std::string("data\0\0\0\0rate\0\0\0\0", 16);
  const std::string eeg =
      matrix("EEG", 2, {1, 1},
             word(5 | 4 << 16) + word(8) + element(1, field) + numbers("") +
                 matrix("", 6, {1, 1}, element(9, std::string("\0\0\0\0\0\0\x70\x40", 8))));
  const std::string file = head() + eeg;
  EXPECT_EQ(mat_names(bytes_of(file), "a.mat"), (Names{"EEG.data", "EEG.rate"}));
  EXPECT_EQ(values(read(file, "EEG.rate")), (Floats{256}));
  EXPECT_EQ(read(file, "EEG.data").shape(), (Shape{2, 3}));
}

TEST(Mat, without_a_name_there_must_be_one_array) {
  EXPECT_EQ(read(head() + numbers("x")).shape(), (Shape{2, 3}));
  EXPECT_EQ(refusal(head() + numbers("x") + numbers("y")),
            "a.mat: expected one array of numbers, got 2: x, y. Name the one to read.");
  EXPECT_EQ(refusal(head()),
            "a.mat: expected one array of numbers, got 0: none. Name the one to read.");
}

TEST(Mat, arrays_without_a_name_are_left_out) {
  EXPECT_EQ(refusal(head() + numbers("")),
            "a.mat: expected one array of numbers, got 0: none. Name the one to read.");
  EXPECT_EQ(values(read(head() + numbers("") + numbers("x")))[1], 3);
  EXPECT_PRED2(says,
               refusal(word(50) + word(1) + word(1) + word(0) + word(1) + std::string(2, '\0')),
               "a name is empty");
}

TEST(Mat, what_is_no_array_of_real_numbers_is_refused_by_name) {
  const std::string text = matrix("s", 4, {1, 2}, element(4, std::string("a\0b\0", 4)));
  const std::string complex = matrix("c", 6 | 0x0800, {1, 1}, element(2, "\1") + element(2, "\2"));
  const std::string cell = matrix("cell", 1, {1, 1}, numbers(""));
  const std::string empty = matrix("e", 6, {0, 3}, element(9, ""));
  const std::string structs = matrix("many", 2, {1, 2}, "");
  const std::string file = head() + text + complex + cell + empty + structs + numbers("x");
  EXPECT_EQ(refusal(file, "s"), "a.mat: \"s\" is text; expected an array of real numbers.");
  EXPECT_PRED2(says, refusal(file, "c"), "holds complex numbers");
  EXPECT_PRED2(says, refusal(file, "cell"), "is a cell array");
  EXPECT_PRED2(says, refusal(file, "e"), "is empty");
  EXPECT_PRED2(says, refusal(file, "many"), "is an array of structs");
  EXPECT_EQ(refusal(file, "y"),
            "a.mat: there is no array \"y\". There are: x; not read: s (is text), c (holds complex "
            "numbers), cell (is a cell array), e (is empty), many (is an array of structs).");
}

TEST(Mat, version_4_in_both_byte_orders) {
  const std::string little = word(20) + word(2) + word(1) + word(0) + word(2) +
                             std::string("x\0", 2) + word(7) + word(0xfffffff9);
  EXPECT_EQ(values(read(little, "x")), (Floats{7, -7}));
  // 1030: big-endian, numbers of 16 bits with a sign.
  const std::string big("\0\0\x04\x06\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\2y\0\0\7\xff\xf9", 26);
  EXPECT_EQ(values(read(big, "y")), (Floats{7, -7}));
  EXPECT_PRED2(says, refusal(big.substr(0, 25), "y"), "should have 2 numbers, 3 bytes are there");
  EXPECT_PRED2(says, refusal(word(90) + big.substr(4), "y"), "a header that makes no sense");
}

TEST(Mat, never_allocates_what_a_file_merely_claims) {
  EXPECT_PRED2(says,
               refusal(head() + matrix("x", 6, {2147483647, 2147483647}, element(2, "abc")), "x"),
               "has another number of elements than its sizes say");
  EXPECT_PRED2(says,
               refusal(word(0) + word(0xffffffff) + word(0xffffffff) + word(0) + word(2) +
                       std::string("x\0", 2)),
               "should have 18446744065119617025 numbers, 0 bytes are there");
  EXPECT_PRED2(says, refusal(head() + packed(word(14) + word(0xfffffff0) + "abcdefgh"), "x"),
               "says that it is huge");
}

TEST(Mat, a_file_cut_off_or_changed_anywhere_is_refused_or_read) {
  const std::string file = head() + numbers("x") + packed(numbers("y"));
  for (std::size_t size = 0; size < file.size(); ++size)
    refused_with<DataError>(
        [&] { mat_names(bytes_of(std::string_view(file).substr(0, size)), "m"); });
  for (std::size_t at = 124; at < file.size(); ++at)
    for (int value = 0; value < 256; value += 5) {
      std::string damaged = file;
      damaged[at] = static_cast<char>(value);
      refused_with<DataError>([&] { mat_names(bytes_of(damaged), "m"); });
      refused_with<DataError>([&] { read_mat(bytes_of(damaged), "y", "m"); });
    }
}

TEST(Mat, what_is_no_matlab_file_is_refused) {
  EXPECT_PRED2(says, refusal("abcd"), "expected a MATLAB file, got 4 bytes");
  EXPECT_PRED2(says, refusal(std::string(200, 'x')), "expected a MATLAB file, got something else");
}

}  // namespace
}  // namespace sonde::formats
