#pragma once
#include <cmath>
#include <sonde/recording_set.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "tests/support/files.hpp"

namespace sonde::testing {

/// A folder with files that a test makes, and the recordings of a set in it.
class Made {
 public:
  void write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    write_file_atomically(folder_ / name, text);
  }
  std::string path(const std::string& name = "") const { return (folder_ / name).string(); }

  std::vector<Recording> load(RecordingSet set) const {
    set.folder = folder_.path().string();
    return load_recordings(set);
  }
  /// Why `set` is refused, with the folder's own path left out.
  template <class E = DataError>
  std::string refusal(const RecordingSet& set) const {
    std::string text = refused_with<E>([&] { load(set); });
    for (const std::string& folder : {folder_.path().string() + "/", folder_.path().string()})
      for (std::size_t at; (at = text.find(folder)) != text.npos;) text.erase(at, folder.size());
    return text;
  }

 private:
  TemporaryFolder folder_;
};

using Floats = std::vector<float>;

inline Floats floats(const Array& array) { return {array.values().begin(), array.values().end()}; }

/// NaN equals NaN.
inline bool same(const Array& array, const Floats& expected) {
  const Floats values = floats(array);
  if (values.size() != expected.size()) return false;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] != expected[i] && !(std::isnan(values[i]) && std::isnan(expected[i])))
      return false;
  return true;
}

}  // namespace sonde::testing
