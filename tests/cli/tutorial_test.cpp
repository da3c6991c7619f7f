#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sonde/formats.hpp>

#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

const std::filesystem::path source = SONDE_SOURCE_DIR;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines_of(const std::string& document) {
  std::ifstream file(source / document);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// Layout means nothing.
std::string without_blanks(const std::string& text) {
  std::string bare;
  for (const char c : text)
    if (!std::isspace(static_cast<unsigned char>(c))) bare += c;
  return bare;
}

/// The C++ of a document, block by block; includes and `using` aside, which stand elsewhere in a
/// program.
std::vector<std::string> snippets(const std::string& document) {
  std::vector<std::string> found;
  bool inside = false;
  for (const std::string& line : lines_of(document)) {
    if (line == "```cpp") found.emplace_back();
    else if (inside && line != "```" && !line.starts_with("#") && !line.starts_with("using"))
      found.back() += line + "\n";
    inside = line == "```cpp" || (inside && line != "```");
  }
  return found;
}

// The examples are compiled and run by tests, so what is part of one works.
TEST(Documents, show_cpp_that_is_part_of_a_program_in_examples) {
  std::vector<std::string> programs;
  for (const auto& file : std::filesystem::directory_iterator(source / "examples"))
    if (file.path().extension() == ".cpp") programs.push_back(without_blanks(text_of(file.path())));
  for (const char* document : {"README.md", "docs/tutorial.md"}) {
    ASSERT_FALSE(snippets(document).empty()) << document;
    for (const std::string& snippet : snippets(document)) {
      bool found = false;
      for (const std::string& program : programs)
        found |= program.find(without_blanks(snippet)) != std::string::npos;
      EXPECT_TRUE(found) << document << ": no example holds\n" << snippet;
    }
  }
}

TEST(Tutorial, every_command_does_what_it_says) {
  Program program;
  constexpr Index samples = 20, steps = 400;
  Array x({samples, steps, 16}), y({samples, steps, 1}), last({samples, 1});
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i * 37 % 101) / 50 - 1;
  for (Index n = 0; n < samples; ++n) {
    for (Index t = 10 * n; t < 10 * n + 50; ++t) y(n, t, 0) = x(n, t, 3) += 1;
    for (Index t = 0; t < steps; ++t) y(n, t, 0) = y(n, t, 0) != 0 ? 1.0f : 0.0f;
    last(n, 0) = static_cast<float>(n % 2);
  }
  save_npy(program.path("X.npy"), x);
  save_npy(program.path("y.npy"), y);
  save_npy(program.path("last.npy"), last);
  save_npy(program.path("wide.npy"), y.reshaped({samples, steps}));

  std::size_t commands = 0;
  for (const std::string& line : lines_of("docs/tutorial.md")) {
    if (!line.starts_with("    sonde ")) continue;
    ++commands;
    const std::string command = "cd '" + program.folder().path().string() +
                                "' && '" SONDE_PROGRAM_PATH "' " + line.substr(10);
    const std::size_t comment = command.find("    #");
    const int status = std::system((command.substr(0, comment) + " > .out 2> .err").c_str());
    if (comment == std::string::npos) EXPECT_EQ(status, 0) << line << "\n" << program.read(".err");
    else EXPECT_NE(status, 0) << line;
  }
  EXPECT_GT(commands, 12u);
  for (const char* name : {"run/model.keras", "labels.npy", "more/model.keras"})
    EXPECT_TRUE(program.has(name)) << name;
  EXPECT_FALSE(program.has("oops/model.keras"));
}

}  // namespace
}  // namespace sonde::testing
