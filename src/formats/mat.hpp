#pragma once
#include <optional>
#include <sonde/array.hpp>
#include <string>
#include <string_view>
#include <vector>
#include "base/file.hpp"
#include "formats/numbers.hpp"

/// MATLAB's files, read from bytes: version 4, version 5 to 7.2 ("MAT-File Format", MathWorks), and
/// 7.3, which is HDF5. Own code, not matio: docs/decisions.
namespace sonde::formats {

/// A variable of a file: numbers that lie there column by column, or what it is instead.
struct MatVariable {
  std::string name;     ///< fields of structs: "EEG.data"
  std::string refusal;  ///< "holds complex numbers"; empty for numbers
  Shape shape;
  Bytes numbers;  ///< checked against `shape`; valid while the visitor runs
  NumberForm form;
};

/// Takes variables, one after the other; false ends the walk.
struct MatVisitor {
  virtual ~MatVisitor() = default;
  virtual bool visit(const MatVariable& variable) = 0;
  /// Whether anything called `name` or "name.…" is of interest. Others are not unpacked.
  virtual bool wants(std::string_view name) = 0;
};

/// DataError with the place for whatever is damaged.
void walk_mat4(Bytes bytes, const std::string& where, MatVisitor& visitor);
void walk_mat5(Bytes bytes, const std::string& where, MatVisitor& visitor);

/// The array called `name` in a file of any version; the only one where `name` is empty.
Array read_mat(Bytes bytes, const std::string& name, const std::string& where);
std::vector<std::string> mat_names(Bytes bytes, const std::string& where);

}  // namespace sonde::formats
