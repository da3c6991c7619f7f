#pragma once
#include <string>
#include <string_view>
#include <vector>

/// Words that messages of every floor are made of.
namespace sonde {

/// ` Did you mean "acc_x"?`, with a blank before it: the one of `names` that `word` is a slip of,
/// by nearest() of sonde/fields.hpp. Empty where none is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& names);

/// Steps per second with six significant digits, which is what clocks can tell: "50" for
/// 50.000000000001066.
std::string rate_text(double rate);
/// The same for a rate that differs from `other`, with more digits where six look alike.
std::string rate_text(double rate, double other);

}  // namespace sonde
