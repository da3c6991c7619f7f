#pragma once
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace sonde::cli {

/// Makes `path` hold `text`, or leaves it as it was. Throws IoError.
void write_text(const std::filesystem::path& path, std::string_view text);

/// The folder of one training run, and what the user is told about it: on stderr and in its
/// log.txt.
class RunDirectory {
 public:
  /// Throws ArgumentError when the folder holds something and `force` is not given.
  RunDirectory(std::filesystem::path folder, bool force, bool quiet);

  /// Makes the folder, without what an earlier run left in it, and opens the log. Throws IoError.
  void open();

  std::filesystem::path file(std::string_view name) const { return folder_ / name; }
  void write(std::string_view name, std::string_view text) const { write_text(file(name), text); }
  /// One line for people. What is said before open() is kept for the log.
  void say(const std::string& line);
  /// One line for the log only.
  void log(const std::string& line);
  bool quiet() const { return quiet_; }

 private:
  std::filesystem::path folder_;
  bool quiet_;
  std::string early_;
  std::shared_ptr<std::FILE> log_;
};

}  // namespace sonde::cli
