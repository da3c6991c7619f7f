// Writes what Sonde reads of files of other programs, for those programs to judge:
//   dump_formats LIST
// LIST holds lines of four fields between tabs: what, file, argument, OUT. OUT.error holds the
// message where something is refused. Numbers go to OUT.npy, or OUT.0.npy and on, one for each
// channel, with OUT.channels: name, unit, frequency.
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <sonde/formats.hpp>
#include <sstream>

namespace {

using sonde::Array;

std::ofstream text_file(const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  file.precision(17);
  return file;
}

void signal_of_wfdb(const std::string& file, const std::string&, const std::string& out) {
  const sonde::WfdbRecord record = sonde::load_wfdb(file);
  sonde::save_npy(out + ".npy", record.signal);
  auto names = text_file(out + ".channels");
  for (std::size_t i = 0; i < record.channels.size(); ++i)
    names << record.channels[i] << '\t' << record.units[i] << '\t' << record.frequency << '\n';
}

template <class Channels>
void write_channels(const Channels& channels, const std::string& out) {
  auto names = text_file(out + ".channels");
  int number = 0;
  for (const auto& channel : channels) {
    sonde::save_npy(out + "." + std::to_string(number++) + ".npy", channel.values);
    names << channel.name << '\t' << channel.unit << '\t' << channel.frequency << '\n';
  }
}

void marks_of_wfdb(const std::string& file, const std::string& annotator, const std::string& out) {
  auto marks = text_file(out + ".marks");
  for (const auto& mark : sonde::load_wfdb_annotations(file, annotator))
    marks << mark.step << '\t' << mark.symbol << '\t' << mark.subtype << '\t' << mark.channel
          << '\t' << mark.number << '\t' << mark.note << '\n';
}

void channels_of_edf(const std::string& file, const std::string&, const std::string& out) {
  const sonde::EdfFile edf = sonde::load_edf(file);
  write_channels(edf.channels, out);
  auto marks = text_file(out + ".marks");
  for (const auto& mark : edf.annotations)
    marks << mark.onset << '\t' << mark.duration << '\t' << mark.text << '\n';
  auto stretches = text_file(out + ".stretches");
  for (const auto& each : edf.stretches) stretches << each.onset << '\t' << each.duration << '\n';
  text_file(out + ".start") << edf.start;
}

void write_edf(const std::string& file, const std::string& start, const std::string& out) {
  std::vector<sonde::EdfAnnotation> marks;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    sonde::EdfAnnotation& mark = marks.emplace_back();
    fields >> mark.onset >> mark.duration;
    fields.get();
    std::getline(fields, mark.text);
  }
  sonde::save_edf_annotations(out + ".edf", start, marks);
}

const std::map<std::string,
               std::function<void(const std::string&, const std::string&, const std::string&)>>
    readers = {
        {"wfdb", signal_of_wfdb},
        {"wfdb-signals",
         [](auto& file, auto&, auto& out) { write_channels(sonde::load_wfdb_signals(file), out); }},
        {"wfdb-marks", marks_of_wfdb},
        {"edf", channels_of_edf},
        {"write-edf", write_edf},
        {"mat", [](auto& file, auto& name,
                   auto& out) { sonde::save_npy(out + ".npy", sonde::load_mat(file, name)); }},
        {"hdf5", [](auto& file, auto& name,
                    auto& out) { sonde::save_npy(out + ".npy", sonde::load_hdf5(file, name)); }},
        {"csv", [](auto& file, auto&,
                   auto& out) { sonde::save_npy(out + ".npy", sonde::load_csv(file)); }},
};

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    std::fprintf(stderr, "dump_formats LIST\n");
    return 2;
  }
  std::ifstream list(words[1]);
  for (std::string line; std::getline(list, line);) {
    std::istringstream fields(line);
    std::string what, file, argument, out;
    std::getline(fields, what, '\t');
    std::getline(fields, file, '\t');
    std::getline(fields, argument, '\t');
    std::getline(fields, out, '\t');
    try {
      readers.at(what)(file, argument, out);
    } catch (const std::exception& error) {
      text_file(out + ".error") << error.what();
    }
  }
  return 0;
}
