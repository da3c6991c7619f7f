#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Paths with places for names: "acc_exp{experiment}_user{user}.txt".
namespace sonde::formats {

using Captures = std::map<std::string, std::string>;

class Pattern {
 public:
  struct Match {
    std::filesystem::path path;
    Captures captures;
  };

  /// ArgumentError, beginning with `where`, for braces that do not pair and names that stand twice
  /// in one part of the path.
  Pattern(std::string_view text, const std::string& where);

  const std::string& text() const { return text_; }
  /// The names in braces.
  const std::vector<std::string>& captures() const { return captures_; }

  /// The captures of a path with the pattern's parts; none where it does not match. Each name takes
  /// as little text as it can, from the left.
  std::optional<Captures> match(std::string_view path) const;
  /// The files below `folder` that match, sorted by path. Links to folders are not followed by
  /// "**". IoError for folders that cannot be listed.
  std::vector<Match> find(const std::filesystem::path& folder) const;

 private:
  struct Piece {
    enum class Kind { text, capture, any } kind;
    std::string text;
  };
  struct Part {
    bool is_any_folders = false;  ///< "**"
    std::vector<Piece> pieces = {};
  };

  bool match_part(const Part& part, std::string_view name, Captures& captures) const;
  void find_below(const std::filesystem::path& folder, std::size_t part, const Captures& captures,
                  std::map<std::filesystem::path, Captures>& found) const;

  std::string text_;
  std::vector<Part> parts_;
  std::vector<std::string> captures_;
};

/// "{user}-{experiment}" with the values of the captures. ArgumentError, beginning with `where`,
/// for a name that is no capture.
std::string filled(std::string_view text, const Captures& captures, const std::string& where);

}  // namespace sonde::formats
