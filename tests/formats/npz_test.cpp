#include "formats/npz.hpp"

#include <gtest/gtest.h>

#include "formats/npy.hpp"
#include "formats/zip.hpp"
#include "tests/support/files.hpp"

namespace sonde::formats {
namespace {

using testing::from_hex;
using testing::refused_with;
using testing::says;
using testing::TemporaryFolder;

Array filled(Shape shape, float first) {
  Array array(std::move(shape));
  for (float& value : array.values()) value = first++;
  return array;
}

bool same(const Array& a, const Array& b) {
  return a.shape() == b.shape() &&
         std::equal(a.values().begin(), a.values().end(), b.values().begin());
}

std::vector<std::byte> archive(const std::string& member, std::string_view text) {
  const ZipMember members[] = {{member, bytes_of(text)}};
  return write_zip(members);
}

// numpy.savez_compressed(f, y=numpy.array([1, 0], "i1")), NumPy 2.4.
TEST(Npz, reads_what_numpy_writes) {
  const auto bytes = from_hex(
      "504b03042d000000080000002100e244f648ffffffffffffffff05001400792e6e707901001000820000000000"
      "000046000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a05e9369a8aea3a09e965f54529498"
      "179f5f94920a12774bcc294e058a17672416a402f91a463a9a3a0ab50a14002e460600504b01022d032d000000"
      "080000002100e244f6484600000082000000050000000000000000000000800100000000792e6e7079504b0506"
      "0000000001000100330000007d0000000000");
  const NamedArrays arrays = read_npz(bytes, "x.npz");
  ASSERT_EQ(arrays.size(), 1u);
  EXPECT_TRUE(same(arrays.at("y"), Array({2}, std::vector<float>{1, 0})));
}

TEST(Npz, reads_back_what_was_written) {
  const TemporaryFolder folder;
  for (const bool compressed : {false, true}) {
    save_npz(folder / "d.npz",
             {{"x", filled({3, 4}, 1)}, {"labels", filled({0, 2}, 0)}, {"one", filled({}, 7)}},
             {.compressed = compressed});
    const NamedArrays arrays = load_npz(folder / "d.npz");
    EXPECT_EQ(arrays.size(), 3u);
    EXPECT_TRUE(same(arrays.at("x"), filled({3, 4}, 1)));
    EXPECT_TRUE(same(arrays.at("labels"), Array({0, 2})));
    EXPECT_TRUE(same(load_npz(folder / "d.npz", "one"), filled({}, 7)));
  }
}

TEST(Npz, gives_the_same_bytes_every_time) {
  const NamedArrays arrays = {{"x", filled({50}, 1)}};
  EXPECT_EQ(write_npz(arrays, {true}), write_npz(arrays, {true}));
}

TEST(Npz, reads_labels_that_pack_a_thousand_times_smaller) {
  const auto bytes = write_npz({{"y", Array({1000, 4000})}}, {.compressed = true});
  EXPECT_LT(bytes.size(), 30'000u);
  EXPECT_EQ(read_npz(bytes, "x").at("y").shape(), (Shape{1000, 4000}));
}

TEST(Npz, names_the_arrays_that_are_there) {
  const TemporaryFolder folder;
  save_npz(folder / "d.npz", {{"x", filled({3}, 1)}, {"y", filled({3}, 1)}});
  EXPECT_PRED2(says, refused_with<DataError>([&] { load_npz(folder / "d.npz", "X"); }),
               "there is no array \"X\". There are: x, y.");
}

TEST(Npz, refuses_what_are_no_arrays) {
  const auto refusal_of = [](const std::vector<std::byte>& bytes) {
    return refused_with<DataError>([&] { read_npz(bytes, "\"d.npz\""); });
  };
  EXPECT_EQ(refusal_of(archive("a.txt", "hello")),
            "\"d.npz\": expected arrays named NAME.npy, got \"a.txt\".");
  EXPECT_EQ(refusal_of(archive(".npy", "hello")),
            "\"d.npz\": expected arrays named NAME.npy, got \".npy\".");
  EXPECT_EQ(refusal_of(archive("a/b.npy", "hello")),
            "\"d.npz\": expected arrays named NAME.npy, got \"a/b.npy\".");
  EXPECT_PRED2(says, refusal_of(archive("x.npy", "hello")),
               "\"d.npz\": \"x\": expected a NumPy array (.npy)");
  EXPECT_PRED2(says, refusal_of({}), "expected a zip archive, got 0 bytes");
  EXPECT_PRED2(says, refusal_of(archive("x.npy", npy_header({1'000'000'000}))),
               "needs 4000000000 bytes, 0 are there");
}

TEST(Npz, refuses_to_write_names_that_are_paths) {
  for (const std::string name : {"", "a/b", "..\\a", "C:x"})
    EXPECT_NE(refused_with<ArgumentError>([&] {
                write_npz({{name, filled({1}, 0)}}, {});
              }),
              "(not refused)")
        << name;
}

}  // namespace
}  // namespace sonde::formats
