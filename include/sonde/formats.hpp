#pragma once
#include <filesystem>
#include <map>
#include <sonde/array.hpp>
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

/// How a table is written. What is left open is found by looking at the first line.
struct CsvOptions {
  char delimiter = 0;  ///< 0: tab, ';', ',' or blanks, whichever the first line holds
  enum class Header { automatic, present, absent } header = Header::automatic;
};

/// A table of numbers: one row per step, one column per channel.
struct Table {
  std::vector<std::string> columns;  ///< empty without a header
  Array values;                      ///< (rows, columns)
};

/// A table of numbers, with or without a header of names. An empty cell or one that is no number is
/// refused with its line and column; nan, inf, True and False are numbers. Where ',' does not
/// separate the cells, it may be the decimal sign.
///   Table table = load_table("recording.csv");
Table load_table(const std::filesystem::path& path, CsvOptions options = {});
/// The values of load_table: (rows, columns).
Array load_csv(const std::filesystem::path& path, CsvOptions options = {});
/// Writes an array of one or two axes, each number with as few digits as read back the same float.
void save_csv(const std::filesystem::path& path, const Array& array,
              const std::vector<std::string>& columns = {});

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

/// Reads `record`.hea and the signal files it names in the same folder: formats 16, 24, 32, 61, 80,
/// 160 and 212, one sample of every channel per step. Lengths and checksums are verified; several
/// segments, several samples per step and skewed channels are refused.
///   WfdbRecord ecg = load_wfdb("data/ecg-qtdb/sel100");
WfdbRecord load_wfdb(const std::filesystem::path& record);
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

}  // namespace sonde
