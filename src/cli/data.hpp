#pragma once
#include <optional>
#include <sonde/array.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::cli {

/// Samples with their labels, as the verbs use them.
struct Data {
  Array x;        ///< (samples, time, channels)
  Array y;        ///< (samples, …); empty when there are no labels
  Array weights;  ///< (samples,) or (samples, time); empty when all count alike
  /// Came as one recording (time, channels), and is one sample of many steps.
  bool recording = false;
  std::vector<std::string> columns = {};  ///< of a table: what its header calls the channels
  /// What was read of a table and may not be meant so, a line each.
  std::vector<std::string> remarks = {};

  Index samples() const { return x.shape()[0]; }
  Index steps() const { return x.shape()[1]; }
};

/// Where the arrays lie: FILE.npy, FILE.npz, FILE.npz:KEY or FILE.csv. A .npz without a key gives
/// its x, y and weights; a .csv file is one recording, its labels another or a column of it.
struct DataFiles {
  std::string x;
  std::string y = {};
  std::string y_option = "--y";  ///< what to give where labels are missing
  std::string weights = {};
  std::string label_column = {};
  /// A model's, in its order: they choose a table's columns where the table has a header.
  std::vector<std::string> channels = {};
  bool labels = true;                      ///< whether y is wanted
  bool recording = false;                  ///< an x of two axes is one recording (time, channels)
  bool gaps = false;                       ///< in which values may be missing (NaN)
  std::optional<Index> ignore_label = {};  ///< labels of this number get the weight 0
};

/// Throws IoError for what cannot be opened and DataError for what cannot be used: wrong ranks,
/// lengths that differ, NaN (but for `gaps`) and infinity in x, and in labels that count.
Data load_data(const DataFiles& files);

/// The file of "FILE.npz:KEY".
std::string file_of(const std::string& place);

/// Throws DataError when x holds NaN (but for `gaps`) or infinity: how many, where the first is,
/// how to mend it.
void check_signal(const Array& x, std::string_view where, bool gaps = false);

}  // namespace sonde::cli
