#include "cli/data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sonde/error.hpp>
#include <sonde/formats.hpp>

#include "cli/table.hpp"
#include "cli/task.hpp"

namespace sonde::cli {
namespace {

constexpr std::string_view npz = ".npz";

/// "FILE.npz:KEY" in two.
std::pair<std::string, std::string> parts_of(const std::string& place) {
  const std::size_t colon = place.rfind(':');
  if (colon != std::string::npos && std::string_view(place).substr(0, colon).ends_with(npz))
    return {place.substr(0, colon), place.substr(colon + 1)};
  return {place, ""};
}

bool is_there(const Array& array) { return array.shape().rank() > 0; }

std::string extension(const std::string& file) {
  return std::filesystem::path(file).extension().string();
}

const std::vector<std::string>& usual_names(char role) {
  static const std::vector<std::string> x = {"x", "X"}, y = {"y", "Y", "labels"},
                                        weights = {"weights", "sample_weight"};
  return role == 'x' ? x : role == 'y' ? y : weights;
}

bool is_of_other_role(const std::string& name, char role) {
  for (const char other : {'x', 'y', 'w'}) {
    const auto& names = usual_names(other);
    if (other != role && std::find(names.begin(), names.end(), name) != names.end()) return true;
  }
  return false;
}

/// The array of a .npz that has one of the usual names; empty when there is none.
Array pick(NamedArrays& arrays, char role) {
  for (const std::string& name : usual_names(role))
    if (const auto found = arrays.find(name); found != arrays.end())
      return std::move(found->second);
  return {};
}

Array load_numbers(const std::string& place, char role) {
  const auto [file, key] = parts_of(place);
  if (!key.empty()) return load_npz(file, key);
  if (extension(file) == ".npy") return load_npy(file);
  if (is_table(file)) return load_csv(file);
  if (extension(file) != npz)
    throw ArgumentError(fmt::format(
        "\"{}\": expected a file that ends in .npy, .npz or .csv. Write it with numpy.save.",
        file));
  NamedArrays arrays = load_npz(file);
  if (arrays.size() == 1 && !is_of_other_role(arrays.begin()->first, role))
    return std::move(arrays.begin()->second);
  Array found = pick(arrays, role);
  if (!is_there(found))
    throw DataError(fmt::format("{}: has no array {}. Say which one it is with {}:NAME.", file,
                                fmt::join(usual_names(role), " or "), file));
  return found;
}

/// load_numbers; of words among labels it says how to number them.
Array load_array(const std::string& place, char role) {
  try {
    return load_numbers(place, role);
  } catch (const DataError& error) {
    if (role != 'y') throw;
    if (is_table(place)) explain_words(error, place, "");
    const std::string what = error.what();
    const std::size_t mend = what.find(" Save with x.astype");
    if (mend == std::string::npos || (what.find("got text") == std::string::npos &&
                                      what.find("Python objects") == std::string::npos))
      throw;
    throw DataError(what.substr(0, mend) +
                    " Labels are the numbers of their classes: names, numbers = numpy.unique(y, "
                    "return_inverse=True), and save numbers.reshape(y.shape).");
  }
}

/// Labels and weights have an entry for each of x's outermost entries, if they are there at all.
void check_length(const Array& x, const std::string& x_file, const Array& other,
                  const std::string& file) {
  if (!is_there(other) || other.shape()[0] == x.shape()[0]) return;
  const char* what = x.shape().rank() == 2 ? "steps" : "samples";
  throw DataError(fmt::format(
      "{} {} has {} {}, but {} {} has {}. There must be one entry for each.", x_file,
      to_string(x.shape()), x.shape()[0], what, file, to_string(other.shape()), other.shape()[0]));
}

/// Labels that count are numbers: NaN says "not known", and that is what weight 0 is for.
void check_labels(const Data& data, const DataFiles& files) {
  const Array &y = data.y, &weights = data.weights;
  if (!is_there(y)) return;
  const auto counts = [&](Index i) {
    if (weights.empty()) return true;
    const Index each = std::max<Index>(y.size() / weights.size(), 1);
    return weights.data()[std::min(i / each, weights.size() - 1)] != 0;
  };
  Index count = 0, first = -1;
  for (Index i = 0; i < y.size(); ++i) {
    if (std::isfinite(y.data()[i]) || !counts(i)) continue;
    if (count++ == 0) first = i;
  }
  if (count == 0) return;
  const bool weighs = files.y_option == "--y";
  std::string place;
  for (Index size = y.size(); const Index each : y.shape()) {
    size /= each;
    place += fmt::format("{}{}", place.empty() ? "" : ", ", first / size);
    first %= size;
  }
  throw DataError(fmt::format(
      "{} {}: {} of {} labels are NaN or infinite; the first at ({}). {}",
      files.y.empty() ? files.x : files.y, to_string(y.shape()), count, y.size(), place,
      weighs ? "Where a label is not known, give it the weight 0: --sample-weight FILE, one number "
               "for each label, 0 there and 1 elsewhere."
             : "Fill them in, or leave those samples out."));
}

/// Gives labels of the number `ignored` the weight 0.
void leave_out_labels(Data& data, Index ignored, const std::string& file) {
  if (!is_there(data.y)) return;
  if (const Index width = label_width(data.y.shape(), data.steps()); width > 1)
    throw ArgumentError(
        fmt::format("--ignore-label is for labels of one number; those of {} have {}. Give them "
                    "weights instead: --sample-weight FILE.",
                    file, width));
  const Shape& shape = data.y.shape();
  const bool has_units = shape.rank() > 2 || (shape.rank() == 2 && shape[1] != data.steps());
  Array weights(Shape(std::vector<Index>(shape.begin(), shape.end() - (has_units ? 1 : 0))));
  const Array& given = data.weights;  // one for each label, or for each sample
  const Index each = !given.empty() ? std::max<Index>(weights.size() / given.size(), 1) : 0;
  for (Index i = 0; i < weights.size(); ++i) {
    const float weight = each > 0 ? given.data()[std::min(i / each, given.size() - 1)] : 1;
    weights.data()[i] = data.y.data()[i] == static_cast<float>(ignored) ? 0 : weight;
  }
  data.weights = std::move(weights);
}

void check_shape(const Array& x, const std::string& file) {
  if (x.shape().rank() != 3)
    throw DataError(fmt::format(
        "{}: X must be (samples, time, channels), got {}. Signals of one channel are (samples, "
        "time, 1){}.",
        file, to_string(x.shape()),
        x.shape().rank() == 2 ? "; one long recording (time, channels) needs --window STEPS" : ""));
  if (x.empty())
    throw DataError(fmt::format("{}: X {} holds no numbers. Check how it was written.", file,
                                to_string(x.shape())));
}

}  // namespace

std::string file_of(const std::string& place) { return parts_of(place).first; }

void check_signal(const Array& x, std::string_view where, bool gaps) {
  const Shape& shape = x.shape();
  const Index each = shape.elements() / shape[0], channels = shape[2];
  Index count = 0, samples = 0, first = -1, last_sample = -1;
  for (Index i = 0; i < x.size(); ++i) {
    if (std::isfinite(x.data()[i]) || (gaps && std::isnan(x.data()[i]))) continue;
    if (count++ == 0) first = i;
    if (i / each != last_sample) ++samples;
    last_sample = i / each;
  }
  if (count == 0) return;
  throw DataError(fmt::format(
      "{} {}: {} of {} numbers are {}infinite, in {} of {} samples; the first at sample {}, "
      "step {}, channel {}. Fill them in (interpolate, or set 0), or leave those samples out.",
      where, to_string(shape), count, x.size(), gaps ? "" : "NaN or ", samples, shape[0],
      first / each, first % each / channels, first % channels));
}

Data load_data(const DataFiles& files) {
  const auto [x_file, x_key] = parts_of(files.x);
  Data data;
  if (is_table(x_file)) {
    load_table_into(data, files);
  } else if (extension(x_file) == npz && x_key.empty()) {
    NamedArrays arrays = load_npz(x_file);
    if (files.labels && files.y.empty()) data.y = pick(arrays, 'y');
    if (files.weights.empty()) data.weights = pick(arrays, 'w');
    data.x = arrays.size() == 1 ? std::move(arrays.begin()->second) : pick(arrays, 'x');
    if (!is_there(data.x)) data.x = load_array(files.x, 'x');  // says what is missing
  } else {
    data.x = load_array(files.x, 'x');
  }
  if (!files.y.empty()) data.y = load_array(files.y, 'y');
  if (!files.weights.empty()) data.weights = load_array(files.weights, 'w');
  if (files.labels && !is_there(data.y))
    throw ArgumentError(fmt::format(
        "there are no labels for {}. Give {} FILE{}.", files.x, files.y_option,
        is_table(x_file) ? ", or say which column holds them with --label-column NAME" : ""));

  // A recording becomes the only sample.
  data.recording = data.x.shape().rank() == 2 && (is_table(x_file) || files.recording);
  const auto check_lengths = [&] {
    check_length(data.x, files.x, data.y, files.y.empty() ? "y" : files.y);
    check_length(data.x, files.x, data.weights, files.weights.empty() ? "weights" : files.weights);
  };
  if (data.recording) {
    check_lengths();
    for (Array* array : {&data.x, &data.y, &data.weights})
      if (is_there(*array)) *array = array->reshaped(array->shape().with_front(1));
  }
  check_shape(data.x, files.x);
  check_lengths();
  check_signal(data.x, files.x, files.gaps && data.recording);
  if (files.ignore_label)
    leave_out_labels(data, *files.ignore_label, files.y.empty() ? files.x : files.y);
  check_labels(data, files);
  return data;
}

}  // namespace sonde::cli
