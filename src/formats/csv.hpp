#pragma once
#include <sonde/formats.hpp>
#include <string>
#include <string_view>

/// Tables of numbers as text.
namespace sonde::formats {

/// The table in `text`; `where` names it in messages.
Table read_csv(std::string_view text, const std::string& where, const CsvOptions& options = {});
TextTable read_text_table(std::string_view text, const std::string& where,
                          const CsvOptions& options = {});
std::string write_csv(const Array& array, const std::vector<std::string>& columns = {});

}  // namespace sonde::formats
