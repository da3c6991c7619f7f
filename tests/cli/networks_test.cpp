#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sonde/encoder_decoder.hpp>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>
#include <sonde/layers.hpp>
#include <sonde/networks.hpp>

#include "tests/support/near.hpp"
#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

using Json = nlohmann::json;

class NetworksByName : public ::testing::Test {
 protected:
  NetworksByName() { save_task(program_); }

  Array load(const std::string& name) { return load_npy(program_.path(name)); }
  Result run(const std::string& line) {
    const Result result = program_.run(line);
    EXPECT_EQ(result.code, 0) << line << "\n" << result.err;
    return result;
  }
  void train(const std::string& model, const std::string& y, const std::string& options = "") {
    run("train --x X.npy --y " + y + " --model " + model +
        " --epochs 2 --filters 3 --kernel-size 2 --units 4 --quiet --out run " + options);
  }

  Program program_;
};

TEST_F(NetworksByName, train_are_judged_and_predict) {
  const Array y = load("y.npy");  // (12, 40, 1)
  save_npy(program_.path("wide.npy"), y.reshaped({12, 40}));
  Array last({12, 1});
  for (Index n = 0; n < 12; ++n) last(n, 0) = y(n, 39, 0);
  save_npy(program_.path("last.npy"), last);
  for (const NetworkName& network : networks()) {
    const std::string name(network.name);
    const std::string labels = network.labels_steps            ? "y.npy"
                               : name == "conv-pool-lstm-last" ? "last.npy"
                                                               : "wide.npy";
    train(name, labels, "--force");
    const Json scores =
        Json::parse(run("evaluate run/model.keras --x X.npy --y " + labels + " --json").out);
    EXPECT_EQ(scores["count"], load(labels).size()) << name;
    EXPECT_TRUE(std::isfinite(scores["loss"].get<double>())) << name;
    run("predict run/model.keras X.npy -o labels.npy");
    EXPECT_EQ(load("labels.npy").shape(), load(labels).shape()) << name;
    run("summary " + name + " --input 40,3");
  }
}

TEST_F(NetworksByName, encoder_decoder_writes_its_labels_step_by_step) {
  train("encoder-decoder", "y.npy");
  run("predict run/model.keras X.npy -o labels.npy");
  Model model = load_model(program_.path("run/model.keras")).model;
  const Array written = EncoderDecoder(model).decode(load("X.npy"));
  const Array predicted = load("labels.npy");
  EXPECT_TRUE(same_bits(predicted.values(), written.values()));

  // Its loss is that of the next label after the true ones, its scores those of what it writes.
  const Json judged = Json::parse(run("evaluate run/model.keras --x X.npy --y y.npy --json").out);
  EXPECT_NEAR(judged["loss"].get<double>(),
              EncoderDecoder(model).evaluate(load("X.npy"), load("y.npy")).at("loss"), 1e-6);
  const Array y = load("y.npy");
  Index right = 0;
  for (Index i = 0; i < y.size(); ++i) right += (written.data()[i] > 0.5f) == (y.data()[i] == 1);
  EXPECT_NEAR(judged["accuracy"].get<double>(),
              static_cast<double>(right) / static_cast<double>(y.size()), 1e-9);
}

TEST_F(NetworksByName, encoder_decoder_takes_labels_at_a_rate_of_their_own) {
  Array few({12, 10, 1});
  for (Index i = 0; i < few.size(); ++i) few.data()[i] = static_cast<float>(i % 3);
  save_npy(program_.path("few.npy"), few);
  train("encoder-decoder", "few.npy");
  run("predict run/model.keras X.npy -o labels.npy");
  EXPECT_EQ(load("labels.npy").shape(), (Shape{12, 10, 3}));
  // And goes on learning from its file.
  run("train --x X.npy --y few.npy --model run/model.keras --epochs 1 --quiet --out more");
}

TEST_F(NetworksByName, a_second_input_that_is_no_label_is_refused_by_name) {
  const Tensor a = Input({40, 3}), b = Input({40, 3});
  save_model(Model({a, b}, {Dense{.units = 1, .activation = Activation::sigmoid}(Add{}({a, b}))}),
             program_.path("two.keras"));
  const Result result = program_.run("predict two.keras X.npy");
  EXPECT_EQ(result.code, 2);
  EXPECT_PRED2(says, result.err, "its last input reads 3 numbers of the label before. Expected 2");
}

}  // namespace
}  // namespace sonde::testing
