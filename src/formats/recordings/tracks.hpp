#pragma once
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <sonde/recording_set.hpp>
#include <string>
#include <string_view>
#include <vector>

/// One recording's files on their way to a Recording.
namespace sonde::formats {

/// One channel at the rate of its file. Value i stands at `start` + i / `frequency` seconds; NaN
/// where nothing was recorded.
struct Track {
  std::string name;
  std::string unit;
  double frequency = 0;
  double start = 0;
  std::vector<float> values;

  double end() const { return start + static_cast<double>(values.size()) / frequency; }
};

/// At which step of a grid each row of a table stands; -1 for rows that do not count.
struct RowClock {
  std::vector<Index> steps;
  Index length = 0;
  double frequency = 0;
  double start = 0;  ///< seconds on the clock
};

/// "signals 2", as messages name an entry.
std::string signals_name(std::size_t entry);
std::string labels_name(std::size_t entry);

/// What a file is by its name, or as `format` says. ArgumentError for unknown endings.
FileFormat format_of(const std::filesystem::path& path, FileFormat format,
                     const std::string& where);

/// The channels of one file. `not_channels`: columns of labels. Every format is dispatched here.
std::vector<Track> read_tracks(const SignalFiles& how, const std::filesystem::path& path,
                               const std::vector<std::string>& not_channels,
                               const std::string& where);

/// The columns of a table with a header that are channels because nothing says which are, by number
/// from 1; empty where `how` names them, and for other formats.
std::map<Index, std::string> usual_channels(const SignalFiles& how,
                                            const std::filesystem::path& path,
                                            const std::vector<std::string>& not_channels,
                                            const std::string& where);

/// What is to say of a column of entry number `entry` that looks like a clock and is taken for a
/// signal; empty without one. All recordings have the channels of `first`, the only one looked at.
std::string remark_on_clock(const RecordingSet& set, std::size_t entry,
                            const FoundRecording& first);

/// The columns with labels of the recording's file of signals number `entry`: no channels.
std::vector<std::string> label_columns(const RecordingSet& set, std::size_t entry,
                                       const FoundRecording& found);

/// The clock of a table; none where `how` names none.
std::optional<RowClock> read_clock(const SignalFiles& how, const std::filesystem::path& path,
                                   const std::string& where);

/// Seconds that the text of a clock or of a label's time says. NaN where it says none.
double seconds_of(std::string_view text, TimeUnit unit, double frequency);

/// Interpolates linearly over runs of NaN of up to `longest` seconds between two values.
void fill_gaps(Track& track, double longest);

/// The track at `rate`, beginning at the same time.
Track resampled(const Track& track, double rate);

/// How a table is to be read, of the keys that signals and labels share.
template <class Files>
CsvOptions csv_options(const Files& how, const std::string& where) {
  if (how.delimiter.size() > 1)
    throw ArgumentError(where + ": delimiter must be one character, got \"" + how.delimiter +
                        "\".");
  if (how.skip_lines < 0)
    throw ArgumentError(where + ": skip_lines must not be negative, got " +
                        std::to_string(how.skip_lines) + ".");
  CsvOptions options;
  options.delimiter = how.delimiter.empty() ? '\0' : how.delimiter[0];
  options.skip_lines = how.skip_lines;
  options.header = how.header;
  return options;
}

/// load_text_table, where the first line of a file is also a row if `is_row` says so: words may be
/// labels as well as names of columns.
template <class IsRow>
TextTable load_rows(const std::filesystem::path& path, CsvOptions options, IsRow is_row) {
  const auto is_counted = [](const std::string& column) {
    return column.find_first_not_of("0123456789") == column.npos;
  };
  if (options.header != CsvOptions::Header::automatic ||
      !std::all_of(options.columns.begin(), options.columns.end(), is_counted))
    return load_text_table(path, options);
  options.header = CsvOptions::Header::absent;
  TextTable table = load_text_table(path, options);
  if (!table.rows.empty() && !is_row(table.rows[0])) {
    table.rows.erase(table.rows.begin());
    ++table.first_line;
  }
  return table;
}

/// The array of a .npy, .npz, HDF5 or MATLAB file.
Array read_array(FileFormat format, const std::filesystem::path& path, const std::string& array,
                 const std::string& where);

}  // namespace sonde::formats
