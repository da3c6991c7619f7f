#include "formats/mat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sonde/error.hpp>
#include <sonde/formats.hpp>

#include "formats/as_data.hpp"
#include "formats/hdf5.hpp"
#include "formats/hdf5_datasets.hpp"
#include "formats/printable.hpp"

namespace sonde {
namespace formats {
namespace {

/// Notes the names of all arrays, and of everything else what it is.
struct Lister : MatVisitor {
  std::vector<std::string> names, others;
  bool visit(const MatVariable& variable) override {
    if (variable.refusal.empty()) names.push_back(variable.name);
    else others.push_back(fmt::format("{} ({})", variable.name, variable.refusal));
    return true;
  }
  bool wants(std::string_view) override { return true; }
};

/// Takes the array of one name.
struct Taker : MatVisitor {
  explicit Taker(const std::string& name) : wanted(name) {}
  const std::string& wanted;
  std::optional<Array> array;
  std::string refusal;

  bool visit(const MatVariable& variable) override {
    if (variable.name != wanted) return true;
    refusal = variable.refusal;
    if (!refusal.empty()) return false;
    Array lying({variable.shape.elements()});
    widen(variable.numbers, variable.form, lying.data());
    array = from_fortran_order(lying.values(), variable.shape);
    return false;
  }
  bool wants(std::string_view name) override {
    return wanted.starts_with(name) && (wanted.size() == name.size() || wanted[name.size()] == '.');
  }
};

// --- version 7.3 ---------------------------------------------------------------------------------

bool is_hdf5(Bytes bytes) {
  constexpr std::size_t before = 512;
  constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";
  return text_of(bytes).starts_with(signature) ||
         (bytes.size() > before && text_of(bytes.subspan(before)).starts_with(signature));
}

/// "EEG.data" lies at "EEG/data".
std::string path_of(std::string name) {
  std::replace(name.begin(), name.end(), '.', '/');
  return name;
}

/// What keeps a dataset from being an array; empty when nothing does.
std::string refusal_of(const Hdf5Reader& file, const std::string& path) {
  if (file.is_group(path)) return "is a struct or holds sparse numbers";
  if (!file.holds_numbers(path)) return "is a cell array or holds complex numbers";
  if (file.has_attribute(path, "MATLAB_empty")) return "is empty";
  if (!file.has_attribute(path, "MATLAB_class")) return "";
  const auto kinds = file.texts(path, "MATLAB_class");
  const std::string kind = kinds.empty() ? "" : kinds[0];
  static constexpr std::string_view numeric[] = {"double", "single", "logical", "int8",
                                                 "uint8",  "int16",  "uint16",  "int32",
                                                 "uint32", "int64",  "uint64"};
  if (std::find(std::begin(numeric), std::end(numeric), kind) != std::end(numeric)) return "";
  return kind == "char" ? "is text" : fmt::format("is of the class {}", printable(kind));
}

void walk_mat73(Bytes bytes, const std::string& where, MatVisitor& visitor) {
  const Hdf5Reader file(bytes, where);
  for (const std::string& path : datasets_of(file)) {
    if (path.starts_with('#')) continue;  // what cells and objects refer to
    MatVariable variable;
    variable.name = path;
    std::replace(variable.name.begin(), variable.name.end(), '/', '.');
    try {
      variable.refusal = refusal_of(file, path);
    } catch (const FormatError&) {
      variable.refusal = "cannot be read";  // it says more when it is asked for by name
    }
    if (!visitor.visit(variable)) return;
  }
}

Array read_mat73(const Hdf5Reader& file, const std::string& path) {
  // MATLAB's columns are the last axis of HDF5, so that its bytes lie column by column too.
  const Array lying = file.read_numbers(path);
  std::vector<Index> sizes(lying.shape().begin(), lying.shape().end());
  std::reverse(sizes.begin(), sizes.end());
  return from_fortran_order(lying.values(), Shape(sizes));
}

void walk(Bytes bytes, const std::string& where, MatVisitor& visitor) {
  if (is_hdf5(bytes)) return walk_mat73(bytes, where, visitor);
  // The text at the front of version 5 has no zero among its first bytes, a number of version 4
  // has.
  const std::string_view front = text_of(bytes).substr(0, 4);
  return front.find('\0') != front.npos ? walk_mat4(bytes, where, visitor)
                                        : walk_mat5(bytes, where, visitor);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + printable(word);
  return text.empty() ? "none" : text;
}

}  // namespace

std::vector<std::string> mat_names(Bytes bytes, const std::string& where) {
  return as_data([&] {
    Lister lister;
    walk(bytes, where, lister);
    return std::move(lister.names);
  });
}

Array read_mat(Bytes bytes, const std::string& name, const std::string& where) {
  return as_data([&] {
    if (name.empty()) {
      Lister lister;
      walk(bytes, where, lister);
      if (lister.names.size() == 1) return read_mat(bytes, lister.names[0], where);
      throw DataError(
          fmt::format("{}: expected one array of numbers, got {}: {}. Name the one to read.", where,
                      lister.names.size(), joined(lister.names)));
    }
    std::string refusal;
    if (is_hdf5(bytes)) {
      const Hdf5Reader file(bytes, where);
      const std::string path = path_of(name);
      if (file.is_group(path) || file.exists(path)) {
        refusal = refusal_of(file, path);
        if (refusal.empty()) return read_mat73(file, path);
      }
    } else {
      Taker taker(name);
      walk(bytes, where, taker);
      if (taker.array) return std::move(*taker.array);
      refusal = taker.refusal;
    }
    if (!refusal.empty())
      throw DataError(fmt::format("{}: \"{}\" {}; expected an array of real numbers.", where,
                                  printable(name), refusal));
    Lister lister;
    walk(bytes, where, lister);
    throw DataError(fmt::format("{}: there is no array \"{}\". There are: {}; not read: {}.", where,
                                printable(name), joined(lister.names), joined(lister.others)));
  });
}

}  // namespace formats

Array load_mat(const std::filesystem::path& path, const std::string& name) {
  return formats::read_mat(read_file(path), name, fmt::format("\"{}\"", path.string()));
}

std::vector<std::string> mat_arrays(const std::filesystem::path& path) {
  return formats::mat_names(read_file(path), fmt::format("\"{}\"", path.string()));
}

}  // namespace sonde
