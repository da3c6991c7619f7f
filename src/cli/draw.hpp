#pragma once
#include <string>

namespace sonde::cli {

/// Lets Graphviz' program `dot` make a picture of a graph in its language: the bytes of a file of
/// that format, "svg", "png" or "pdf". No shell is between. Throws std::runtime_error when there is
/// no such program, with what to install, and when it fails, with what it said.
std::string draw(const std::string& dot, const std::string& format);

}  // namespace sonde::cli
