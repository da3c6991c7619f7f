#pragma once
#include <sonde/losses.hpp>
#include <string>
#include <string_view>

namespace sonde::cli {

/// A loss as options and configurations say it: its name, or its name with arguments behind it,
/// "tversky(alpha=0.7, beta=0.3)". Lists stand in brackets: "dice(axis=[1, 2])".
/// Throws ArgumentError, with what is near, for names and arguments that it does not have.
Loss read_loss(std::string_view text);

/// The same text, with those arguments alone that are not as usual.
std::string loss_text(const Loss& loss);

}  // namespace sonde::cli
