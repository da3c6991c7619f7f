#include "base/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;
using testing::TemporaryFolder;

std::string text_in(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  return std::string(text_of(bytes));
}

std::size_t files_in(const std::filesystem::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) count += entry.exists();
  return count;
}

TEST(File, reads_back_what_was_written) {
  const TemporaryFolder folder;
  for (const std::size_t size : {0, 1, 4097, 1 << 20}) {
    const std::string text(size, 'x');
    write_file_atomically(folder / "a", text);
    EXPECT_EQ(text_in(folder / "a"), text);
  }
  EXPECT_EQ(files_in(folder.path()), 1u) << "temporary files stay behind";
}

TEST(File, writes_its_parts_one_after_the_other) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", {bytes_of("head"), bytes_of(""), bytes_of(" and body")});
  EXPECT_EQ(text_in(folder / "a"), "head and body");
}

TEST(File, keeps_the_old_file_when_the_disk_is_full) {
  // A file system of one page; making one needs rights that a test may not have.
  const TemporaryFolder folder;
  const std::string mount =
      "mount -t tmpfs -o size=64k tmpfs " + folder.path().string() + " 2>/dev/null";
  if (::geteuid() != 0 || std::system(mount.c_str()) != 0) GTEST_SKIP() << "may not mount";
  write_file_atomically(folder / "a", std::string_view("old"));
  EXPECT_PRED2(says, refused_with<IoError>([&] {
                 write_file_atomically(folder / "a", std::string(1 << 20, 'x'));
               }),
               "the disk is full. Nothing was changed");
  EXPECT_EQ(text_in(folder / "a"), "old");
  EXPECT_EQ(files_in(folder.path()), 1u);
  EXPECT_EQ(std::system(("umount " + folder.path().string()).c_str()), 0);
}

TEST(File, says_that_a_device_is_full) {
  EXPECT_PRED2(says, refused_with<IoError>([] {
                 write_file_atomically("/dev/full", std::string_view("x"));
               }),
               "the disk is full");
}

TEST(File, follows_a_link_and_keeps_permissions) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "real", std::string_view("old"));
  ::chmod((folder / "real").c_str(), 0640);
  std::filesystem::create_symlink("real", folder / "link");
  write_file_atomically(folder / "link", std::string_view("new"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(text_in(folder / "real"), "new");
  struct stat status {};
  ::stat((folder / "real").c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(File, refuses_what_is_no_file) {
  const TemporaryFolder folder;
  ::mkfifo((folder / "pipe").c_str(), 0600);
  EXPECT_PRED2(says, refused_with<IoError>([&] { read_file(folder / "none"); }), "No such file");
  EXPECT_PRED2(says, refused_with<IoError>([&] { read_file(folder.path()); }),
               "is a folder, expected a file");
  EXPECT_PRED2(says, refused_with<IoError>([&] { read_file(folder / "pipe"); }),
               "is a pipe or device");
  EXPECT_PRED2(says, refused_with<IoError>([&] {
                 write_file_atomically(folder.path(), std::string_view("x"));
               }),
               "is a folder, expected a file name");
  EXPECT_PRED2(says, refused_with<IoError>([&] {
                 write_file_atomically(folder / "no/a", std::string_view("x"));
               }),
               "the folder does not exist. Make it first.");
}

TEST(File, refuses_more_bytes_than_its_limit) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", std::string_view("12345"));
  EXPECT_EQ(read_file(folder / "a", 5).size(), 5u);
  EXPECT_PRED2(says, refused_with<LimitError>([&] { read_file(folder / "a", 4); }),
               "holds 5 bytes, more than the limit of 4");
}

}  // namespace
}  // namespace sonde
