#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/recordings/tracks.hpp"

/// From texts and times to a class number for each step.
namespace sonde::formats {

/// The steps of a recording: step j stands at start + j / rate seconds.
struct Grid {
  double start = 0;
  double rate = 0;
  Index steps = 0;
  double native = 0;        ///< samples per second of the first signals
  double native_start = 0;  ///< seconds at the first sample of the first signals
  Index native_steps = 0;
  double zero = 0;  ///< seconds on the clock at which times of labels count from 0
};

/// What a label's text means. Remembers what it was asked.
class ClassReader {
 public:
  enum class Kind { class_number, unlabelled, ignored };
  struct Meaning {
    Kind kind;
    float number;
  };

  /// ArgumentError for a map or a background to a class that is not in set.classes.
  ClassReader(const RecordingSet& set, const LabelFiles& how, const std::string& where);
  /// DataError, beginning with `place()`, for a text that means no class.
  template <class Place>
  Meaning read(std::string_view text, Place place) {
    const auto known = known_.find(text);
    if (known != known_.end()) return known->second;
    std::string refusal;
    const std::optional<Meaning> meaning = meaning_of(text, refusal);
    if (!meaning) throw DataError(place() + ": " + refusal);
    known_.emplace(std::string(text), *meaning);
    return *meaning;
  }
  /// Whether read() would accept it.
  bool knows(std::string_view text) const {
    std::string ignored;
    return meaning_of(text, ignored).has_value();
  }

 private:
  std::optional<Meaning> meaning_of(std::string_view text, std::string& refusal) const;

  const RecordingSet& set_;
  const LabelFiles& how_;
  std::map<std::string, Meaning, std::less<>> known_;
};

/// The number of a class of `set` by name or number; none when there is no such class.
std::optional<float> class_number(const RecordingSet& set, std::string_view text);

/// A stretch of time with a label. Where `is_samples`, from and to count samples.
struct Interval {
  double from = 0, to = 0;
  bool is_samples = false;
  double frequency = 0;  ///< of the samples
  ClassReader::Meaning meaning;
  std::string place;  ///< file and line, for messages
};

/// Labels of one recording while they are put on.
class Painter {
 public:
  Painter(const Grid& grid, std::string recording);

  void paint(const Interval& interval, const LabelFiles& how);
  /// The label of each step from a list with one label for each row. `nearest`: the row for a time
  /// after the grid's native start; rows of `unlabelled` text are NaN.
  template <class Row>
  void paint_rows(const std::vector<float>& rows, Row row_at, const LabelFiles& how,
                  const std::string& place) {
    for (Index j = 0; j < grid_.steps; ++j) {
      const Index row = row_at(grid_.start + static_cast<double>(j) / grid_.rate);
      if (row >= 0 && row < static_cast<Index>(rows.size()))
        set(j, rows[static_cast<std::size_t>(row)], how, place);
    }
  }
  /// Steps that nobody marked become `background`; without one they have weight 0.
  void finish(std::optional<float> background, Array& labels, Array& weights);

 private:
  void set(Index step, float label, const LabelFiles& how, const std::string& place);

  Grid grid_;
  std::string recording_;
  std::vector<float> labels_;  ///< NaN: nobody knows
  std::vector<bool> is_marked_;
};

/// The intervals that a table, a JSON file or marks give for this recording.
std::vector<Interval> read_intervals(const LabelFiles& how, const FoundRecording& found,
                                     const std::filesystem::path& path, const Grid& grid,
                                     ClassReader& classes, const std::string& where);

/// Rows of tables of intervals that are for no recording.
struct RowsOfNobody {
  Index rows = 0, all = 0;
  std::set<std::vector<std::string>> whose;  ///< what the columns of `match` hold there

  /// "12 of 340 rows … are left out"; empty where none is.
  std::string text(const LabelFiles& how, std::size_t recordings, const std::string& where) const;
};
/// Adds the rows of a table that are for none of these recordings, each told by its captures.
/// DataError for such a row, unless they are ignored: its marks would be lost without a word.
void find_rows_of_nobody(const LabelFiles& how, const std::filesystem::path& path,
                         const std::vector<std::map<std::string, std::string>>& recordings,
                         const std::string& where, RowsOfNobody& found);

/// Puts the labels of one entry on.
void put_labels(const RecordingSet& set, std::size_t entry, const FoundRecording& found,
                const Grid& grid, Painter& painter);

}  // namespace sonde::formats
