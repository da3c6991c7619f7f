#include "report/tensorboard.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <chrono>
#include <sonde/error.hpp>
#include <sonde/report.hpp>

#include "base/file.hpp"
#include "report/text.hpp"

namespace sonde::report {
namespace {

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    table[i] = crc;
  }
  return table;
}();

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  std::uint32_t crc = ~0u;
  for (const std::byte b : bytes)
    crc = crc >> 8 ^ crc_table[(crc ^ std::to_integer<std::uint32_t>(b)) & 255];
  return ~crc;
}

std::uint32_t masked_crc32c(std::span<const std::byte> bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u;
}

}  // namespace sonde::report

namespace sonde {
namespace {

template <class Number>
void put_little(std::string& to, Number value) {
  for (std::size_t k = 0; k < sizeof(Number); ++k) to += static_cast<char>(value >> (8 * k) & 255);
}

// Protocol buffers on the wire: a key is field number * 8 + kind (0 varint, 1 eight bytes, 2 length
// and bytes, 5 four bytes). https://protobuf.dev/programming-guides/encoding
void put_varint(std::string& to, std::uint64_t value) {
  for (; value > 127; value >>= 7) to += static_cast<char>((value & 127) | 128);
  to += static_cast<char>(value);
}
void put_double(std::string& to, std::uint64_t field, double value) {
  put_varint(to, field * 8 + 1);
  put_little(to, std::bit_cast<std::uint64_t>(value));
}
void put_float(std::string& to, std::uint64_t field, float value) {
  put_varint(to, field * 8 + 5);
  put_little(to, std::bit_cast<std::uint32_t>(value));
}
void put_text(std::string& to, std::uint64_t field, std::string_view text) {
  put_varint(to, field * 8 + 2);
  put_varint(to, text.size());
  to += text;
}

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

// tensorflow/core/util/event.proto: Event { double wall_time = 1; int64 step = 2;
// string file_version = 3; Summary summary = 5; }, Summary { repeated Value value = 1; },
// Value { string tag = 1; float simple_value = 2; }.
TensorBoardWriter::TensorBoardWriter(const std::filesystem::path& folder,
                                     std::optional<double> wall_time) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const double began = wall_time.value_or(now());
  path_ = folder / fmt::format("events.out.tfevents.{:010.0f}.sonde", began);
  file_.open(path_, std::ios::binary | std::ios::trunc);
  if (!file_)
    throw IoError(
        fmt::format("Cannot write {}: is the folder there and writable?", path_.string()));
  std::string event;
  put_double(event, 1, began);
  put_text(event, 3, "brain.Event:2");
  record(event);
}

void TensorBoardWriter::scalar(std::string_view tag, Index step, double value,
                               std::optional<double> wall_time) {
  std::string entry, summary, event;
  put_text(entry, 1, report::clean(tag));
  put_float(entry, 2, static_cast<float>(value));
  put_text(summary, 1, entry);
  put_double(event, 1, wall_time.value_or(now()));
  put_varint(event, 2 * 8);
  put_varint(event, static_cast<std::uint64_t>(step));
  put_text(event, 5, summary);
  record(event);
}

// TFRecord: length (8 bytes), its masked CRC, the bytes, their masked CRC.
void TensorBoardWriter::record(const std::string& event) {
  std::string bytes;
  put_little(bytes, static_cast<std::uint64_t>(event.size()));
  put_little(bytes, report::masked_crc32c(bytes_of(bytes)));
  bytes += event;
  put_little(bytes, report::masked_crc32c(bytes_of(event)));
  file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file_.flush();
  if (!file_) throw IoError(fmt::format("Cannot write {}: is the disk full?", path_.string()));
}

void write_tensorboard(const std::filesystem::path& folder, const LearningCurves& curves,
                       std::optional<double> wall_time) {
  const double at = wall_time.value_or(now());
  for (const bool validation : {false, true}) {
    std::optional<TensorBoardWriter> board;
    for (const auto& entry : curves.history) {
      const std::string& name = entry.first;
      if (name.starts_with("val_") != validation) continue;
      if (!board) board.emplace(folder / (validation ? "validation" : "train"), at);
      for (std::size_t i = 0; i < entry.second.size() && i < curves.epoch.size(); ++i)
        board->scalar("epoch_" + name.substr(validation ? 4 : 0), curves.epoch[i], entry.second[i],
                      at);
    }
  }
}

}  // namespace sonde
