#include "formats/hdf5.hpp"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "tests/support/files.hpp"
#include "tests/support/near.hpp"

namespace sonde::formats {
namespace {

using sonde::testing::refused_with;
using sonde::testing::same_bits;
using sonde::testing::says;

const std::vector<float> six = {1, -2, 3.5f, 4, 5, 6e-40f};

std::vector<std::byte> small_file() {
  Hdf5Writer file;
  file.group("layers/dense/vars");
  file.attribute("layers/dense/vars", "name", "d\u00e9nse");
  file.write("layers/dense/vars/0", Shape{2, 3}, six);
  file.write("layers/dense/vars/1", Shape{}, std::span(six).first(1));
  file.write("layers/dense/vars/2", std::int64_t{-7});
  file.write("layers/dense/vars/3", std::int64_t{1} << 40);
  return file.bytes();
}

/// A file made with the library itself, as an attacker would.
std::vector<std::byte> file_with(const std::function<void(hid_t)>& fill) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 1 << 16, false);
  const hid_t file = H5Fcreate("attack", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  fill(file);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  std::vector<std::byte> bytes(static_cast<std::size_t>(H5Fget_file_image(file, nullptr, 0)));
  H5Fget_file_image(file, bytes.data(), bytes.size());
  H5Fclose(file);
  H5Pclose(access);
  return bytes;
}

/// A dataset "x" of floats with these sizes and creation properties; its numbers are written when
/// `values` are given.
void make_dataset(hid_t file, std::vector<hsize_t> sizes, hid_t properties = H5P_DEFAULT,
                  hid_t type = H5T_IEEE_F32LE, const void* values = nullptr) {
  const hid_t space = H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr);
  const hid_t dataset = H5Dcreate2(file, "x", type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  ASSERT_GE(dataset, 0);
  if (values) {
    ASSERT_GE(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
  }
  H5Dclose(dataset);
  H5Sclose(space);
}

std::string refusal_of_x(const std::vector<std::byte>& bytes, const Shape& expected = {2, 3}) {
  const Hdf5Reader file(bytes, "m.h5");
  return refused_with<FormatError>([&] { file.read("x", expected); });
}

TEST(Hdf5, reads_back_what_it_wrote) {
  const auto bytes = small_file();
  const Hdf5Reader file(bytes);
  const Array values = file.read("layers/dense/vars/0", Shape{2, 3});
  EXPECT_TRUE(same_bits(values.values(), std::span<const float>(six)));
  EXPECT_EQ(*file.read("layers/dense/vars/1", Shape{}).data(), 1.0f);
  EXPECT_EQ(file.read_integer("layers/dense/vars/2"), -7);
  EXPECT_EQ(file.read_integer("layers/dense/vars/3"), std::int64_t{1} << 40);
  EXPECT_EQ(file.names("layers/dense/vars"), (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_EQ(file.shape("layers/dense/vars/0"), (Shape{2, 3}));
  EXPECT_TRUE(file.is_group("layers/dense"));
  EXPECT_FALSE(file.is_group("layers/dense/vars/0"));
  EXPECT_FALSE(file.is_group("layers/other/deeper"));
  EXPECT_TRUE(file.names("optimizer").empty());
}

TEST(Hdf5, writes_the_same_bytes_every_time) {
  const auto first = small_file();
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // past a change of the clock
  EXPECT_EQ(small_file(), first);
}

TEST(Hdf5, writes_superblock_0_as_h5py_does) {
  EXPECT_EQ(text_of(Bytes(small_file()).first(9)), std::string_view("\x89HDF\r\n\x1a\n\0", 9));
}

TEST(Hdf5, touches_no_file_on_disk) {
  const sonde::testing::TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const auto bytes = small_file();
  const Hdf5Reader file(bytes);
  file.read("layers/dense/vars/0", Shape{2, 3});
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Hdf5, leaves_error_printing_as_it_was) {
  H5E_auto2_t before = nullptr, after = nullptr;
  void* data = nullptr;
  H5Eget_auto2(H5E_DEFAULT, &before, &data);
  ::testing::internal::CaptureStderr();
  EXPECT_THROW(Hdf5Reader(Bytes{}, "m.h5"), FormatError);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  H5Eget_auto2(H5E_DEFAULT, &after, &data);
  EXPECT_EQ(before, after);
}

TEST(Hdf5, keeps_open_files_apart) {
  const auto bytes = small_file();
  const Hdf5Reader first(bytes);
  const auto other = file_with([](hid_t file) {
    make_dataset(file, {2, 3}, H5P_DEFAULT, H5T_IEEE_F32LE, six.data());
  });
  const Hdf5Reader second(other);
  EXPECT_TRUE(first.is_group("layers"));
  EXPECT_FALSE(second.is_group("layers"));
  EXPECT_NO_THROW(second.read("x", Shape{2, 3}));
}

TEST(Hdf5, may_be_used_by_several_threads) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        const auto bytes = small_file();
        good += Hdf5Reader(bytes).read("layers/dense/vars/0", Shape{2, 3})(1, 1) == 5.0f;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

TEST(Hdf5, reads_doubles_big_endian_chunked_and_packed_numbers) {
  const std::pair<hid_t, bool> cases[] = {
      {H5T_IEEE_F64LE, false}, {H5T_IEEE_F32BE, false}, {H5T_IEEE_F32LE, true}};
  for (const auto& [type, is_packed] : cases) {
    const hid_t kind = type;
    const bool packed = is_packed;
    const auto bytes = file_with([&](hid_t file) {
      const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
      if (packed) {
        const hsize_t chunk[] = {1, 2};
        H5Pset_chunk(properties, 2, chunk);
        H5Pset_shuffle(properties);
        H5Pset_deflate(properties, 9);
        H5Pset_fletcher32(properties);
      }
      make_dataset(file, {2, 3}, properties, kind, six.data());
      H5Pclose(properties);
    });
    const Array values = Hdf5Reader(bytes).read("x", Shape{2, 3});
    EXPECT_TRUE(same_bits(values.values(), std::span<const float>(six)));
  }
}

TEST(Hdf5, refuses_another_shape_than_expected) {
  const auto bytes = small_file();
  const Hdf5Reader file(bytes, "m.h5");
  for (const Shape& shape : {Shape{3, 2}, Shape{6}, Shape{2, 3, 1}, Shape{}})
    EXPECT_PRED2(says, refused_with<FormatError>([&] { file.read("layers/dense/vars/0", shape); }),
                 "m.h5: \"layers/dense/vars/0\" has shape (2, 3), expected " + to_string(shape));
  EXPECT_PRED2(says, refused_with<FormatError>([&] { file.read("layers/dense/vars/9", {}); }),
               "is missing");
  EXPECT_PRED2(says, refused_with<FormatError>([&] { file.read("layers/dense", {}); }),
               "is no dataset");
  EXPECT_PRED2(says, refused_with<FormatError>([&] { file.read_integer("layers/dense/vars/1"); }),
               "does not hold whole numbers");
}

TEST(Hdf5, refuses_soft_external_and_dangling_links) {
  const auto bytes = file_with([](hid_t file) {
    make_dataset(file, {2, 3}, H5P_DEFAULT, H5T_IEEE_F32LE, six.data());
    H5Lcreate_soft("/x", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/nowhere", file, "dangling", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("/etc/passwd", "/x", file, "external", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/", file, "root", H5P_DEFAULT, H5P_DEFAULT);
  });
  const Hdf5Reader file(bytes, "m.h5");
  EXPECT_NO_THROW(file.read("x", Shape{2, 3}));
  for (const char* path : {"soft", "dangling", "external", "root/x"})
    EXPECT_PRED2(says, refused_with<FormatError>([&] { file.read(path, Shape{2, 3}); }), "link");
  EXPECT_THROW(file.is_group("root"), FormatError);
}

TEST(Hdf5, refuses_numbers_in_an_external_file) {
  const sonde::testing::TemporaryFolder folder;
  std::ofstream(folder / "secret") << std::string(24, 's');
  const auto bytes = file_with([&](hid_t file) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(properties, (folder / "secret").c_str(), 0, 24);
    make_dataset(file, {2, 3}, properties);
    H5Pclose(properties);
  });
  EXPECT_PRED2(says, refusal_of_x(bytes), "external file");
}

TEST(Hdf5, refuses_virtual_datasets) {
  const auto bytes = file_with([](hid_t file) {
    const hsize_t sizes[] = {2, 3};
    const hid_t space = H5Screate_simple(2, sizes, nullptr);
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_virtual(properties, space, "/etc/passwd", "/x", space);
    make_dataset(file, {2, 3}, properties);
    H5Pclose(properties);
    H5Sclose(space);
  });
  EXPECT_PRED2(says, refusal_of_x(bytes), "virtual");
}

TEST(Hdf5, refuses_a_declared_size_that_is_not_stored) {
  // Nothing is written, so nothing is stored; 2^40 numbers would be 4 TiB.
  const hsize_t huge = hsize_t{1} << 40;
  const auto chunked = file_with([&](hid_t file) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[] = {1024};
    H5Pset_chunk(properties, 1, chunk);
    make_dataset(file, {huge}, properties);
    H5Pclose(properties);
  });
  EXPECT_PRED2(says, refusal_of_x(chunked, Shape{Index{1} << 40}), "but 0 are stored");
  const auto late = file_with([&](hid_t file) { make_dataset(file, {2, 3}); });
  EXPECT_PRED2(says, refusal_of_x(late), "but 0 are stored");
  const auto overflowing = file_with([&](hid_t file) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[] = {1, 1};
    H5Pset_chunk(properties, 2, chunk);
    make_dataset(file, {huge, huge}, properties);
    H5Pclose(properties);
  });
  EXPECT_PRED2(says, refusal_of_x(overflowing), "more bytes than can exist");
}

TEST(Hdf5, refuses_chunks_larger_than_the_dataset) {
  const auto bytes = file_with([&](hid_t file) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[] = {hsize_t{1} << 24};
    H5Pset_chunk(properties, 1, chunk);
    H5Pset_deflate(properties, 9);
    const hsize_t now[] = {6}, most[] = {H5S_UNLIMITED};
    const hid_t space = H5Screate_simple(1, now, most);
    const hid_t dataset =
        H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, six.data());
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(properties);
  });
  EXPECT_PRED2(says, refusal_of_x(bytes, Shape{6}), "chunks larger than itself");
}

TEST(Hdf5, refuses_filters_it_does_not_know) {
  const auto bytes = file_with([&](hid_t file) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[] = {2, 3};
    H5Pset_chunk(properties, 2, chunk);
    H5Pset_scaleoffset(properties, H5Z_SO_FLOAT_DSCALE, 2);
    make_dataset(file, {2, 3}, properties, H5T_IEEE_F32LE, six.data());
    H5Pclose(properties);
  });
  EXPECT_PRED2(says, refusal_of_x(bytes), "packed with filter 6");
}

TEST(Hdf5, refuses_everything_that_is_no_plain_float) {
  const hid_t odd = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_ebias(odd, 100);
  const hid_t pair = H5Tcreate(H5T_COMPOUND, 8);
  H5Tinsert(pair, "a", 0, H5T_IEEE_F32LE);
  for (const hid_t type : {hid_t{H5T_STD_I32LE}, hid_t{H5T_STD_REF_OBJ}, hid_t{H5T_C_S1},
                           hid_t{H5T_STD_B8LE}, odd, pair}) {
    const auto bytes = file_with([&](hid_t file) {
      make_dataset(file, {2, 3}, H5P_DEFAULT, type);
    });
    EXPECT_PRED2(says, refusal_of_x(bytes), "does not hold floats");
  }
  H5Tclose(odd);
  H5Tclose(pair);
}

TEST(Hdf5, refuses_more_entries_than_the_limit) {
  const auto bytes = small_file();
  const Hdf5Reader file(bytes, "m.h5", {.entries = 3});
  EXPECT_THROW(file.names("layers/dense/vars"), LimitError);
}

TEST(Hdf5, refuses_what_is_no_hdf5_file) {
  for (const char* text : {"", "x", "PK\3\4", "\x89HDF\r\n\x1a\n"})
    EXPECT_PRED2(says, refused_with<FormatError>([&] { Hdf5Reader(bytes_of(text), "m.h5"); }),
                 "m.h5: expected an HDF5 file");
}

TEST(Hdf5, gives_numbers_or_a_typed_error_for_every_truncation) {
  const auto bytes = small_file();
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    try {
      const Hdf5Reader file(Bytes(bytes).first(size));
      file.names("layers/dense/vars");
      file.read("layers/dense/vars/0", Shape{2, 3});
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace sonde::formats
