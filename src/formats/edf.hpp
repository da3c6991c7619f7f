#pragma once
#include <sonde/formats.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"

/// The European Data Format, read from bytes. https://www.edfplus.info/specs/edf.html and
/// edfplus.html, https://www.biosemi.com/faq/file_format.htm are what this follows.
namespace sonde::formats {

/// What the header says of one signal.
struct EdfSignal {
  std::string label;
  std::string unit;
  double physical_minimum = 0, physical_maximum = 0;
  std::int64_t digital_minimum = 0, digital_maximum = 0;
  Index samples = 0;  ///< in each data record

  bool holds_annotations() const {
    return label == "EDF Annotations" || label == "BDF Annotations";
  }
};

struct EdfHeader {
  std::string patient, recording, start;
  bool plus = false;     ///< EDF+ or BDF+: the records say when they began
  bool broken = false;   ///< EDF+D: there may be pauses between them
  int sample_bytes = 2;  ///< 3 in BDF
  Index records = 0;
  double seconds = 0;  ///< of each record
  std::vector<EdfSignal> signals;
  std::size_t size = 0;  ///< bytes of the header

  Index samples_of_record() const;
};

/// `file_size`: what the number of records is held against, or found from where it is -1.
/// DataError with the field for whatever is not understood.
EdfHeader read_edf_header(std::string_view bytes, std::uint64_t file_size,
                          const std::string& where);

/// A record's time-stamped lists of annotations.
struct EdfTimes {
  double record_onset = 0;
  bool has_record_onset = false;
  std::vector<EdfAnnotation> annotations;
};
void read_edf_annotations(std::string_view bytes, const std::string& where, EdfTimes& times);

EdfFile read_edf(Bytes bytes, const std::string& where);
/// An EDF+ file of annotations only.
std::string write_edf_annotations(const std::string& start, std::vector<EdfAnnotation> annotations);

}  // namespace sonde::formats
