#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sonde/callbacks.hpp>
#include <sonde/error.hpp>
#include <string_view>

namespace sonde {
namespace {

[[noreturn]] void fail(const std::string& filename, std::string_view what) {
  const int error = errno;
  throw IoError(fmt::format("CSVLogger \"{}\": cannot {}: {}.{}", filename, what,
                            std::strerror(error), error == ENOSPC ? " The disk is full." : ""));
}

/// As Python prints a float: the fewest digits that read back the same, and never like an integer.
std::string number(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".eni") == std::string::npos) text += ".0";
  return text;
}

/// A name that holds the separator or quotes stands in quotes (Python's csv, dialect "excel").
std::string cell(const std::string& name, char separator) {
  if (name.find_first_of(std::string("\"\r\n") + separator) == std::string::npos) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

bool holds_text(const std::string& filename) {
  const std::shared_ptr<std::FILE> old(std::fopen(filename.c_str(), "r"), [](std::FILE* f) {
    if (f) std::fclose(f);
  });
  return old && std::fgetc(old.get()) != EOF;
}

}  // namespace

void CSVLogger::train_begin(Training& t) {
  keys.clear();
  headed = append && holds_text(filename);
  const bool go_on = t.resumed && holds_text(filename);
  std::FILE* opened = std::fopen(filename.c_str(), go_on ? "r+" : append ? "a" : "w");
  if (!opened) fail(filename, "open the file");
  file.reset(opened, [](std::FILE* f) { std::fclose(f); });
}

void CSVLogger::epoch_end(Training& t) {
  if (keys.empty()) {
    for (const auto& entry : t.logs) keys.push_back(entry.first);
    // Validation may begin in a later epoch: its columns are there from the start.
    const bool validated =
        std::any_of(keys.begin(), keys.end(), [](auto& key) { return key.starts_with("val_"); });
    const std::size_t plain = keys.size();
    for (std::size_t i = 0; !validated && i < plain; ++i) keys.push_back("val_" + keys[i]);
  }

  std::string text;
  if (!headed) {
    text += "epoch";
    for (const std::string& key : keys) text += separator + cell(key, separator);
    text += "\r\n";
    headed = true;
  }
  text += fmt::format("{}", t.epoch);
  for (const std::string& key : keys) {
    const auto found = t.logs.find(key);
    text += separator;
    text += found == t.logs.end() ? "NA" : number(found->second);
  }
  text += "\r\n";
  if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() ||
      std::fflush(file.get()) != 0)
    fail(filename, "write");
}

void CSVLogger::train_end(Training&) { file.reset(); }

void CSVLogger::archive(Archive& a) {
  // What a checkpoint counts on must outlive a power cut as it does.
  if (!a.reads()) static_cast<void>(::fsync(::fileno(file.get())));
  std::int64_t end = a.reads() ? 0 : std::ftell(file.get());
  a(end, headed, keys);
  if (!a.reads()) return;
  std::fseek(file.get(), 0, SEEK_END);
  if (std::ftell(file.get()) < end)
    throw FormatError(fmt::format(
        "CSVLogger \"{}\": the file is shorter than when the checkpoint was made. Bring "
        "it back, or start the run anew.",
        filename));
  if (std::fflush(file.get()) != 0 || ::ftruncate(::fileno(file.get()), end) != 0 ||
      std::fseek(file.get(), 0, SEEK_END) != 0)
    fail(filename, "cut the file");
}

}  // namespace sonde
