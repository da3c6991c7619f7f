#include "formats/hdf5_datasets.hpp"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <cstring>
#include <sonde/error.hpp>
#include <sonde/formats.hpp>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;
using testing::TemporaryFolder;
using Floats = std::vector<float>;
using Names = std::vector<std::string>;

/// A file that the HDF5 library writes, with a text before it where `block` is not 0.
struct File {
  TemporaryFolder folder;
  std::filesystem::path path = folder / "x.h5";
  hid_t file;

  explicit File(hsize_t block = 0) {
    const hid_t properties = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_userblock(properties, block);
    file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, properties, H5P_DEFAULT);
    H5Pclose(properties);
  }
  void group(const char* name) {
    H5Gclose(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }
  void dataset(const char* name, hid_t type, std::vector<hsize_t> sizes,
               const std::vector<int>& values, const char* mat_class = nullptr) {
    const hid_t space = H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr);
    const hid_t made = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    EXPECT_GE(H5Dwrite(made, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
    if (mat_class) {
      const hid_t text = H5Tcopy(H5T_C_S1), scalar = H5Screate(H5S_SCALAR);
      H5Tset_size(text, std::strlen(mat_class));
      const hid_t attribute =
          H5Acreate2(made, "MATLAB_class", text, scalar, H5P_DEFAULT, H5P_DEFAULT);
      H5Awrite(attribute, text, mat_class);
      H5Aclose(attribute);
      H5Sclose(scalar);
      H5Tclose(text);
    }
    H5Dclose(made);
    H5Sclose(space);
  }
  const std::filesystem::path& close() {
    H5Fclose(file);
    return path;
  }
};

Floats values(const Array& array) { return {array.values().begin(), array.values().end()}; }

TEST(Hdf5Datasets, of_every_type_of_number_are_read) {
  File made;
  made.group("a");
  const std::pair<const char*, hid_t> types[] = {
      {"a/i8", H5T_STD_I8LE},    {"a/i16", H5T_STD_I16BE},  {"a/i32", H5T_STD_I32BE},
      {"a/i64", H5T_STD_I64LE},  {"a/f32", H5T_IEEE_F32BE}, {"a/f64", H5T_IEEE_F64LE},
      {"a/f64b", H5T_IEEE_F64BE}};
  for (const auto& [name, type] : types) made.dataset(name, type, {2, 3}, {-1, 2, 3, -100, 0, 127});
  made.dataset("u8", H5T_STD_U8LE, {2}, {0, 255});
  made.dataset("u16", H5T_STD_U16BE, {2}, {0, 65535});
  made.close();
  for (const auto& [name, type] : types) {
    EXPECT_EQ(values(load_hdf5(made.path, name)), (Floats{-1, 2, 3, -100, 0, 127})) << name;
    EXPECT_EQ(load_hdf5(made.path, std::string("/") + name).shape(), (Shape{2, 3}));
  }
  EXPECT_EQ(values(load_hdf5(made.path, "u8")), (Floats{0, 255}));
  EXPECT_EQ(values(load_hdf5(made.path, "u16")), (Floats{0, 65535}));
  EXPECT_EQ(hdf5_datasets(made.path),
            (Names{"a/f32", "a/f64", "a/f64b", "a/i16", "a/i32", "a/i64", "a/i8", "u16", "u8"}));
}

TEST(Hdf5Datasets, that_are_missing_are_refused_with_those_that_are_there) {
  File made;
  made.group("g");
  made.dataset("g/x", H5T_STD_I32LE, {1}, {1});
  H5Lcreate_soft("/g/x", made.file, "soft", H5P_DEFAULT, H5P_DEFAULT);
  made.close();
  const auto refusal = [&](const std::string& name) {
    return refused_with<DataError>([&] { load_hdf5(made.path, name); });
  };
  EXPECT_PRED2(says, refusal("y"), "there is no dataset \"y\". There are: g/x.");
  EXPECT_PRED2(says, refusal("/g"), "there is no dataset \"/g\". There are: g/x.");
  EXPECT_PRED2(says, refusal(""), "There are: g/x.");
  EXPECT_PRED2(says, refusal("soft"), "a soft link");
  EXPECT_PRED2(says, refused_with<IoError>([] { load_hdf5("/nowhere.h5", "x"); }), "No such file");
}

TEST(Hdf5Datasets, groups_that_hold_each_other_end_somewhere) {
  File made;
  made.group("g");
  for (const char* name : {"g/self", "g/again"})
    H5Lcreate_hard(made.file, "g", made.file, name, H5P_DEFAULT, H5P_DEFAULT);
  made.close();
  EXPECT_PRED2(says, refused_with<LimitError>([&] { hdf5_datasets(made.path); }),
               "groups within groups deeper");
}

TEST(Mat73, arrays_are_turned_as_matlab_shows_them) {
  File made(512);
  // A = [1 2 3; 4 5 6] lies as (3, 2).
  made.dataset("A", H5T_STD_I16LE, {3, 2}, {1, 4, 2, 5, 3, 6}, "int16");
  made.dataset("text", H5T_STD_U16LE, {1, 2}, {72, 105}, "char");
  made.group("EEG");
  made.dataset("EEG/data", H5T_IEEE_F64LE, {2, 1}, {7, 8}, "double");
  made.close();
  const Array a = load_mat(made.path, "A");
  EXPECT_EQ(a.shape(), (Shape{2, 3}));
  EXPECT_EQ(values(a), (Floats{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(load_mat(made.path, "EEG.data").shape(), (Shape{1, 2}));
  EXPECT_EQ(mat_arrays(made.path), (Names{"A", "EEG.data"}));
  const auto refusal = [&](const std::string& name) {
    return refused_with<DataError>([&] { load_mat(made.path, name); });
  };
  EXPECT_PRED2(says, refusal("text"), "\"text\" is text; expected an array of real numbers.");
  EXPECT_PRED2(says, refusal("EEG"), "is a struct");
  EXPECT_PRED2(says, refusal("B"),
               "there is no array \"B\". There are: A, EEG.data; not read: text (is text).");
  EXPECT_PRED2(says, refusal(""), "got 2: A, EEG.data");
}

}  // namespace
}  // namespace sonde
