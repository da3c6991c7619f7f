#include <fmt/format.h>

#include <sonde/formats.hpp>
#include "base/file.hpp"

namespace sonde {

std::vector<Recording> load_ecg_qtdb(const std::filesystem::path& folder,
                                     const std::string& annotator, const WaveRules& rules) {
  const auto list = read_file(folder / "RECORDS", 1 << 20);
  std::vector<Recording> recordings;
  for (std::string_view text = text_of(list); !text.empty();) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string name(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name.empty()) continue;
    if (name.find('/') != name.npos || name.front() == '.')
      throw DataError(fmt::format("\"{}\": \"{}\" must be a record in the same folder.",
                                  (folder / "RECORDS").string(), name));
    WfdbRecord record = load_wfdb(folder / name);
    const auto marks = load_wfdb_annotations(folder / name, annotator);
    const Index steps = record.signal.shape()[0];
    WaveLabels waves;
    try {
      waves = label_waves(marks, steps, record.frequency, rules);
    } catch (const DataError& error) {
      throw DataError(
          fmt::format("\"{}.{}\": {}", (folder / name).string(), annotator, error.what()));
    }
    recordings.push_back({.name = name,
                          .signal = std::move(record.signal),
                          .labels = std::move(waves.labels),
                          .weights = std::move(waves.weights),
                          .frequency = record.frequency,
                          .channels = std::move(record.channels)});
  }
  return recordings;
}

}  // namespace sonde
