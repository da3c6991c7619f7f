#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <sonde/layers.hpp>
#include <sonde/model.hpp>

#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

bool has_dot() { return std::system("dot -V > /dev/null 2>&1") == 0; }

TEST(Plot, writes_the_graph_of_a_network_by_name_and_of_a_file) {
  const Program program;
  const Result named = program.run("plot conv-lstm --input 400,16 -o a.dot --show-shapes");
  EXPECT_EQ(named.code, 0) << named.err;
  EXPECT_EQ(named.out, "");
  EXPECT_PRED2(says, program.read("a.dot"), "(None, 400, 32)");

  const Tensor x = Input({8, 2});
  Model(x, Dense{.units = 1, .name = "last"}(x)).save(program.path("m.keras"));
  const Result file = program.run("plot m.keras -o b.dot --show-layer-names --rankdir LR");
  EXPECT_EQ(file.code, 0) << file.err;
  EXPECT_PRED2(says, program.read("b.dot"), "<b>last</b> (Dense)");
  EXPECT_PRED2(says, program.read("b.dot"), "rankdir=LR");
}

TEST(Plot, lets_Graphviz_draw_pictures) {
  if (!has_dot()) GTEST_SKIP() << "Graphviz is not installed";
  const Program program;
  for (const auto& [name, beginning] :
       {std::pair("m.svg", "<?xml"), std::pair("m.png", "\x89PNG"), std::pair("m.pdf", "%PDF")}) {
    const Result result =
        program.run(std::string("plot conv-pool-lstm-up --show-shapes -o ") + name);
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_TRUE(program.read(name).starts_with(beginning)) << name;
  }
  EXPECT_PRED2(says, program.read("m.svg"), "(None, 100, 32)");
  // A name that looks like markup or an option stays text.
  const Tensor x = Input({4, 1});
  Model(x, Dense{.units = 1, .name = "-o<b>&amp;</table>"}(x)).save(program.path("odd.keras"));
  const Result odd = program.run("plot odd.keras --show-layer-names -o odd.svg");
  EXPECT_EQ(odd.code, 0) << odd.err;
  EXPECT_PRED2(says, program.read("odd.svg"), "&lt;b&gt;&amp;amp;&lt;/table&gt;");
}

TEST(Plot, without_Graphviz_says_what_to_install_and_still_writes_dot) {
  const Program program;
  const std::string path = std::getenv("PATH");
  setenv("PATH", program.folder().path().c_str(), 1);
  const Result picture = program.run("plot conv-lstm -o m.svg");
  const Result dot = program.run("plot conv-lstm -o m.dot");
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(picture.code, 1);
  EXPECT_PRED2(says, picture.err,
               "Graphviz' program \"dot\" draws .svg files, and it is not "
               "installed. Install it (Debian, Ubuntu: apt install graphviz)");
  EXPECT_FALSE(program.has("m.svg"));
  EXPECT_EQ(dot.code, 0) << dot.err;
  EXPECT_TRUE(program.has("m.dot"));
}

TEST(Plot, says_what_dot_said_when_it_fails) {
  const Program program;
  program.write("dot", "#!/bin/sh\necho 'Error: no such format' >&2\nexit 1\n");
  std::filesystem::permissions(program.path("dot"), std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  setenv("PATH", (program.folder().path().string() + ":" + path).c_str(), 1);
  const Result result = program.run("plot conv-lstm -o m.svg");
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(result.code, 1);
  EXPECT_PRED2(says, result.err, "Graphviz' program \"dot\" failed: Error: no such format");
  EXPECT_FALSE(program.has("m.svg"));
}

TEST(Plot, names_every_direction_that_it_draws_in) {
  const Program program;
  EXPECT_PRED2(says, program.run("plot --help").out, "--rankdir TB|LR|BT|RL");
  for (const std::string direction : {"TB", "LR", "BT", "RL"})
    EXPECT_EQ(program.run("plot conv-lstm -o m.dot --rankdir " + direction).code, 0) << direction;
}

TEST(Plot, refuses_other_formats_and_folders_that_are_not_there) {
  const Program program;
  const Result format = program.run("plot conv-lstm -o m.bmp");
  EXPECT_EQ(format.code, 2);
  EXPECT_PRED2(says, format.err, "--out must end in .svg, .png, .pdf or .dot, got \"m.bmp\".");
  EXPECT_EQ(program.run("plot conv-lstm -o m.dot --rankdir up").code, 2);
  EXPECT_EQ(program.run("plot conv-lstm -o gone/m.dot").code, 5);
}

}  // namespace
}  // namespace sonde::testing
