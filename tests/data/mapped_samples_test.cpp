#include <gtest/gtest.h>

#include <fstream>
#include <sonde/formats.hpp>
#include <sonde/mapped_samples.hpp>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;

Array counted(const Shape& shape) {
  Array array(shape);
  for (Index i = 0; i < array.size(); ++i) array.data()[i] = static_cast<float>(i);
  return array;
}

TEST(MappedSamples, are_those_that_lie_in_memory) {
  const testing::TemporaryFolder folder;
  const Array x = counted({7, 5, 3}), y = counted({7, 5, 1}), weights = counted({7, 5});
  save_npy(folder / "x.npy", x);
  const MappedSamples mapped(map_npy(folder / "x.npy"), y, &weights);
  const ArraySamples kept({&x}, {&y}, {&weights});
  EXPECT_EQ(mapped.size(), 7);
  EXPECT_EQ(mapped.inputs(), kept.inputs());
  EXPECT_EQ(mapped.targets(), kept.targets());
  EXPECT_EQ(mapped.weights(0), 5);
  const std::vector<Index> asked = {6, 0, 3};
  mapped.will_need(2, asked);
  for (Index i = 0; i < 7; ++i) {
    const Sample a = mapped.sample(0, i), b = kept.sample(0, i);
    EXPECT_TRUE(std::equal(a.x[0], a.x[0] + 15, b.x[0]));
    EXPECT_EQ(a.y[0], b.y[0]);
    EXPECT_EQ(a.weights[0], b.weights[0]);
  }
}

TEST(MappedSamples, need_a_label_for_each_sample) {
  const testing::TemporaryFolder folder;
  save_npy(folder / "x.npy", counted({7, 5, 3}));
  const Array y({6, 5, 1});
  EXPECT_PRED2(says, refused_with<DataError>([&] { MappedSamples(map_npy(folder / "x.npy"), y); }),
               "X (7, 5, 3) holds 7 samples, but y (6, 5, 1) holds 6");
}

TEST(MappedArray, outlives_its_name_and_the_file_that_it_came_from) {
  const testing::TemporaryFolder folder;
  save_npy(folder / "x.npy", counted({4, 2}));
  MappedArray copy;
  {
    const MappedArray first = map_npy(folder / "x.npy");
    copy = first;
  }
  std::filesystem::remove(folder / "x.npy");
  EXPECT_EQ(copy.shape(), (Shape{4, 2}));
  EXPECT_EQ(copy.data()[7], 7);
}

TEST(MappedArray, refuses_what_is_no_float32_in_c_order) {
  const testing::TemporaryFolder folder;
  const auto write = [&](const std::string& literal, std::size_t bytes) {
    std::string text = "{" + literal + "}\n";
    std::ofstream file(folder / "x.npy", std::ios::binary);
    file << std::string("\x93NUMPY\x01\x00", 8) << static_cast<char>(text.size()) << '\0' << text
         << std::string(bytes, '\0');
  };
  const auto refused = [&] { return refused_with<DataError>([&] { map_npy(folder / "x.npy"); }); };
  write("'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), ", 32);
  EXPECT_PRED2(says, refused(), "only float32 in C order ('<f4') can be mapped");
  write("'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), ", 16);
  EXPECT_PRED2(says, refused(), "in Fortran order");
  write("'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), ", 12);
  EXPECT_PRED2(says, refused(), "needs 16 bytes, 12 are there");
  write("'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), ", 16);
  EXPECT_PRED2(says, refused(), "too many");
  EXPECT_THROW(map_npy(folder / "none.npy"), IoError);
  EXPECT_THROW(MappedArray(folder / "x.npy", 2, {1}), DataError);
  EXPECT_THROW(MappedArray(folder / "x.npy", 1 << 20, {1}), DataError);
}

TEST(MappedArray, may_be_empty) {
  const testing::TemporaryFolder folder;
  save_npy(folder / "x.npy", Array({0, 5, 3}));
  EXPECT_EQ(map_npy(folder / "x.npy").size(), 0);
}

}  // namespace
}  // namespace sonde
