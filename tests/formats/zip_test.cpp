#include "formats/zip.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/support/files.hpp"

namespace sonde::formats {
namespace {

using testing::from_hex;
using testing::refused_with;
using testing::says;

std::vector<std::byte> bytes(std::string_view text) {
  const Bytes view = bytes_of(text);
  return {view.begin(), view.end()};
}

std::vector<std::byte> archive(std::vector<std::string> names, std::string_view content = "hello",
                               bool stored = true) {
  std::vector<ZipMember> members;
  for (const std::string& name : names) members.push_back({name, bytes_of(content)});
  return write_zip(members, stored);
}

/// Replaces `from` by `to`, of equal length, everywhere: how a hostile archive comes about.
std::vector<std::byte> patched(std::vector<std::byte> zip, std::string_view from,
                               std::string_view to) {
  const Bytes old = bytes_of(from);
  for (auto at = zip.begin();
       (at = std::search(at, zip.end(), old.begin(), old.end())) != zip.end();)
    at = std::copy_n(bytes_of(to).begin(), to.size(), at);
  return zip;
}

std::string refusal_of(const std::vector<std::byte>& zip) {
  return refused_with<FormatError>([&] {
    const ZipReader reader(zip, "\"a.zip\"");
    for (const std::string& name : reader.names()) reader.read(name);
  });
}

TEST(Zip, reads_back_what_was_written) {
  for (const bool stored : {true, false})
    for (const std::size_t size : {0, 1, 1000, 1 << 20}) {
      std::string text(size, ' ');
      for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * i);
      const auto zip = archive({"b/c.bin", "a"}, text, stored);
      const ZipReader reader(zip);
      EXPECT_EQ(reader.names(), (std::vector<std::string>{"b/c.bin", "a"}));
      EXPECT_EQ(reader.size("a"), size);
      EXPECT_EQ(text_of(reader.read("a")), text);
      EXPECT_TRUE(reader.has("b/c.bin"));
      EXPECT_FALSE(reader.has("b"));
    }
}

TEST(Zip, gives_the_same_bytes_every_time) {
  EXPECT_EQ(archive({"a", "b"}), archive({"a", "b"}));
  // The time of a member is 1980-01-01 00:00 in the zone of nobody.
  const auto zip = archive({"a"});
  EXPECT_EQ(text_of(Bytes(zip).subspan(10, 4)), std::string_view("\x00\x00\x21\x00", 4));
}

// zipfile.ZipFile(f, "w", zipfile.ZIP_DEFLATED).writestr("x", "a" * 50); the other one was written
// to a stream, where the sizes follow the data.
TEST(Zip, reads_what_python_writes) {
  const auto deflated = from_hex(
      "504b0304140000000800000021007dbad747060000003200000001000000784b4c24150000504b01021403140000"
      "0008"
      "00000021007dbad747060000003200000001000000000000000000000080010000000078504b0506000000000100"
      "0100"
      "2f000000250000000000");
  EXPECT_EQ(text_of(ZipReader(deflated).read("x")), std::string(50, 'a'));
  const auto streamed = from_hex(
      "504b03041400080000000000210000000000000000000000000001000000786869504b0708ac2a93d80200000002"
      "0000"
      "00504b0102140314000800000000002100ac2a93d802000000020000000100000000000000000000008001000000"
      "0078"
      "504b050600000000010001002f000000310000000000");
  EXPECT_EQ(text_of(ZipReader(streamed).read("x")), "hi");
}

TEST(Zip, refuses_what_is_no_archive) {
  EXPECT_PRED2(says, refusal_of({}), "expected a zip archive, got 0 bytes");
  EXPECT_PRED2(says, refusal_of(bytes("PKPKPKPKPKPKPKPKPKPKPKPKPKPKPKPK")), "damaged");
  EXPECT_PRED2(says, refusal_of(bytes("not a zip archive, but longer than one")),
               "expected a zip archive");
}

TEST(Zip, refuses_every_truncation_and_trailing_bytes) {
  const auto zip = archive({"a", "b"});
  for (std::size_t size = 0; size < zip.size(); ++size)
    EXPECT_FALSE(says(refusal_of({zip.begin(), zip.begin() + static_cast<std::ptrdiff_t>(size)}),
                      "not refused"))
        << size;
  auto longer = zip;
  longer.push_back(std::byte{0});
  EXPECT_PRED2(says, refusal_of(longer), "damaged");
}

TEST(Zip, refuses_changed_content) {
  EXPECT_PRED2(says, refusal_of(patched(archive({"a"}), "hello", "hellO")),
               "member \"a\" is damaged: CRC error");
}

TEST(Zip, survives_every_changed_byte) {
  const auto zip = archive({"first", "second"}, std::string(300, 'x'), false);
  for (std::size_t at = 0; at < zip.size(); ++at)
    for (const int change : {1, 0x80, 0xff}) {
      auto damaged = zip;
      damaged[at] ^= static_cast<std::byte>(change);
      const std::string message = refusal_of(damaged);  // an answer, whatever it is
      EXPECT_FALSE(message.empty());
    }
}

TEST(Zip, refuses_names_that_are_paths_elsewhere) {
  const auto zip = archive({"abcdefgh"});
  for (const std::string_view name : {"/bcdefgh", "../defgh", "a/../fgh", "a\\cdefgh", "C:cdefgh",
                                      "a//defgh", "./cdefgh", "abcdef/.", "ab/de/..", "a\ncdefgh"})
    EXPECT_PRED2(says, refusal_of(patched(zip, "abcdefgh", name)), "has a name that") << name;
  const auto written = [](std::string name) {
    return refused_with<ArgumentError>([&] { archive({name}); });
  };
  EXPECT_PRED2(says, written("../a"), "is not a plain relative name");
  EXPECT_PRED2(says, written(""), "is empty");
}

TEST(Zip, refuses_two_members_of_one_name) {
  EXPECT_PRED2(says, refusal_of(patched(archive({"ab", "cd"}), "cd", "ab")),
               "two members have the same name");
}

TEST(Zip, refuses_encryption_and_unknown_packing) {
  auto zip = archive({"a"});
  // The flags and the method stand 6 and 8 bytes into the local header, 8 and 10 into the
  // directory.
  const auto set = [&](std::size_t local, std::size_t entry, int value) {
    auto changed = zip;
    const Bytes mark = bytes_of(std::string_view("PK\x01\x02"));
    const auto directory = std::search(changed.begin(), changed.end(), mark.begin(), mark.end());
    changed[local] = directory[static_cast<std::ptrdiff_t>(entry)] = static_cast<std::byte>(value);
    return refusal_of(changed);
  };
  EXPECT_PRED2(says, set(6, 8, 1), "is encrypted");
  EXPECT_PRED2(says, set(8, 10, 12), "uses packing method 12, expected stored or deflated");
}

TEST(Zip, refuses_a_bomb_before_unpacking_it) {
  const std::string zeros(4 << 20, '\0');
  const auto zip = archive({"a"}, zeros, false);
  EXPECT_LT(zip.size(), 8192u);
  EXPECT_PRED2(says, refused_with<LimitError>([&] { ZipReader reader(zip); }),
               "expands more than 100 times");
  EXPECT_EQ(ZipReader(zip, ZipLimits{.expansion = 1100}).read("a").size(), zeros.size());
  EXPECT_EQ(ZipReader(zip, ZipLimits{.always_allowed = 4 << 20}).read("a").size(), zeros.size());
  EXPECT_PRED2(says, refused_with<LimitError>([&] {
                 ZipReader reader(zip, ZipLimits{.total = 1 << 20, .expansion = 1100});
               }),
               "unpack to more than 1048576 bytes");
}

TEST(Zip, refuses_more_members_than_its_limit) {
  const auto zip = archive({"a", "b", "c"});
  EXPECT_PRED2(says,
               refused_with<LimitError>([&] { ZipReader reader(zip, ZipLimits{.members = 2}); }),
               "3 members, more than the limit of 2");
}

TEST(Zip, refuses_sizes_that_are_not_there) {
  // Stored members claim what they are: a directory that says 6 bytes where 5 lie is a lie.
  auto zip = archive({"a"});
  const Bytes five = bytes_of(std::string_view("\x05\x00\x00\x00", 4));
  for (auto at = zip.begin();
       (at = std::search(at, zip.end(), five.begin(), five.end())) != zip.end(); ++at)
    *at = std::byte{200};
  EXPECT_FALSE(says(refusal_of(zip), "not refused"));
}

TEST(Zip, names_the_member_that_is_missing) {
  const auto zip = archive({"a"});
  EXPECT_EQ(refused_with<FormatError>([&] { ZipReader(zip, "\"m.keras\"").read("config.json"); }),
            "\"m.keras\": there is no member \"config.json\".");
}

}  // namespace
}  // namespace sonde::formats
