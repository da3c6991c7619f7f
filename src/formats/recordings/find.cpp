#include <fmt/format.h>

#include <algorithm>
#include <sonde/recording_set.hpp>

#include "formats/recordings/labels.hpp"
#include "formats/recordings/pattern.hpp"
#include "formats/recordings/tracks.hpp"

namespace sonde {
namespace {

namespace fs = std::filesystem;
using formats::Captures;
using formats::Pattern;

std::string text_of(const Captures& captures) {
  std::string text;
  for (const auto& [name, value] : captures)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, value);
  return text.empty() ? "no captures" : text;
}

/// Whether two files belong together: what both of them capture is equal.
bool agree(const Captures& a, const Captures& b) {
  return std::all_of(a.begin(), a.end(), [&](const auto& each) {
    const auto other = b.find(each.first);
    return other == b.end() || other->second == each.second;
  });
}

std::vector<Pattern::Match> files_of(const Pattern& pattern, const fs::path& folder,
                                     const std::string& where) {
  if (!fs::is_directory(folder))
    throw IoError(
        fmt::format("{}: there is no folder \"{}\". Paths are seen from the file that names them.",
                    where, folder.string()));
  auto found = pattern.find(folder);
  if (found.empty())
    throw DataError(fmt::format(
        "{}: no file in \"{}\" matches \"{}\". Compare the pattern with the names there: {{name}} "
        "and * stand for any text within one part of a path, ** for folders.",
        where, folder.string(), pattern.text()));
  return found;
}

/// The one file of `files` that belongs to a recording; null when there is none.
const Pattern::Match* find_only(const std::vector<Pattern::Match>& files, const Captures& captures,
                                const Pattern& pattern, const std::string& where) {
  const Pattern::Match* found = nullptr;
  for (const Pattern::Match& each : files) {
    if (!agree(each.captures, captures)) continue;
    if (found)
      throw DataError(fmt::format(
          "{}: \"{}\" and \"{}\" both match \"{}\" for one recording ({}). "
          "Capture what tells them apart with {{name}}.",
          where, found->path.string(), each.path.string(), pattern.text(), text_of(captures)));
    found = &each;
  }
  return found;
}

const Pattern::Match& only(const std::vector<Pattern::Match>& files, const Captures& captures,
                           const Pattern& pattern, const std::string& where) {
  const Pattern::Match* found = find_only(files, captures, pattern, where);
  if (!found)
    throw DataError(fmt::format(
        "{}: no file matches \"{}\" with {}. Add the file, or leave the recording out: skip.",
        where, pattern.text(), text_of(captures)));
  return *found;
}

std::string default_name(const FoundRecording& found, const fs::path& folder) {
  std::string name;
  for (const auto& each : found.captures) name += (name.empty() ? "" : "-") + each.second;
  if (!name.empty()) return name;
  fs::path path = found.signals[0].lexically_relative(folder.lexically_normal());
  return path.replace_extension().generic_string();
}

void check_names(const std::vector<FoundRecording>& all) {
  std::map<std::string, const FoundRecording*> seen;
  for (const FoundRecording& each : all) {
    const auto [place, is_new] = seen.emplace(each.name, &each);
    if (!is_new)
      throw DataError(fmt::format(
          "recordings: \"{}\" and \"{}\" are both called \"{}\". Put more captures into name.",
          place->second->signals[0].string(), each.signals[0].string(), each.name));
  }
}

/// Leaves out the recordings of `skip`, each of which must be there.
void leave_out(const std::vector<std::string>& skip, std::vector<FoundRecording>& all) {
  std::vector<std::string> names;
  for (const FoundRecording& each : all) names.push_back(each.name);
  for (const std::string& each : skip)
    if (std::find(names.begin(), names.end(), each) == names.end())
      refuse_name("recordings: skip", each, {names.begin(), names.end()});
  std::erase_if(all, [&](const FoundRecording& each) {
    return std::find(skip.begin(), skip.end(), each.name) != skip.end();
  });
}

/// Every file of a further entry must belong to a recording, be it one that is left out.
void refuse_left_over(const std::vector<Pattern::Match>& files,
                      const std::vector<FoundRecording>& all, const std::string& where) {
  for (const Pattern::Match& file : files)
    if (std::none_of(all.begin(), all.end(), [&](const FoundRecording& each) {
          return agree(each.captures, file.captures);
        }))
      throw DataError(
          fmt::format("{}: \"{}\" belongs to no recording: the first signals have no "
                      "file with {}.",
                      where, file.path.string(), text_of(file.captures)));
}

/// Files of labels that every recording shares.
std::vector<fs::path> tables_for_all(const RecordingSet& set, const fs::path& folder) {
  std::vector<fs::path> tables;
  for (std::size_t i = 0; i < set.labels.size(); ++i) {
    if (set.labels[i].files.empty() || !fs::is_directory(folder)) continue;
    const Pattern pattern(set.labels[i].files, formats::labels_name(i) + ": files");
    const auto found = pattern.find(folder);
    if (found.size() == 1 && found[0].captures.empty()) tables.push_back(found[0].path);
  }
  return tables;
}

}  // namespace

std::vector<FoundRecording> find_recordings(const RecordingSet& set, Remarks* remarks) {
  if (set.signals.empty())
    throw ArgumentError(
        "recordings: there are no signals. Add [[recordings.signals]] with files = \"…\".");
  const fs::path folder = set.folder;
  std::vector<FoundRecording> all;
  std::vector<Pattern> patterns;
  std::vector<std::vector<Pattern::Match>> files;
  const std::vector<fs::path> tables = tables_for_all(set, folder);
  for (std::size_t i = 0; i < set.signals.size(); ++i) {
    const std::string where = formats::signals_name(i);
    patterns.emplace_back(set.signals[i].files, where + ": files");
    files.push_back(files_of(patterns[i], folder, where));
    // "*.csv" takes a table of labels beside the signals too.
    std::erase_if(files[i], [&](const Pattern::Match& each) {
      return files[i].size() > 1 &&
             std::find(tables.begin(), tables.end(), each.path) != tables.end();
    });
  }
  for (const Pattern::Match& first : files[0]) {
    FoundRecording found{
        .name = {}, .group = {}, .captures = first.captures, .signals = {first.path}, .labels = {}};
    // Names come first: a recording that lacks a file can be skipped.
    found.name = set.name.empty() ? default_name(found, folder)
                                  : formats::filled(set.name, found.captures, "recordings: name");
    found.group = formats::filled(set.group, found.captures, "recordings: group");
    all.push_back(std::move(found));
  }
  check_names(all);
  const std::vector<FoundRecording> before = all;
  leave_out(set.skip, all);
  for (std::size_t i = 1; i < files.size(); ++i) {
    for (FoundRecording& each : all)
      each.signals.push_back(
          only(files[i], each.captures, patterns[i], formats::signals_name(i)).path);
    refuse_left_over(files[i], before, formats::signals_name(i));
  }
  for (std::size_t i = 0; i < set.labels.size(); ++i) {
    const std::string where = formats::labels_name(i);
    if (set.labels[i].files.empty()) {
      for (FoundRecording& each : all) each.labels.push_back(each.signals[0]);
      continue;
    }
    const Pattern pattern(set.labels[i].files, where + ": files");
    const auto found = files_of(pattern, folder, where);
    for (FoundRecording& each : all)
      if (set.labels[i].optional && !find_only(found, each.captures, pattern, where))
        each.labels.emplace_back();
      else each.labels.push_back(only(found, each.captures, pattern, where).path);
    formats::RowsOfNobody left_out;
    for (const Pattern::Match& file : found) {
      std::vector<Captures> owners;
      for (const FoundRecording& each : before)
        if (agree(each.captures, file.captures)) owners.push_back(each.captures);
      formats::find_rows_of_nobody(set.labels[i], file.path, owners, where, left_out);
    }
    if (std::string remark = left_out.text(set.labels[i], before.size(), where);
        remarks && !remark.empty())
      remarks->push_back(std::move(remark));
  }
  if (all.empty()) throw ArgumentError("recordings: skip leaves no recording.");
  return all;
}

}  // namespace sonde
