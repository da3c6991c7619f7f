#pragma once
#include <filesystem>
#include <map>
#include <sonde/array.hpp>
#include <sonde/mapped_array.hpp>
#include <sonde/recordings.hpp>
#include <string>
#include <vector>

/// Arrays in files. Reading gives float32 whatever the file holds: large whole numbers are rounded
/// to 24 bits, NaN and infinity come through. Files that are damaged or hold no numbers are refused
/// with DataError, files that cannot be opened or written with IoError. Writing is atomic: a file
/// is there whole, or as it was before.
namespace sonde {

/// Arrays by name, as numpy.savez stores them.
using NamedArrays = std::map<std::string, Array>;

/// An array that numpy.save wrote: booleans, whole numbers and floats of any size and byte order.
///   Array x = load_npy("X.npy");  // (476, 400, 16)
Array load_npy(const std::filesystem::path& path);
/// The same without reading it: for arrays that do not fit into memory. DataError for all but
/// float32 in C order, '<f4'.
///   MappedSamples samples(map_npy("X.npy"), y);
MappedArray map_npy(const std::filesystem::path& path);
/// Writes '<f4' in C order, for numpy.load.
void save_npy(const std::filesystem::path& path, const Array& array);

/// All arrays of numpy.savez or numpy.savez_compressed.
///   NamedArrays data = load_npz("data.npz");  // data.at("x"), data.at("y")
NamedArrays load_npz(const std::filesystem::path& path);
/// One array of the file; a name that is not there is refused with the names that are.
Array load_npz(const std::filesystem::path& path, const std::string& name);

struct NpzOptions {
  bool compressed = false;
};
/// The same arrays give the same bytes every time.
void save_npz(const std::filesystem::path& path, const NamedArrays& arrays,
              NpzOptions options = {});

/// How a table is written, and what is wanted of it. What is left open is found by looking at the
/// first line.
struct CsvOptions {
  char delimiter = 0;  ///< 0: tab, ';', ',' or blanks, whichever the first line holds
  enum class Header { automatic, present, absent } header = Header::automatic;
  /// Only these columns, in this order: names, or numbers counted from 1. The cells of all others
  /// may hold anything, such as the time of day. Empty: all of them.
  std::vector<std::string> columns = {};
  /// `columns` are names where the table has a header. Without one they are counted if all of them
  /// are numbers that stand for a column, or else the table is read whole.
  bool by_name = false;
  Index skip_lines = 0;         ///< free text before the header or the first row
  bool missing_as_nan = false;  ///< empty cells, NA, n/a, null, None and - are NaN, not refused
  char decimal = 0;             ///< 0: '.', and ',' too where it does not separate the cells
};

/// A table of numbers: one row per step, one column per channel.
struct Table {
  std::vector<std::string> columns;  ///< empty without a header
  Array values;                      ///< (rows, columns)
};

/// A table of numbers, with or without a header of names. An empty cell or one that is no number is
/// refused with its line and column; nan, inf, True and False are numbers. Where ',' does not
/// separate the cells, it may be the decimal sign. A header is taken for granted where `columns`
/// holds names, unless `by_name`; else the first line is one if no cell that is wanted is a number.
/// With `by_name` it is one as well where it holds one of the names, or all that look like numbers.
///   Table table = load_table("recording.csv");
///   Table pump = load_table("skab.csv", {.columns = {"Current", "Pressure"}});
///   Table gait = load_table("1-1_lb.txt", {.columns = {"Acc_X", "Acc_Y"}, .skip_lines = 1});
Table load_table(const std::filesystem::path& path, const CsvOptions& options = {});
/// The values of load_table: (rows, columns).
Array load_csv(const std::filesystem::path& path, const CsvOptions& options = {});

/// A table of words: marks with their times and labels.
struct TextTable {
  std::vector<std::string> columns;            ///< empty without a header
  std::vector<std::vector<std::string>> rows;  ///< cells without blanks around them and quotes
  Index first_line = 0;  ///< of the file, counted from 1: where the first row stands
};
/// Reads what load_table does, any words. A first line without any number is a header unless said
/// otherwise. A table without rows is not refused.
///   TextTable marks = load_text_table("marks.csv", {.columns = {"onset", "duration", "label"}});
TextTable load_text_table(const std::filesystem::path& path, const CsvOptions& options = {});
/// Writes an array of one or two axes, each number with as few digits as read back the same float.
void save_csv(const std::filesystem::path& path, const Array& array,
              const std::vector<std::string>& columns = {});

// --- HDF5 and MATLAB -----------------------------------------------------------------------------

/// A dataset of numbers: whole numbers, booleans and floats of any size and byte order, in one
/// piece or in chunks with deflate, shuffle and checksums. A path that is not there is refused with
/// the datasets that are. What else HDF5 can do (links to other files, other filters, compound
/// types, its newest storage of chunks) is refused. DataError says why.
///   Array x = load_hdf5("session.h5", "/subject1/emg");
Array load_hdf5(const std::filesystem::path& path, const std::string& dataset);
/// The paths of all datasets of numbers, sorted: "subject1/emg".
std::vector<std::string> hdf5_datasets(const std::filesystem::path& path);

/// A numeric or logical array of a MATLAB file of version 4, 5 to 7.2 or 7.3, indexed as in MATLAB:
/// A(i + 1, j + 1) is array(i, j). Fields of a struct of one element are reached with points:
/// "EEG.data" (not in version 4). Without a name, the file must hold one such array. Complex and
/// sparse arrays, cells, text and objects are refused; DataError names what is there.
///   Array emg = load_mat("subject1.mat", "emg");
Array load_mat(const std::filesystem::path& path, const std::string& name = "");
/// The names that load_mat takes, in the order of the file (version 7.3: sorted).
std::vector<std::string> mat_arrays(const std::filesystem::path& path);

// --- PhysioNet's recordings ----------------------------------------------------------------------

/// A WFDB record in physical units.
struct WfdbRecord {
  std::string name;
  double frequency = 0;               ///< steps per second
  Array signal;                       ///< (time, channels); NaN where the recorder had no value
  std::vector<std::string> channels;  ///< the headers' descriptions: "MLII", "V5"
  std::vector<std::string> units;     ///< "mV" where the header says nothing
  std::vector<std::string> comments;
};

/// Reads `record`.hea and the signal files it names in the same folder: formats 8, 16, 24, 32, 61,
/// 80, 160, 212, 310 and 311, MATLAB's version 4 as a container of 16. Lengths and checksums are
/// verified. Values are those of wfdb.rdrecord:
/// - Of a channel with several samples per step the mean of their stored numbers, cut to a whole
///   number; NaN where none of them has a value. load_wfdb_signals keeps them apart.
/// - Skewed channels are moved to where they belong; what then is missing at their end is NaN.
/// - Records of several segments are put together. In one of variable layout a channel is NaN where
///   its segment lacks it, and where nothing was recorded.
/// DataError for the formats of FLAC (508, 516, 524), segments of other rates, units or lengths
/// than they should have. LimitError where gaps make a record far larger than its files.
///   WfdbRecord ecg = load_wfdb("data/ecg-qtdb/sel100");
WfdbRecord load_wfdb(const std::filesystem::path& record);

/// One channel with all its samples.
struct WfdbSignal {
  std::string name;
  std::string unit;
  double frequency = 0;  ///< samples per second of this channel
  Array values;          ///< (samples,)
};
/// The same record, each channel at the rate it was recorded with.
///   for (const WfdbSignal& each : load_wfdb_signals("mimic/03700181")) ...
std::vector<WfdbSignal> load_wfdb_signals(const std::filesystem::path& record);
/// The marks of one annotator, in order of time. Layout notes at step 0 are left out, as wfdb does.
///   auto marks = load_wfdb_annotations("data/ecg-qtdb/sel100", "q1c");
std::vector<Annotation> load_wfdb_annotations(const std::filesystem::path& record,
                                              const std::string& annotator);

/// All records that `folder`/RECORDS lists, with the labels of label_waves: the QT Database.
///   auto parts = divide(load_ecg_qtdb("data/ecg-qtdb"), load_split("data/ecg-qtdb/split.csv"));
std::vector<Recording> load_ecg_qtdb(const std::filesystem::path& folder,
                                     const std::string& annotator = "q1c",
                                     const WaveRules& rules = {});

// --- EDF, EDF+, BDF and BDF+ ---------------------------------------------------------------------

/// One channel in physical units.
struct EdfChannel {
  std::string name;  ///< "EEG Fpz-Cz"
  std::string unit;  ///< "uV"
  double frequency = 0;
  Array values;  ///< (steps,): of all stretches, one behind the other
};

struct EdfAnnotation {
  double onset = 0;     ///< seconds after the start of the file
  double duration = 0;  ///< seconds; 0 where none is given
  std::string text;
  bool operator==(const EdfAnnotation&) const = default;
};

/// Time that was recorded without a break.
struct EdfStretch {
  double onset = 0;  ///< seconds after the start of the file
  double duration = 0;
  bool operator==(const EdfStretch&) const = default;
};

struct EdfFile {
  std::string patient;
  std::string recording;
  std::string start;  ///< "2009-08-12T16:15:00"
  std::vector<EdfChannel> channels;
  std::vector<EdfAnnotation> annotations;  ///< in order of time
  std::vector<EdfStretch> stretches;       ///< one, unless the recorder paused (EDF+D)
};

/// Reads a whole file; https://www.edfplus.info/specs is what this follows. DataError, with the
/// place, for whatever a header or a time mark gets wrong, and for files that are cut off.
///   EdfFile night = load_edf("SC4001E0-PSG.edf");
EdfFile load_edf(const std::filesystem::path& path);

/// The named channels side by side, (time, channels); all of them without names. Pauses of the
/// recorder are steps of NaN. DataError for channels of different frequencies and unknown names.
Array edf_signal(const EdfFile& file, const std::vector<std::string>& channels = {});

/// Writes an EDF+ file that holds annotations only, in order of time: labels that a model predicts,
/// for other programs to show beside the recording. `start` is EdfFile::start of the recording, or
/// empty where nobody knows. ArgumentError for times that are not finite, negative durations, and
/// texts that are empty or hold control characters.
///   save_edf_annotations("night-labels.edf", night.start, {{30, 12.5, "REM"}});
void save_edf_annotations(const std::filesystem::path& path, const std::string& start,
                          std::vector<EdfAnnotation> annotations);

}  // namespace sonde
