#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>
#include <sonde/networks.hpp>

#include "tests/support/near.hpp"
#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

class ConvertVerb : public ::testing::Test {
 protected:
  ConvertVerb() {
    save_task(program_);
    Model model = make_network("conv-lstm", {40, 3}, {.filters = 4, .kernel_size = 3, .units = 4});
    model.compile({.loss = BinaryCrossentropy{}});
    model.fit(x(), load_npy(program_.path("y.npy")), {.epochs = 2, .verbose = false});
    save_model(model, program_.path("m.keras"));
  }
  Array x() { return load_npy(program_.path("X.npy")); }
  Array predicted(const std::string& name) {
    return load_model(program_.path(name)).model.predict(x());
  }
  void run(const std::string& line) {
    const Result result = program_.run(line);
    EXPECT_EQ(result.code, 0) << line << "\n" << result.err;
  }

  Program program_;
};

TEST_F(ConvertVerb, takes_a_model_apart_and_together_again) {
  run("convert m.keras m.json");
  run("convert m.keras m.weights.h5");
  run("convert m.json --weights m.weights.h5 again.keras");
  EXPECT_TRUE(same_bits<float>(predicted("again.keras").values(), predicted("m.keras").values()));
}

TEST_F(ConvertVerb, keeps_the_optimizer_unless_told_otherwise) {
  run("convert m.keras whole.keras");
  const Model whole = load_model(program_.path("whole.keras")).model;
  EXPECT_EQ(whole.iterations(), 2);
  EXPECT_EQ(program_.read("whole.keras"), program_.read("m.keras"));
  run("convert m.keras bare.keras --no-compile");
  EXPECT_EQ(load_model(program_.path("bare.keras")).model.compiled(), nullptr);
}

TEST_F(ConvertVerb, makes_keras_files_of_old_ones) {
  const std::string files = SONDE_SOURCE_DIR "/tests/formats/files/";
  for (const auto& entry : std::filesystem::directory_iterator(files)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".h5" || name.ends_with(".weights.h5") ||
        name.find("weights") != std::string::npos)
      continue;
    SCOPED_TRACE(name);
    run("convert " + entry.path().string() + " new.keras");
    Model old = load_model(entry.path()).model, now = load_model(program_.path("new.keras")).model;
    const auto a = old.get_weights(), b = now.get_weights();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t w = 0; w < a.size(); ++w)
      EXPECT_TRUE(same_bits<float>(a[w].values(), b[w].values()));
  }
}

TEST_F(ConvertVerb, keeps_the_scale_or_says_that_it_cannot) {
  run("train --x X.npy --y y.npy --normalize zscore --epochs 1 --filters 4 --units 4 --out run");
  run("convert run/model.keras scaled.keras");
  EXPECT_EQ(program_.run("predict scaled.keras X.npy").out,
            program_.run("predict run/model.keras X.npy").out);
  EXPECT_PRED2(
      says, program_.run("convert run/model.keras scaled.weights.h5").err,
      "scaled.weights.h5 has no room for what goes with this network: the scale of its signals");
}

TEST_F(ConvertVerb, says_what_it_wrote_as_json) {
  const auto json = nlohmann::json::parse(program_.run("convert m.keras to.keras --json").out);
  EXPECT_EQ(json["to"], "to.keras");
  EXPECT_EQ(json["optimizer_steps"], 2);
  EXPECT_EQ(json["compiled"], true);
}

TEST_F(ConvertVerb, refuses_what_it_cannot_write) {
  run("convert m.keras m.json");
  const Result drawn = program_.run("convert m.json m2.keras");
  EXPECT_EQ(drawn.code, 2);
  EXPECT_PRED2(says, drawn.err, "m.json holds no weights");
  EXPECT_EQ(program_.run("convert m.keras m.h5").code, 2);
  EXPECT_PRED2(says, program_.run("convert m.keras m.onnx").err, "the name must end in .keras");
  EXPECT_EQ(program_.run("convert m.keras").code, 2);
  EXPECT_EQ(program_.run("convert none.keras to.keras").code, 5);
  EXPECT_EQ(program_.run("convert X.npy to.keras").code, 4);
  EXPECT_EQ(program_.run("convert m.keras no/such/folder.keras").code, 5);
  EXPECT_FALSE(program_.has("m2.keras"));
}

}  // namespace
}  // namespace sonde::testing
