#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <set>
#include <sonde/error.hpp>
#include "formats/printable.hpp"
#include "formats/zip.hpp"

namespace sonde::formats {
namespace {

/// Bytes that one member takes besides its data: a local header (30) and a directory entry (46),
/// each followed by the name. The archive ends with a record of 22 bytes.
constexpr std::uint64_t member_overhead = 30 + 46;
constexpr std::uint64_t archive_overhead = 22;

/// Deflate cannot do better than 258 bytes for 2 bits: 1032 to one. A larger claim is a lie.
constexpr std::uint64_t deflate_bound = 1032;

/// The text of a libzip error, and the release of what libzip keeps for it.
std::string take(zip_error_t& error) {
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

/// Why `name` may not stand in an archive, or empty.
std::string_view fault_of_name(std::string_view name) {
  if (name.empty()) return "is empty";
  for (const char c : name)
    if (static_cast<unsigned char>(c) < 32 || c == 127) return "holds control characters";
  const bool has_drive = name.size() > 1 && name[1] == ':';
  if (name.front() == '/' || name.find('\\') != name.npos || has_drive)
    return "is not a plain relative name";
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    const bool is_folder_mark = part.empty() && end == name.size();
    if (part == ".." || part == "." || (part.empty() && !is_folder_mark))
      return "is not a plain relative name";
    begin = end + 1;
  }
  return {};
}

/// Refuses bytes before the archive, which libzip would step over: its last record says where the
/// directory begins. Archives with a comment, or too large for that record, are left to libzip.
void check_end(Bytes bytes, const std::string& where) {
  const Bytes end = bytes.last(archive_overhead);
  const auto number = [&](std::size_t at, std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t i = width; i-- > 0;)
      value = value << 8 | std::to_integer<unsigned>(end[at + i]);
    return value;
  };
  constexpr std::uint64_t too_large = 0xFFFFFFFF;
  if (!text_of(end).starts_with("PK\5\6") || number(20, 2) != 0) return;
  const std::uint64_t size = number(12, 4), offset = number(16, 4);
  if (offset != too_large && size != too_large && offset + size + archive_overhead != bytes.size())
    throw FormatError(
        fmt::format("{}: the zip archive is damaged: its directory is not where its "
                    "end says.",
                    where));
}

}  // namespace

void ZipReader::Close::operator()(zip* archive) const { zip_discard(archive); }

ZipReader::ZipReader(Bytes bytes, std::string where, ZipLimits limits) : where_(std::move(where)) {
  if (bytes.size() < archive_overhead || text_of(bytes.first(2)) != "PK")
    throw FormatError(fmt::format("{}: expected a zip archive, got {} bytes that are none.", where_,
                                  bytes.size()));
  check_end(bytes, where_);
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (!source) throw LimitError(fmt::format("{}: {}.", where_, take(error)));
  archive_.reset(zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error));
  if (!archive_) {
    zip_source_free(source);
    const bool is_twice = zip_error_code_zip(&error) == ZIP_ER_EXISTS;
    const std::string why = take(error);
    throw FormatError(fmt::format("{}: the zip archive is damaged: {}.", where_,
                                  is_twice ? "two members have the same name" : why));
  }
  zip_error_fini(&error);
  check_directory(bytes.size(), limits);
}

ZipReader::~ZipReader() = default;

void ZipReader::check_directory(std::size_t archive_size, const ZipLimits& limits) {
  const auto refuse = [&](std::string_view name, const std::string& why) {
    throw FormatError(fmt::format("{}: member \"{}\" {}.", where_, printable(name), why));
  };
  const auto count =
      static_cast<std::uint64_t>(std::max<zip_int64_t>(zip_get_num_entries(archive_.get(), 0), 0));
  if (count > limits.members)
    throw LimitError(
        fmt::format("{}: {} members, more than the limit of {}.", where_, count, limits.members));

  std::set<std::string_view> seen;
  std::uint64_t total = 0, occupied = archive_overhead;
  names_.reserve(count);  // so that `seen` may point into the names
  for (std::uint64_t i = 0; i < count; ++i) {
    zip_stat_t entry;
    zip_stat_init(&entry);
    constexpr zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                    ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD |
                                    ZIP_STAT_CRC;
    if (zip_stat_index(archive_.get(), i, 0, &entry) != 0 || (entry.valid & needed) != needed)
      throw FormatError(fmt::format("{}: member {} has no complete directory entry.", where_, i));
    const std::string& name = names_.emplace_back(entry.name);
    sizes_.push_back(entry.size);

    if (const auto fault = fault_of_name(name); !fault.empty())
      refuse(name, fmt::format("has a name that {}", fault));
    if (!seen.insert(name).second) refuse(name, "stands in the archive twice");
    if (entry.encryption_method != ZIP_EM_NONE) refuse(name, "is encrypted");
    if (entry.comp_method != ZIP_CM_STORE && entry.comp_method != ZIP_CM_DEFLATE)
      refuse(name,
             fmt::format("uses packing method {}, expected stored or deflated", entry.comp_method));
    if (entry.comp_method == ZIP_CM_STORE ? entry.size != entry.comp_size
                                          : entry.size / deflate_bound > entry.comp_size)
      refuse(name, fmt::format("claims {} bytes but packs {}", entry.size, entry.comp_size));
    if (entry.size > limits.always_allowed && entry.size / limits.expansion > entry.comp_size)
      throw LimitError(fmt::format("{}: member \"{}\" expands more than {} times: {} bytes to {}.",
                                   where_, printable(name), limits.expansion, entry.comp_size,
                                   entry.size));
    if (entry.size > limits.total || (total += entry.size) > limits.total)
      throw LimitError(
          fmt::format("{}: the members unpack to more than {} bytes.", where_, limits.total));
    occupied += member_overhead + 2 * name.size() + entry.comp_size;
    // Sizes are below the archive's, so this cannot overflow before it is seen here.
    if (entry.comp_size > archive_size || occupied > archive_size)
      refuse(name, "claims bytes that lie outside the archive or in another member");
  }
}

bool ZipReader::has(std::string_view name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

std::size_t ZipReader::position(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end())
    throw FormatError(fmt::format("{}: there is no member \"{}\".", where_, name));
  return static_cast<std::size_t>(found - names_.begin());
}

std::uint64_t ZipReader::size(std::string_view name) const { return sizes_[position(name)]; }

std::vector<std::byte> ZipReader::read(std::string_view name) const {
  const std::size_t at = position(name);
  const auto refuse = [&](std::string_view why) {
    throw FormatError(fmt::format("{}: member \"{}\" is damaged: {}.", where_, name, why));
  };
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
      zip_fopen_index(archive_.get(), at, 0), zip_fclose);
  if (!file) refuse(zip_strerror(archive_.get()));

  std::vector<std::byte> bytes(sizes_[at]);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const zip_int64_t n = zip_fread(file.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0) refuse(zip_file_strerror(file.get()));
    if (n == 0) refuse("it is shorter than its directory entry says");
    done += static_cast<std::size_t>(n);
  }
  // The checksum is verified by the read that meets the end.
  std::byte beyond;
  const zip_int64_t n = zip_fread(file.get(), &beyond, 1);
  if (n < 0) refuse(zip_file_strerror(file.get()));
  if (n > 0) refuse("it is longer than its directory entry says");
  return bytes;
}

std::vector<std::byte> write_zip(std::span<const ZipMember> members, bool stored) {
  const auto refuse = [](zip_error_t* error) {
    throw IoError(fmt::format("zip archive cannot be written: {}.", zip_error_strerror(error)));
  };
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* made = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (!made) refuse(&error);
  const std::unique_ptr<zip_source_t, void (*)(zip_source_t*)> source(made, zip_source_free);
  zip_source_keep(source.get());  // one reference is the archive's
  std::unique_ptr<zip_t, void (*)(zip_t*)> archive(
      zip_open_from_source(source.get(), ZIP_TRUNCATE, &error), zip_discard);
  if (!archive) {
    zip_source_free(source.get());
    refuse(&error);
  }

  for (const ZipMember& member : members) {
    if (const auto fault = fault_of_name(member.name); !fault.empty())
      throw ArgumentError(
          fmt::format("zip archive: the member name \"{}\" {}.", printable(member.name), fault));
    zip_source_t* data =
        zip_source_buffer(archive.get(), member.bytes.data(), member.bytes.size(), 0);
    if (!data) refuse(zip_get_error(archive.get()));
    const zip_int64_t at = zip_file_add(archive.get(), member.name.c_str(), data, ZIP_FL_ENC_UTF_8);
    if (at < 0) {
      zip_source_free(data);
      refuse(zip_get_error(archive.get()));
    }
    const auto index = static_cast<zip_uint64_t>(at);
    // 1980-01-01 00:00, the earliest time that the format can say.
    constexpr zip_uint16_t time = 0, date = 1 << 5 | 1;
    if (zip_set_file_compression(archive.get(), index, stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE, 0) !=
            0 ||
        zip_file_set_dostime(archive.get(), index, time, date, 0) != 0)
      refuse(zip_get_error(archive.get()));
  }
  if (zip_close(archive.get()) != 0) refuse(zip_get_error(archive.get()));
  static_cast<void>(archive.release());  // closed

  zip_stat_t written;
  if (zip_source_stat(source.get(), &written) != 0 || zip_source_open(source.get()) != 0)
    refuse(zip_source_error(source.get()));
  std::vector<std::byte> bytes(written.size);
  const zip_int64_t n = zip_source_read(source.get(), bytes.data(), bytes.size());
  zip_source_close(source.get());
  if (n != static_cast<zip_int64_t>(bytes.size())) refuse(zip_source_error(source.get()));
  return bytes;
}

}  // namespace sonde::formats
