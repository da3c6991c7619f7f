#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <sonde/error.hpp>
#include <string>
#include <vector>

namespace sonde::testing {

/// An empty folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sonde-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// Writes numbers to a file that memory then does not hold, where the file system lets go of it.
inline void write_past_the_cache(const std::filesystem::path& path,
                                 const std::vector<float>& numbers) {
  const int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  const std::size_t bytes = numbers.size() * sizeof(float);
  if (::write(file, numbers.data(), bytes) != static_cast<ssize_t>(bytes) || ::fsync(file) != 0)
    throw IoError(path.string() + " cannot be written.");
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  ::close(file);
}

/// Bytes from hexadecimal digits; blanks between them are for the reader.
inline std::vector<std::byte> from_hex(std::string_view digits) {
  std::vector<std::byte> bytes;
  std::string pair;
  for (const char c : digits) {
    if (c == ' ') continue;
    pair += c;
    if (pair.size() < 2) continue;
    bytes.push_back(static_cast<std::byte>(std::stoi(pair, nullptr, 16)));
    pair.clear();
  }
  return bytes;
}

/// The message with which `read` is refused with an error of kind E, or a note of what came
/// instead.
template <class E, class F>
std::string refused_with(F read) {
  try {
    read();
  } catch (const E& error) {
    return error.what();
  } catch (const Error& error) {
    return std::string("(another kind of error) ") + error.what();
  }
  return "(not refused)";
}

/// EXPECT_PRED2(says, message, part): `message` holds `part`.
inline bool says(const std::string& message, const std::string& part) {
  return message.find(part) != std::string::npos;
}

}  // namespace sonde::testing
