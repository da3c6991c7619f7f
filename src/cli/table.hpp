#pragma once
#include <sonde/error.hpp>
#include <sonde/formats.hpp>
#include <string>
#include <vector>

#include "cli/data.hpp"

/// Text tables as the verbs read them: a column for each channel, and perhaps one with the labels.
namespace sonde::cli {

/// FILE.csv, .tsv or .txt.
bool is_table(const std::string& file);

/// The number of the column that --label-column names, by its title or counted from 0. `names`: of
/// all `width` columns; empty without a header. Throws ArgumentError.
Index find_column(const std::vector<std::string>& names, Index width, const std::string& wanted,
                  const std::string& file);

/// Reads files.x into x, and the column of labels, where they are wanted, into y. Channels are
/// chosen by name where both sides name them; without names on one side they are all columns but
/// that of the labels, in their order. Channels that are called by numbers are counted from 1 where
/// the table has no names. Throws as load_data; `missing_as_nan`: empty cells, NA, … are NaN in x.
void load_table_into(Data& data, const DataFiles& files, bool missing_as_nan = false);

/// Throws `error` anew. Where it is about a word among labels, it also says how to number them.
/// `label_column`: empty for a table that holds nothing but labels.
[[noreturn]] void explain_words(const DataError& error, const std::string& file,
                                const std::string& label_column);

/// Refuses a table with one column more than the model has channels: that of the labels, which
/// --label-column leaves out. `names`: of the columns, if they have any.
void check_columns(const std::string& file, Index columns, const std::vector<std::string>& names,
                   Index channels);

}  // namespace sonde::cli
