#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sonde/encoder_decoder.hpp>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>
#include <sonde/layers.hpp>

#include "base/file.hpp"
#include "formats/json.hpp"
#include "formats/keras/compile_config.hpp"
#include "formats/npy.hpp"
#include "formats/zip.hpp"
#include "tests/support/files.hpp"
#include "tests/support/near.hpp"

// Every case that real Keras made: loaded, predicted, trained. README.md beside this file says what
// the files hold.
namespace sonde {
namespace {

namespace fs = std::filesystem;
using formats::parse_json;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  if (!fs::exists(folder)) return names;
  for (const auto& file : fs::directory_iterator(folder))
    if (file.path().extension() == ".keras") names.push_back(file.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// The arrays of an .npz by name. Names may hold a "/" here, as NumPy allows.
NamedArrays read_arrays(const fs::path& path) {
  const auto bytes = read_file(path);
  const formats::ZipReader zip(bytes, path.string());
  NamedArrays arrays;
  for (const std::string& member : zip.names())
    arrays[member.substr(0, member.rfind(".npy"))] =
        formats::read_npy(zip.read(member), path.string() + ": " + member);
  return arrays;
}

class Golden : public ::testing::TestWithParam<std::string> {
 protected:
  Golden()
      : arrays_(read_arrays(path(".npz"))),
        about_(parse_json(text_of(read_file(path(".json"))), path(".json").string())) {}

  static fs::path path(const std::string& ending) {
    return fs::path(SONDE_GOLDEN_DIR) / (GetParam() + ending);
  }

  /// The arrays stem0, stem1, … or stem/0, stem/1, …
  std::vector<Array> numbered(const std::string& stem) const {
    std::vector<Array> found;
    for (;;) {
      const auto array = arrays_.find(stem + std::to_string(found.size()));
      if (array == arrays_.end()) return found;
      found.push_back(array->second);
    }
  }

  bool trains() const { return *about_.find("train") == Value(true); }

  CompileOptions options_with(Value optimizer) const {
    std::string class_name = *about_.find("loss")->as<std::string>();
    const Value loss =
        Value::Dict{{"class_name", class_name}, {"config", *about_.find("loss_config")}};
    const auto outputs = static_cast<std::size_t>(*about_.find("outputs")->as<std::int64_t>());
    return formats::keras::read_compile_config(
        Value::Dict{{"optimizer", std::move(optimizer)}, {"loss", with_long_name(loss)}},
        std::vector<std::string>(outputs), "case");
  }

  /// Trains from `before` with the whole data as one batch, and compares weights and losses.
  void check_training(const std::string& key, CompileOptions options, Index epochs,
                      double tolerance) {
    Model model = load_model(path(".keras")).model;
    const std::vector<Array> before = numbered("before/");
    model.set_weights(before);
    model.compile(std::move(options));
    const std::vector<Array> x = numbered("x"), y = numbered("y");
    const auto weight = arrays_.find("w0");
    const History history =
        model.fit(x, y,
                  {.epochs = epochs,
                   .batch_size = x.front().shape()[0],
                   .verbose = false,
                   .shuffle = false,
                   .sample_weight = weight == arrays_.end() ? nullptr : &weight->second,
                   .threads = 1});
    EXPECT_TRUE(
        testing::near(history.history.at("loss"), arrays_.at("loss_" + key).values(), tolerance))
        << "loss";
    const std::vector<Array> after = model.get_weights(), expected = numbered(key + "/");
    ASSERT_EQ(after.size(), expected.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
      ASSERT_EQ(after[i].shape(), expected[i].shape());
      EXPECT_LE(worst(after[i], expected[i], before[i]), tolerance) << "weight " << i;
    }
  }

  NamedArrays arrays_;
  Value about_;

 private:
  /// Short names stand for functions; in an object there is a class.
  static Value with_long_name(Value loss) {
    const Value& name = *loss.find("class_name");
    if (name == Value("mse")) loss.set("class_name", "MeanSquaredError");
    if (name == Value("mae")) loss.set("class_name", "MeanAbsoluteError");
    return loss;
  }

  /// The greatest difference, in units of what the weight is and of how far training moved it.
  static double worst(const Array& got, const Array& expected, const Array& before) {
    double difference = 0, size = 1e-30;
    for (Index i = 0; i < got.size(); ++i) {
      const double e = expected.data()[i];
      difference = std::max(difference, std::abs(e - static_cast<double>(got.data()[i])));
      size = std::max({size, std::abs(e), std::abs(e - static_cast<double>(before.data()[i]))});
    }
    return difference / size;
  }
};

TEST_P(Golden, predicts_what_keras_predicts) {
  Model model = load_model(path(".keras")).model;
  const std::vector<Array> weights = model.get_weights(), before = numbered("before/");
  ASSERT_EQ(weights.size(), before.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    ASSERT_EQ(weights[i].shape(), before[i].shape());
    EXPECT_TRUE(testing::same_bits(weights[i].values(), before[i].values())) << "weight " << i;
  }
  const std::vector<Array> predicted = model.predict(numbered("x")), expected = numbered("predict");
  ASSERT_EQ(predicted.size(), expected.size());
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    ASSERT_EQ(predicted[i].shape(), expected[i].shape());
    EXPECT_TRUE(testing::near(predicted[i].values(), expected[i].values(), 1e-5)) << "output " << i;
  }
}

TEST_P(Golden, trains_as_keras_trains) {
  if (!trains()) GTEST_SKIP() << "only its prediction is comparable";
  const auto optimizer = [](const char* name, float rate) {
    return Value::Dict{{"class_name", name}, {"config", Value::Dict{{"learning_rate", rate}}}};
  };
  // One step of SGD(1.0) shows the gradient itself.
  check_training("sgd", options_with(optimizer("SGD", 1.0f)), 1, 1e-5);
  check_training("adam", options_with(optimizer("Adam", 1e-3f)), 10, 1e-4);
}

TEST_P(Golden, optimizes_as_keras_optimizes) {
  const Value* optimizer = about_.find("optimizer");
  if (!optimizer) GTEST_SKIP() << "has no optimizer of its own";
  if (GetParam() == "optimizer_gradient_accumulation") {
    Model model = load_model(path(".keras")).model;
    EXPECT_THROW(model.compile(options_with(*optimizer)), ArgumentError);
    GTEST_SKIP() << "gradients are not accumulated here";
  }
  check_training("opt", options_with(*optimizer), 5, 1e-4);
}

TEST_P(Golden, writes_step_by_step_what_keras_writes) {
  const auto expected = arrays_.find("decode");
  if (expected == arrays_.end()) GTEST_SKIP() << "is no encoder-decoder";
  Model model = load_model(path(".keras")).model;
  const Array written =
      EncoderDecoder(model).decode(numbered("x")[0], {.steps = expected->second.shape()[1]});
  ASSERT_EQ(written.shape(), expected->second.shape());
  EXPECT_TRUE(testing::near(written.values(), expected->second.values(), 1e-5));
}

INSTANTIATE_TEST_SUITE_P(Keras, Golden, ::testing::ValuesIn(names_in(SONDE_GOLDEN_DIR)),
                         [](const auto& info) { return info.param; });

// --- training that Keras began -------------------------------------------------------------------

const fs::path resumed = fs::path(SONDE_GOLDEN_DIR).parent_path() / "resumed";

class Resumed : public ::testing::TestWithParam<std::string> {};

TEST_P(Resumed, goes_on_where_keras_stopped) {
  const NamedArrays arrays = read_arrays(resumed / (GetParam() + ".npz"));
  Model model = Model::load(resumed / (GetParam() + ".keras"));
  EXPECT_EQ(model.iterations(), 3);
  const History history =
      model.fit(arrays.at("x"), arrays.at("y"),
                {.epochs = 3, .batch_size = 6, .verbose = false, .shuffle = false, .threads = 1});
  EXPECT_TRUE(testing::near(history.history.at("loss"), arrays.at("loss").values(), 1e-5));
  const std::vector<Array> after = model.get_weights();
  for (std::size_t i = 0; i < after.size(); ++i)
    EXPECT_TRUE(
        testing::near(after[i].values(), arrays.at("after/" + std::to_string(i)).values(), 1e-4))
        << "weight " << i;
}

INSTANTIATE_TEST_SUITE_P(Keras, Resumed, ::testing::ValuesIn(names_in(resumed)),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace sonde
