// Writes what Sonde reads of a folder of WFDB records, for other programs to judge and use:
//   dump_wfdb FOLDER ANNOTATOR OUT
// gives OUT/NAME.signal.npy (time, channels), .labels.npy (time, 1), .weights.npy (time,) and
// NAME.marks.tsv: step, symbol, subtype, channel, number, note.
#include <cstdio>
#include <fstream>
#include <sonde/formats.hpp>

int main(int count, char** words) try {
  if (count != 4) {
    std::fprintf(stderr, "dump_wfdb FOLDER ANNOTATOR OUT\n");
    return 2;
  }
  const std::filesystem::path folder = words[1], out = words[3];
  const std::string annotator = words[2];
  for (const sonde::Recording& recording : sonde::load_ecg_qtdb(folder, annotator)) {
    const auto path = [&](const char* ending) { return out / (recording.name + ending); };
    sonde::save_npy(path(".signal.npy"), recording.signal);
    sonde::save_npy(path(".labels.npy"), recording.labels);
    sonde::save_npy(path(".weights.npy"), recording.weights);
    std::ofstream marks(path(".marks.tsv"));
    for (const auto& mark : sonde::load_wfdb_annotations(folder / recording.name, annotator))
      marks << mark.step << '\t' << mark.symbol << '\t' << mark.subtype << '\t' << mark.channel
            << '\t' << mark.number << '\t' << mark.note << '\n';
  }
  return 0;
} catch (const sonde::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
