#pragma once
#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <sonde/fields.hpp>
#include <sonde/formats.hpp>
#include <sonde/recordings.hpp>
#include <string>
#include <string_view>
#include <vector>

/// A folder of original files as labelled recordings. What is written here in C++ is the table
/// [recordings] of a recording.toml, key by key; docs/recordings.md explains it by examples.
///   RecordingSet set{
///       .folder = "hapt",
///       .group = "{user}",
///       .signals = {{.files = "RawData/acc_exp{experiment}_user{user}.txt", .frequency = 50},
///                   {.files = "RawData/gyro_exp{experiment}_user{user}.txt", .frequency = 50}}};
///   std::vector<Recording> recordings = load_recordings(set);
namespace sonde {

/// Words for words: a table of text in a configuration file.
struct TextMap : std::map<std::string, std::string> {
  using std::map<std::string, std::string>::map;
};

enum class FileFormat { automatic, csv, npy, npz, hdf5, edf, wfdb, mat };
constexpr auto enum_names(FileFormat) {
  return std::array<std::string_view, 8>{"auto", "csv", "npy", "npz", "hdf5", "edf", "wfdb", "mat"};
}

constexpr auto enum_names(CsvOptions::Header) {
  return std::array<std::string_view, 3>{"auto", "present", "absent"};
}

/// What a time counts. `date` is text as "2020-02-08 17:27:19.250", read as UTC.
enum class TimeUnit { samples, seconds, milliseconds, microseconds, date };
constexpr auto enum_names(TimeUnit) {
  return std::array<std::string_view, 5>{"samples", "seconds", "milliseconds", "microseconds",
                                         "date"};
}

/// Files that hold channels: one file for each recording.
///
/// `files` is a path below the folder. {name} stands for any text without '/', '*' for any text
/// that nobody needs later, "**" for any folders. The captures say which recording a file belongs
/// to: further entries give more channels to the recording with equal captures.
///
/// A `time` column is the clock: the row stands at its time, not at its number. Rows go to the
/// nearest step of a grid at `frequency`; of several on one step the first counts; steps without a
/// row are missing. A clock that goes backwards is refused.
struct SignalFiles {
  static constexpr std::string_view type = "signals";
  std::string files = {};
  FileFormat format = FileFormat::automatic;  ///< automatic: by the ending of the name
  /// The channels, in this order: names, or numbers counted from 1. Empty: all that are not the
  /// clock or labels.
  std::vector<std::string> columns = {};
  std::vector<std::string> names = {};  ///< of the channels; empty: those of the file
  std::string prefix = {};              ///< before each name: "left/" tells sensors apart
  std::vector<std::string> units = {};  ///< of the channels; empty: those of the file
  std::string array = {};               ///< of .npz, HDF5 and MATLAB files that hold several
  bool channels_first = false;          ///< the array is (channels, time)
  Index skip_lines = 0;                 ///< free text before the header or the first row
  CsvOptions::Header header = CsvOptions::Header::automatic;
  std::string delimiter = {};   ///< one character; empty: found by looking
  bool missing_as_nan = false;  ///< empty cells, NA, … are missing values, not refused
  double frequency = 0;         ///< rows per second; 0: what the file says
  std::string time = {};        ///< the column that is the clock
  TimeUnit time_unit = TimeUnit::samples;
  /// Seconds: missing values are interpolated linearly over gaps up to this length. Longer ones
  /// stay missing: NaN with weight 0.
  double longest_gap = 0;

  static constexpr auto fields() {
    using S = SignalFiles;
    return fields_of(field("files", &S::files), field("format", &S::format),
                     field("columns", &S::columns), field("names", &S::names),
                     field("prefix", &S::prefix), field("units", &S::units),
                     field("array", &S::array), field("channels_first", &S::channels_first),
                     field("skip_lines", &S::skip_lines), field("header", &S::header),
                     field("delimiter", &S::delimiter), field("missing_as_nan", &S::missing_as_nan),
                     field("frequency", &S::frequency), field("time", &S::time),
                     field("time_unit", &S::time_unit), field("longest_gap", &S::longest_gap));
  }
  bool operator==(const SignalFiles&) const = default;
};

enum class LabelKind {
  steps,        ///< a label for each row: a column of the signal's file, or a file of its own
  windows,      ///< a label for each stretch of `window` seconds: sleep stages
  intervals,    ///< a table of onset, end or duration, and label
  events,       ///< lists of [start, end] in a JSON file
  annotations,  ///< marks of EDF+ and WFDB files
  waves,        ///< WFDB marks "( p )" around the waves of an electrocardiogram: label_waves
};
constexpr auto enum_names(LabelKind) {
  return std::array<std::string_view, 6>{"steps",  "windows",     "intervals",
                                         "events", "annotations", "waves"};
}

/// What happens to labels beyond the ends of the signal.
enum class Outside { refused, clipped };
constexpr auto enum_names(Outside) { return std::array<std::string_view, 2>{"refused", "clipped"}; }

/// Which label counts where two cover a step.
enum class Overlap { refused, first, last };
constexpr auto enum_names(Overlap) {
  return std::array<std::string_view, 3>{"refused", "first", "last"};
}

/// What happens to rows of a table for all recordings that match none of them.
enum class Unmatched { refused, ignored };
constexpr auto enum_names(Unmatched) {
  return std::array<std::string_view, 2>{"refused", "ignored"};
}

/// Where labels come from.
///
/// A label's text is a class by the `map`, or by its name, or as the number of a class. Times are
/// on the clock of the signals, if they have one; else they count from the first step.
/// Steps get the label of the nearest time when labels come at another rate than the signal.
struct LabelFiles {
  static constexpr std::string_view type = "labels";
  LabelKind kind = LabelKind::steps;
  /// As SignalFiles::files; files for all recordings have no captures. Empty: the files of the
  /// first signals.
  std::string files = {};
  bool optional = false;  ///< a recording without such a file has no marks, rather than none yet
  FileFormat format = FileFormat::automatic;
  std::string column = {};  ///< with the labels: its name, or number counted from 1
  std::string array = {};
  Index skip_lines = 0;
  CsvOptions::Header header = CsvOptions::Header::automatic;
  std::string delimiter = {};
  double frequency = 0;  ///< labels or samples per second; 0: as the signal
  double window = 0;     ///< seconds
  // Intervals: [onset, end) or [onset, onset + duration).
  std::string onset = {};     ///< column
  std::string end = {};       ///< column
  std::string duration = {};  ///< column
  TimeUnit unit = TimeUnit::seconds;
  Index first = 0;         ///< the number of the first sample: 0 or 1
  bool inclusive = false;  ///< the end belongs to the interval
  TextMap match = {};      ///< capture = column: rows for this recording only
  Unmatched unmatched = Unmatched::refused;
  std::string key = {};    ///< of the list in a JSON file; points reach into tables
  std::string label = {};  ///< the class of all intervals, where no column says it
  // Marks.
  double length = 0;        ///< seconds, of marks that say none
  bool until_next = false;  ///< a mark holds until the next one
  double longest_beat_gap = WaveRules{}.longest_gap;
  double margin = WaveRules{}.margin;
  // Words.
  TextMap map = {};                          ///< text = class
  std::vector<std::string> unlabelled = {};  ///< texts that mean: nobody knows. Weight 0
  std::vector<std::string> ignore = {};      ///< texts that are no labels
  Outside outside = Outside::refused;
  Overlap overlap = Overlap::refused;

  static constexpr auto fields() {
    using S = LabelFiles;
    return fields_of(
        field("kind", &S::kind), field("files", &S::files), field("optional", &S::optional),
        field("format", &S::format), field("column", &S::column), field("array", &S::array),
        field("skip_lines", &S::skip_lines), field("header", &S::header),
        field("delimiter", &S::delimiter), field("frequency", &S::frequency),
        field("window", &S::window), field("onset", &S::onset), field("end", &S::end),
        field("duration", &S::duration), field("unit", &S::unit), field("first", &S::first),
        field("inclusive", &S::inclusive), field("match", &S::match),
        field("unmatched", &S::unmatched), field("key", &S::key), field("label", &S::label),
        field("length", &S::length), field("until_next", &S::until_next),
        field("longest_beat_gap", &S::longest_beat_gap), field("margin", &S::margin),
        field("map", &S::map), field("unlabelled", &S::unlabelled), field("ignore", &S::ignore),
        field("outside", &S::outside), field("overlap", &S::overlap));
  }
  bool operator==(const LabelFiles&) const = default;
};

/// A channel that is asked for and not there.
enum class MissingChannels {
  refused,
  zeros,  ///< zeros in the units of the file
  nan,    ///< NaN, which fill_missing turns into the middle of the scaled channel. Labels count
};
constexpr auto enum_names(MissingChannels) {
  return std::array<std::string_view, 3>{"refused", "zeros", "nan"};
}

/// The time of a recording when its channels do not begin and end together.
enum class Extent {
  equal,   ///< they must, to one step
  shared,  ///< where all of them are
  whole,   ///< where any of them is; the others are missing there
};
constexpr auto enum_names(Extent) {
  return std::array<std::string_view, 3>{"equal", "shared", "whole"};
}

/// Steps that count must have a value of every channel of the recording, or of any.
enum class Present { every_channel, any_channel };
constexpr auto enum_names(Present) {
  return std::array<std::string_view, 2>{"every_channel", "any_channel"};
}

struct RecordingSet {
  static constexpr std::string_view type = "recordings";
  /// The folder of the files. In a configuration file: seen from that file.
  std::string folder = ".";
  /// Steps per second that a network sees; signals are resampled to it. 0: as they are, and all
  /// must be alike.
  double rate = 0;
  std::string name = {};   ///< of captures: "{user}-{experiment}". Empty: all captures, or the path
  std::string group = {};  ///< whom it is of, of captures: "{user}"
  std::vector<std::string> channels = {};  ///< these, in this order. Empty: all
  TextMap rename = {};                     ///< a channel's name in the files = the one used here
  MissingChannels missing_channels = MissingChannels::refused;
  bool one_channel_each = false;  ///< every channel becomes a recording NAME/CHANNEL, same group
  std::vector<std::string> units = {};    ///< of the channels; values are converted: "mV"
  std::vector<std::string> classes = {};  ///< by number. Empty: labels are numbers
  std::string background = {};  ///< class of steps that nobody marked. Empty: they are unlabelled
  Extent extent = Extent::equal;
  Present present = Present::every_channel;
  /// Seconds kept before the first labelled step and after the last: where little of a long
  /// recording is labelled, the rest costs time only. 0: all is kept.
  double around_labels = 0;
  std::vector<std::string> skip = {};  ///< names of recordings to leave out
  std::vector<SignalFiles> signals = {};
  std::vector<LabelFiles> labels = {};

  static constexpr auto fields() {
    using S = RecordingSet;
    return fields_of(field("folder", &S::folder), field("rate", &S::rate), field("name", &S::name),
                     field("group", &S::group), field("channels", &S::channels),
                     field("rename", &S::rename), field("missing_channels", &S::missing_channels),
                     field("one_channel_each", &S::one_channel_each), field("units", &S::units),
                     field("classes", &S::classes), field("background", &S::background),
                     field("extent", &S::extent), field("present", &S::present),
                     field("around_labels", &S::around_labels), field("skip", &S::skip),
                     field("signals", &S::signals), field("labels", &S::labels));
  }
  bool operator==(const RecordingSet&) const = default;
};

/// A recording and its files, before they are read. Sorted by the first file's path.
struct FoundRecording {
  std::string name;
  std::string group;
  std::map<std::string, std::string> captures;
  std::vector<std::filesystem::path> signals;  ///< one for each entry of RecordingSet::signals
  std::vector<std::filesystem::path> labels;   ///< one for each entry of RecordingSet::labels; may
                                               ///< be empty where LabelFiles::optional
};
/// What can be read and may not be meant so, a line for each: a column of signals that looks like a
/// clock, rows of a table of labels that are left out.
using Remarks = std::vector<std::string>;

/// DataError when a pattern has no file, a recording lacks one or has two, or names are not unique.
std::vector<FoundRecording> find_recordings(const RecordingSet& set, Remarks* remarks = nullptr);

/// Reads them. Signals have NaN where nothing was recorded; weights are 0 there, and where the
/// label is unknown. Without RecordingSet::labels all weights are 0.
/// DataError, with file and line, for whatever does not fit; ArgumentError for a set that cannot
/// be meant.
std::vector<Recording> load_recordings(const RecordingSet& set, Remarks* remarks = nullptr);
/// One of them, with all its channels whatever RecordingSet::one_channel_each says.
Recording load_recording(const RecordingSet& set, const FoundRecording& found);

/// A column of numbers that is a clock by its name (time, t, timestamp, seconds, sample, index, or
/// none beside names), and by rising by the same step from row to row.
struct ClockColumn {
  std::string name;
  Index number = 0;  ///< from 1
  double step = 0;

  /// What it is, and what becomes of it as a signal.
  std::string text() const;
};
/// The first such column among these of a table, by number from 1 and name. Throws as
/// load_text_table.
std::optional<ClockColumn> find_clock(const std::filesystem::path& table,
                                      const std::map<Index, std::string>& columns,
                                      CsvOptions options = {});

/// Tables of a configuration: TOML may write numbers for column numbers, one table for a list of
/// one, and whole numbers as texts of a map.
Value to_value(const TextMap& map);
void from_value(const Value& value, const Where& where, TextMap& out);
Value to_value(const SignalFiles& files);
void from_value(const Value& value, const Where& where, SignalFiles& out);
Value to_value(const LabelFiles& files);
void from_value(const Value& value, const Where& where, LabelFiles& out);
Value to_value(const RecordingSet& set);
void from_value(const Value& value, const Where& where, RecordingSet& out);

}  // namespace sonde
