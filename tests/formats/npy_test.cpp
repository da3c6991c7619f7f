#include "formats/npy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <sonde/formats.hpp>

#include "tests/support/files.hpp"

namespace sonde::formats {
namespace {

using testing::from_hex;
using testing::refused_with;
using testing::says;
using testing::TemporaryFolder;

/// A file of version 1 with this literal and these numbers in hexadecimal.
std::vector<std::byte> npy(std::string literal, std::string_view numbers, int version = 1) {
  std::string text("\x93NUMPY");
  text += static_cast<char>(version);
  text += '\0';
  text += static_cast<char>(literal.size() & 255);
  text += static_cast<char>(literal.size() >> 8);
  if (version > 1) text += std::string(2, '\0');
  text += literal;
  const Bytes head = bytes_of(text);
  std::vector<std::byte> bytes(head.begin(), head.end());
  const auto tail = from_hex(numbers);
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  return bytes;
}
std::vector<std::byte> typed(std::string_view descr, std::string_view numbers,
                             std::string shape = "(3,)") {
  return npy(
      "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': " + shape + ", }\n",
      numbers);
}
std::vector<float> values(const std::vector<std::byte>& bytes) {
  const Array array = read_npy(bytes, "\"x.npy\"");
  return {array.values().begin(), array.values().end()};
}
std::string refusal_of(const std::vector<std::byte>& bytes) {
  return refused_with<DataError>([&] { read_npy(bytes, "\"x.npy\""); });
}

using Floats = std::vector<float>;

// The numbers are numpy.array([…], dtype).tobytes().hex().
TEST(Npy, reads_every_type_of_number) {
  EXPECT_EQ(values(typed("<f4", "0000803f 000000c0 0000c07f")).at(1), -2.0f);
  EXPECT_TRUE(std::isnan(values(typed("<f4", "0000803f 000000c0 0000c07f"))[2]));
  EXPECT_EQ(values(typed(">f4", "3f800000 c0000000 7f800000")),
            (Floats{1, -2, std::numeric_limits<float>::infinity()}));
  EXPECT_EQ(values(typed("<f8", "9a9999999999b93f 9c7500883ce4377e 000000000000f0ff")),
            (Floats{0.1f, std::numeric_limits<float>::infinity(),
                    -std::numeric_limits<float>::infinity()}));
  EXPECT_EQ(values(typed(">f8", "3fb999999999999a c000000000000000 0000000000000000")),
            (Floats{0.1f, -2, 0}));
  EXPECT_EQ(values(typed("<f2", "003c 00c0 ff7b")), (Floats{1, -2, 65504}));
  EXPECT_EQ(values(typed(">f2", "0001 8400 fc00")),
            (Floats{0x1p-24f, -0x1p-14f, -std::numeric_limits<float>::infinity()}));
  EXPECT_EQ(values(typed("|b1", "00 01 01")), (Floats{0, 1, 1}));
  EXPECT_EQ(values(typed("|i1", "01 ff 80")), (Floats{1, -1, -128}));
  EXPECT_EQ(values(typed("|u1", "01 ff 80")), (Floats{1, 255, 128}));
  EXPECT_EQ(values(typed("<i2", "0100 ffff 0080")), (Floats{1, -1, -32768}));
  EXPECT_EQ(values(typed(">u2", "0001 ffff 8000")), (Floats{1, 65535, 32768}));
  EXPECT_EQ(values(typed("<i4", "01000000 ffffffff 00000080")), (Floats{1, -1, -2147483648.0f}));
  EXPECT_EQ(values(typed(">u4", "00000001 ffffffff 80000000")),
            (Floats{1, 4294967296.0f, 2147483648.0f}));
  EXPECT_EQ(values(typed("<i8", "0100000000000000 ffffffffffffffff 0000000000000080")),
            (Floats{1, -1, -0x1p63f}));
  EXPECT_EQ(values(typed(">u8", "0000000000000001 ffffffffffffffff 8000000000000000")),
            (Floats{1, 0x1p64f, 0x1p63f}));
}

// numpy.save(f, numpy.asfortranarray([[1, -2, 300], [4, 5, -32768]], ">i2")), in every byte.
TEST(Npy, reads_columns_first_and_big_ends_first) {
  const auto bytes = npy(
      "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }" + std::string(59, ' ') + "\n",
      "0001 0004 fffe 0005 012c 8000");
  EXPECT_EQ(bytes.size(), 140u);
  const Array array = read_npy(bytes, "x");
  EXPECT_EQ(array.shape(), (Shape{2, 3}));
  EXPECT_EQ(Floats(array.values().begin(), array.values().end()),
            (Floats{1, -2, 300, 4, 5, -32768}));
}

TEST(Npy, turns_columns_first_in_three_axes) {
  // Element (i, j, k) of shape (2, 3, 2) is 100 i + 10 j + k; the first axis runs fastest.
  const auto bytes = npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2)}",
                         "00 64 0a 6e 14 78 01 65 0b 6f 15 79");
  const Array array = read_npy(bytes, "x");
  for (Index i = 0; i < 2; ++i)
    for (Index j = 0; j < 3; ++j)
      for (Index k = 0; k < 2; ++k)
        EXPECT_EQ(array(i, j, k), static_cast<float>(100 * i + 10 * j + k));
}

TEST(Npy, reads_all_versions_and_spellings) {
  const std::string literal = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}";
  for (const int version : {1, 2, 3})
    EXPECT_EQ(values(npy(literal, "0000803f", version)), Floats{1});
  EXPECT_EQ(values(npy("{\"shape\":(1L,),\"fortran_order\":False,\"descr\":\"<f4\",}", "0000803f")),
            Floats{1});
  EXPECT_EQ(read_npy(typed("<f4", "0000803f", "()"), "x").shape(), Shape{});
  EXPECT_EQ(read_npy(typed("<f8", "", "(0,)"), "x").shape(), Shape{0});
  EXPECT_EQ(read_npy(typed("<f8", "", "(5, 0, 7)"), "x").shape(), (Shape{5, 0, 7}));
}

TEST(Npy, refuses_what_are_no_numbers) {
  const std::string mend = ". Save with x.astype('float32').";
  const auto refused = [&](std::string_view descr) { return refusal_of(typed(descr, "")); };
  EXPECT_EQ(
      refused("|O"),
      "\"x.npy\": expected numbers, got Python objects (a pickle, which is never loaded)" + mend);
  EXPECT_EQ(refused("<U3"), "\"x.npy\": expected numbers, got text" + mend);
  EXPECT_EQ(refused("|S3"), "\"x.npy\": expected numbers, got text" + mend);
  EXPECT_EQ(refused("|V8"), "\"x.npy\": expected numbers, got raw or structured records" + mend);
  EXPECT_EQ(refused("<M8[s]"), "\"x.npy\": expected numbers, got dates or time spans" + mend);
  EXPECT_EQ(refused("<c8"),
            "\"x.npy\": expected numbers, got complex numbers; take x.real or abs(x) first" + mend);
  EXPECT_EQ(refused("<f16"), "\"x.npy\": expected numbers, got the type '<f16'" + mend);
  EXPECT_EQ(refusal_of(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "")),
            "\"x.npy\": expected numbers, got a structured type with named fields" + mend);
}

TEST(Npy, names_other_files_that_were_given_for_it) {
  EXPECT_PRED2(says, refusal_of(from_hex("80 05 95 0b 00 00 00 00 00")),
               "got a Python pickle, which is never loaded");
  EXPECT_PRED2(says, refusal_of(from_hex("50 4b 03 04 14 00 00 00 00")),
               "got a zip archive; name it .npz");
  EXPECT_PRED2(says, refusal_of(from_hex("31 2c 32 2c 33 0a 34 2c 35")), "got something else");
  EXPECT_PRED2(says, refusal_of({}), "expected a NumPy array (.npy), got 0 bytes");
  EXPECT_PRED2(says, refusal_of(npy("{}", "", 4)), "expected NPY version 1, 2 or 3, got 4.0");
}

TEST(Npy, refuses_damaged_headers) {
  for (const std::string literal :
       {"", "{", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'descr': '<f4'}", "__import__('os')",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} + x",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': ((1,),)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (True,)}",
        "{'descr': '!f4', 'fortran_order': False, 'shape': (1,)}", "{'a\x1b[2J': 1}"})
    EXPECT_PRED2(says, refusal_of(npy(literal, "00000000")), "the NPY header is damaged")
        << literal;
}

TEST(Npy, allocates_nothing_for_sizes_that_are_not_there) {
  for (const std::string shape : {"(1000000000000,)", "(4611686018427387904, 4)",
                                  "(9223372036854775807, 9223372036854775807, 0)", "(2,)"})
    EXPECT_PRED2(says, refusal_of(typed("<f4", "00000000", shape)), "bytes, 4 are there") << shape;
  // A header of 2^32 - 1 bytes.
  EXPECT_PRED2(says, refusal_of(from_hex("93 4e554d5059 02 00 ffffffff 7b7d")),
               "claims 4294967295 bytes");
}

TEST(Npy, refuses_every_truncation_and_trailing_bytes) {
  auto bytes = typed("<f4", "0000803f 000000c0 00000000");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(
        says(refusal_of({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}),
             "not refused"))
        << size;
  bytes.push_back(std::byte{0});
  EXPECT_PRED2(says, refusal_of(bytes),
               "1 bytes follow the array of shape (3,). Save one array per file.");
}

TEST(Npy, survives_every_changed_byte) {
  const auto bytes = typed("<f8", "9a9999999999b93f 9c7500883ce4377e 000000000000f0ff");
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (int value = 0; value < 256; ++value) {
      auto damaged = bytes;
      damaged[at] = static_cast<std::byte>(value);
      EXPECT_FALSE(refusal_of(damaged).empty());
    }
}

// numpy.save(f, numpy.float32([[1, 2]])) in NumPy 2.4.
TEST(Npy, writes_as_numpy_does) {
  const std::string header = npy_header({1, 2});
  EXPECT_EQ(header, std::string("\x93NUMPY\x01\x00\x76\x00", 10) +
                        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }" +
                        std::string(58, ' ') + "\n");
  EXPECT_PRED2(says, npy_header({7}), "'shape': (7,), }");
  EXPECT_PRED2(says, npy_header({}), "'shape': (), }");
}

TEST(Npy, reads_back_its_own_files) {
  const TemporaryFolder folder;
  std::mt19937 random(1);
  // Larger than one piece of the reader; a prime; nothing; a scalar.
  for (const Shape& shape : {Shape{300'007}, Shape{3, 5, 7}, Shape{0, 3}, Shape{}}) {
    Array array(shape);
    for (float& value : array.values()) value = static_cast<float>(random()) - 0x1p31f;
    save_npy(folder / "x.npy", array);
    const Array back = load_npy(folder / "x.npy");
    EXPECT_EQ(back.shape(), shape);
    EXPECT_TRUE(std::equal(array.values().begin(), array.values().end(), back.values().begin()));
  }
  EXPECT_PRED2(says, refused_with<IoError>([&] { load_npy(folder / "none.npy"); }), "No such file");
}

TEST(Npy, converts_arrays_larger_than_one_piece) {
  const TemporaryFolder folder;
  std::string text("{'descr': '<u2', 'fortran_order': False, 'shape': (700001,)}");
  auto bytes = npy(text, "");
  for (int i = 0; i < 700'001; ++i)
    for (const int byte : {i & 255, i >> 8 & 255}) bytes.push_back(static_cast<std::byte>(byte));
  write_file_atomically(folder / "x.npy", bytes);
  const Array array = load_npy(folder / "x.npy");
  Index wrong = 0;
  for (Index i = 0; i < array.size(); ++i) wrong += array(i) != static_cast<float>(i & 65535);
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace sonde::formats
