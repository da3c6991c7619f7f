#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include "base/file.hpp"

struct zip;

/// Zip archives in memory, strict both ways: what .npz and .keras files are made of. Nothing is
/// ever written to disk, so a member's name is only a key; names that could be paths elsewhere are
/// refused all the same, because other programs would follow them.
namespace sonde::formats {

/// What a zip archive may make this process do.
struct ZipLimits {
  std::size_t members = 10'000;
  /// Bytes of all members together, unpacked.
  std::uint64_t total = std::uint64_t{4} << 30;
  /// A member may unpack to this many times its packed size,
  std::uint64_t expansion = 100;
  /// unless it unpacks to at most this many bytes: small members of zeros pack very well.
  std::uint64_t always_allowed = std::uint64_t{1} << 20;
};

/// Reads the members of an archive. Opening checks the whole directory; reading a member checks its
/// length and checksum. Keeps a view of `bytes`: they must outlive the reader.
///   ZipReader zip(bytes, "model.keras");
///   auto config = zip.read("config.json");
/// FormatError for damaged or hostile archives, LimitError above a limit. One thread at a time.
class ZipReader {
 public:
  explicit ZipReader(Bytes bytes, std::string where = "zip archive", ZipLimits limits = {});
  ZipReader(Bytes bytes, ZipLimits limits) : ZipReader(bytes, "zip archive", limits) {}
  ~ZipReader();
  ZipReader(const ZipReader&) = delete;
  ZipReader& operator=(const ZipReader&) = delete;

  /// Members in the order of the archive; folders' names end with '/'.
  const std::vector<std::string>& names() const { return names_; }
  bool has(std::string_view name) const;
  /// Unpacked size of a member in bytes. FormatError when there is no such member.
  std::uint64_t size(std::string_view name) const;
  std::vector<std::byte> read(std::string_view name) const;

 private:
  struct Close {
    void operator()(zip* archive) const;
  };

  std::size_t position(std::string_view name) const;
  void check_directory(std::size_t archive_size, const ZipLimits& limits);

  std::string where_;
  std::vector<std::string> names_;
  std::vector<std::uint64_t> sizes_;
  std::unique_ptr<zip, Close> archive_;
};

struct ZipMember {
  std::string name;
  Bytes bytes;
};

/// An archive of `members` in their order. The same members give the same bytes, whenever and
/// wherever it is written: times are fixed. Stored members can be read in place by other programs;
/// deflated ones are smaller.
std::vector<std::byte> write_zip(std::span<const ZipMember> members, bool stored = true);

}  // namespace sonde::formats
