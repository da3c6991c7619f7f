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
  enum class Earlier { refuse, remove, go_on };

  /// `earlier`: what becomes of what the folder holds. Throws ArgumentError when it is refused.
  RunDirectory(std::filesystem::path folder, Earlier earlier, bool quiet);

  /// Makes the folder, without what an earlier run left in it unless that goes on, and opens the
  /// log. Throws IoError, also while another run works in the folder.
  void open();
  const std::filesystem::path& folder() const { return folder_; }

  std::filesystem::path file(std::string_view name) const { return folder_ / name; }
  void write(std::string_view name, std::string_view text) const { write_text(file(name), text); }
  /// One line for people. What is said before open() is kept for the log.
  void say(const std::string& line);
  /// One line for the log only.
  void log(const std::string& line);
  bool quiet() const { return quiet_; }

 private:
  std::filesystem::path folder_;
  Earlier earlier_;
  bool quiet_;
  std::shared_ptr<const int> lock_;
  std::string early_;
  std::shared_ptr<std::FILE> log_;
};

}  // namespace sonde::cli
