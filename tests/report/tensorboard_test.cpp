// Judged by TensorBoard itself, in a throw-away environment (pip install tensorboard):
//   write_example_report ecg MODEL data/ecg-qtdb OUT
//   python -c "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
//   as E e = E('OUT.board/train'); e.Reload(); print(e.Tags()['scalars'],
//   e.Scalars('epoch_loss')[0])"
#include "report/tensorboard.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <sonde/error.hpp>
#include <sonde/report.hpp>

#include "base/file.hpp"
#include "tests/support/files.hpp"

namespace sonde {
namespace {

using report::crc32c;
using report::masked_crc32c;
using testing::TemporaryFolder;

TEST(Crc32c, has_the_values_of_RFC_3720) {
  std::vector<std::byte> bytes(32);
  EXPECT_EQ(crc32c(bytes), 0x8A9136AAu);
  std::fill(bytes.begin(), bytes.end(), std::byte{0xFF});
  EXPECT_EQ(crc32c(bytes), 0x62A8AB43u);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc32c(bytes), 0x46DD794Eu);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(31 - i);
  EXPECT_EQ(crc32c(bytes), 0x113FDB5Cu);
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283u);
  EXPECT_EQ(crc32c({}), 0u);
}

/// What the file says, read by the rules of TFRecord and protocol buffers alone.
struct Scalar {
  double wall_time = 0;
  std::int64_t step = 0;
  std::string version, tag;
  float value = 0;
};

template <class T>
T take(Bytes& bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes = bytes.subspan(sizeof(T));
  return value;
}
std::uint64_t varint(Bytes& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = take<std::uint8_t>(bytes);
    value |= static_cast<std::uint64_t>(byte & 127) << shift;
    if (byte < 128) return value;
  }
}
Bytes chunk(Bytes& bytes) {
  const auto length = static_cast<std::size_t>(varint(bytes));
  const Bytes inside = bytes.first(length);
  bytes = bytes.subspan(length);
  return inside;
}
Scalar event(Bytes bytes) {
  Scalar scalar;
  while (!bytes.empty()) {
    const std::uint64_t key = varint(bytes);
    if (key == 9) scalar.wall_time = take<double>(bytes);
    if (key == 16) scalar.step = static_cast<std::int64_t>(varint(bytes));
    if (key == 26) scalar.version = text_of(chunk(bytes));
    if (key == 42) {
      Bytes summary = chunk(bytes);
      EXPECT_EQ(varint(summary), 10u);
      Bytes value = chunk(summary);
      EXPECT_TRUE(summary.empty());
      EXPECT_EQ(varint(value), 10u);
      scalar.tag = text_of(chunk(value));
      EXPECT_EQ(varint(value), 21u);
      scalar.value = take<float>(value);
      EXPECT_TRUE(value.empty());
    }
  }
  return scalar;
}
std::vector<Scalar> read(const std::filesystem::path& path) {
  const std::vector<std::byte> file = read_file(path);
  Bytes bytes = file;
  std::vector<Scalar> events;
  while (!bytes.empty()) {
    const Bytes head = bytes.first(8);
    const auto length = static_cast<std::size_t>(take<std::uint64_t>(bytes));
    // Masked: rotated right by 15 bits, plus 0xa282ead8.
    const std::uint32_t crc = take<std::uint32_t>(bytes) - 0xA282EAD8u;
    EXPECT_EQ(crc << 15 | crc >> 17, crc32c(head));
    const Bytes inside = bytes.first(length);
    bytes = bytes.subspan(length);
    EXPECT_EQ(take<std::uint32_t>(bytes), masked_crc32c(inside));
    events.push_back(event(inside));
  }
  return events;
}

TEST(TensorBoardWriter, writes_events_that_an_independent_reader_understands) {
  const TemporaryFolder folder;
  std::filesystem::path path;
  {
    TensorBoardWriter board(folder / "runs", 1700000000.25);
    path = board.path();
    board.scalar("epoch_loss", 0, 0.7109375, 1700000001.5);
    board.scalar("épaisseur/x", 300, std::numeric_limits<double>::quiet_NaN(), 2);
    board.scalar("late", std::int64_t{1} << 40, -1, 3);
  }
  EXPECT_EQ(path.filename(), "events.out.tfevents.1700000000.sonde");
  const std::vector<Scalar> events = read(path);
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].version, "brain.Event:2");
  EXPECT_EQ(events[0].wall_time, 1700000000.25);
  EXPECT_EQ(events[1].tag, "epoch_loss");
  EXPECT_EQ(events[1].value, 0.7109375f);
  EXPECT_EQ(events[1].step, 0);
  EXPECT_EQ(events[1].wall_time, 1700000001.5);
  EXPECT_EQ(events[2].tag, "épaisseur/x");
  EXPECT_EQ(events[2].step, 300);
  EXPECT_TRUE(std::isnan(events[2].value));
  EXPECT_EQ(events[3].step, std::int64_t{1} << 40);
}

TEST(TensorBoardWriter, says_where_it_cannot_write) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", "x");
  EXPECT_PRED2(testing::says,
               testing::refused_with<IoError>([&] { TensorBoardWriter board(folder / "file"); }),
               (folder / "file").string());
}

TEST(WriteTensorboard, lays_training_and_validation_side_by_side_as_Keras_does) {
  const TemporaryFolder folder;
  const LearningCurves curves{
      .epoch = {0, 1}, .history = {{"loss", {2, 1}}, {"val_loss", {4, 3}}}, .best_epoch = {}};
  write_tensorboard(folder.path(), curves, 5.0);
  const auto train = read(folder / "train/events.out.tfevents.0000000005.sonde");
  const auto validation = read(folder / "validation/events.out.tfevents.0000000005.sonde");
  ASSERT_EQ(train.size(), 3u);
  ASSERT_EQ(validation.size(), 3u);
  EXPECT_EQ(train[2].tag, "epoch_loss");
  EXPECT_EQ(train[2].step, 1);
  EXPECT_EQ(train[2].value, 1);
  EXPECT_EQ(validation[1].tag, "epoch_loss");
  EXPECT_EQ(validation[1].value, 4);
}

}  // namespace
}  // namespace sonde
