#include "formats/recordings/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <sonde/error.hpp>
#include <sonde/fields.hpp>

namespace sonde::formats {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest = 4096;  ///< bytes: no path of Linux has more

/// The text up to the closing brace of the name that begins at `at`, which stands behind '{'.
std::string_view name_at(std::string_view text, std::size_t at, const std::string& where) {
  const std::size_t end = text.find('}', at);
  const std::string_view name = text.substr(at, end == text.npos ? end : end - at);
  if (end == text.npos || name.empty() || name.find_first_of("{/") != name.npos)
    throw ArgumentError(fmt::format(
        "{}: \"{}\" has a brace without its other half or without a name. Write {{user}}.", where,
        text));
  return name;
}

/// The names of the entries of a folder in order, so that every machine finds the same.
std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    found.push_back(at->path());
  if (error)
    throw IoError(fmt::format("\"{}\" cannot be listed: {}.", folder.string(), error.message()));
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

Pattern::Pattern(std::string_view text, const std::string& where) : text_(text) {
  if (text.size() > longest)
    throw ArgumentError(
        fmt::format("{}: a pattern has at most {} bytes, got {}.", where, longest, text.size()));
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('/'), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty() || part == ".") continue;
    Part& added = parts_.emplace_back();
    if (part == "**") {
      if (std::any_of(parts_.begin(), parts_.end() - 1,
                      [](const Part& each) { return each.is_any_folders; }))
        throw ArgumentError(fmt::format("{}: \"{}\" has ** twice.", where, text_));
      added.is_any_folders = true;
      continue;
    }
    std::vector<std::string_view> here;
    for (std::size_t at = 0; at < part.size(); ++at) {
      if (part[at] == '*') {
        if (!added.pieces.empty() && added.pieces.back().kind == Piece::Kind::any) continue;
        added.pieces.push_back({Piece::Kind::any, {}});
      } else if (part[at] == '{') {
        const std::string_view name = name_at(part, at + 1, where);
        if (std::find(here.begin(), here.end(), name) != here.end())
          throw ArgumentError(
              fmt::format("{}: \"{}\" has {{{}}} twice in \"{}\".", where, text_, name, part));
        here.push_back(name);
        added.pieces.push_back({Piece::Kind::capture, std::string(name)});
        if (std::find(captures_.begin(), captures_.end(), name) == captures_.end())
          captures_.emplace_back(name);
        at += name.size() + 1;
      } else if (part[at] == '}') {
        name_at(part, part.size(), where);
      } else {
        if (added.pieces.empty() || added.pieces.back().kind != Piece::Kind::text)
          added.pieces.push_back({Piece::Kind::text, {}});
        added.pieces.back().text += part[at];
      }
    }
  }
  if (parts_.empty() || parts_.back().is_any_folders)
    throw ArgumentError(fmt::format("{}: \"{}\" names no file.", where, text_));
}

bool Pattern::match_part(const Part& part, std::string_view name, Captures& captures) const {
  // (piece, place) pairs from which the rest does not match: tried once, so that many stars cannot
  // take forever. What earlier parts captured is fixed here, and no name stands twice.
  if (name.size() > longest) return false;
  const std::size_t width = name.size() + 1;
  std::vector<bool> failed((part.pieces.size() + 1) * width);
  std::vector<std::string> taken(part.pieces.size());
  const std::function<bool(std::size_t, std::size_t)> rest = [&](std::size_t piece,
                                                                 std::size_t at) {
    if (piece == part.pieces.size()) return at == name.size();
    if (failed[piece * width + at]) return false;
    const Piece& here = part.pieces[piece];
    const auto known = captures.find(here.text);
    const bool is_fixed = here.kind == Piece::Kind::text ||
                          (here.kind == Piece::Kind::capture && known != captures.end());
    if (is_fixed) {
      const std::string& text = here.kind == Piece::Kind::text ? here.text : known->second;
      if (name.substr(at).starts_with(text) && rest(piece + 1, at + text.size())) return true;
    } else {
      const std::size_t least = here.kind == Piece::Kind::capture;
      for (std::size_t end = at + least; end <= name.size(); ++end)
        if (rest(piece + 1, end)) {
          taken[piece] = name.substr(at, end - at);
          return true;
        }
    }
    failed[piece * width + at] = true;
    return false;
  };
  if (!rest(0, 0)) return false;
  for (std::size_t i = 0; i < part.pieces.size(); ++i)
    if (part.pieces[i].kind == Piece::Kind::capture)
      captures.emplace(part.pieces[i].text, taken[i]);
  return true;
}

std::optional<Captures> Pattern::match(std::string_view path) const {
  std::vector<std::string_view> names;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) names.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  const std::function<std::optional<Captures>(std::size_t, std::size_t, const Captures&)> rest =
      [&](std::size_t part, std::size_t name, const Captures& before) -> std::optional<Captures> {
    if (part == parts_.size()) {
      if (name == names.size()) return before;
      return std::nullopt;
    }
    if (parts_[part].is_any_folders) {
      for (std::size_t next = name; next < names.size(); ++next)
        if (auto found = rest(part + 1, next, before)) return found;
      return std::nullopt;
    }
    Captures captures = before;
    if (name < names.size() && match_part(parts_[part], names[name], captures))
      return rest(part + 1, name + 1, captures);
    return std::nullopt;
  };
  return rest(0, 0, {});
}

void Pattern::find_below(const fs::path& folder, std::size_t number, const Captures& captures,
                         std::map<fs::path, Captures>& found) const {
  const Part& part = parts_[number];
  const bool is_last = number + 1 == parts_.size();
  if (!part.is_any_folders && part.pieces.size() == 1 &&
      part.pieces[0].kind == Piece::Kind::text) {  // also ".."
    const fs::path next = folder / part.pieces[0].text;
    if (is_last && fs::is_regular_file(next)) found.emplace(next, captures);
    if (!is_last && fs::is_directory(next)) find_below(next, number + 1, captures, found);
    return;
  }
  if (part.is_any_folders) find_below(folder, number + 1, captures, found);
  for (const fs::path& entry : entries(folder)) {
    if (part.is_any_folders) {
      if (fs::is_directory(entry) && !fs::is_symlink(entry))
        find_below(entry, number, captures, found);
      continue;
    }
    if (is_last ? !fs::is_regular_file(entry) : !fs::is_directory(entry)) continue;
    Captures more = captures;
    if (!match_part(part, entry.filename().string(), more)) continue;
    if (is_last) found.emplace(entry, more);
    else find_below(entry, number + 1, more, found);
  }
}

std::vector<Pattern::Match> Pattern::find(const fs::path& folder) const {
  std::map<fs::path, Captures> found;
  find_below(text_.starts_with('/') ? fs::path("/") : folder, 0, {}, found);
  std::vector<Match> matches;
  for (auto& [path, captures] : found) matches.push_back({path.lexically_normal(), captures});
  return matches;
}

std::string filled(std::string_view text, const Captures& captures, const std::string& where) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '}') name_at(text, text.size(), where);
    if (text[at] != '{') {
      result += text[at];
      continue;
    }
    const std::string name(name_at(text, at + 1, where));
    const auto found = captures.find(name);
    if (found == captures.end()) {
      std::vector<std::string_view> names;
      for (const auto& each : captures) names.push_back(each.first);
      refuse_name(where, name, names);
    }
    result += found->second;
    at += name.size() + 1;
  }
  return result;
}

}  // namespace sonde::formats
