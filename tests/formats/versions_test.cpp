#include <sonde/formats.hpp>
#include "tests/formats/keras_file.hpp"

// Files that real Keras of many versions wrote: tests/formats/files/README.md.
namespace sonde {
namespace {

std::filesystem::path file(const std::string& name) {
  return std::filesystem::path(SONDE_SOURCE_DIR) / "tests/formats/files" / name;
}

/// What Keras predicted when it saved the model, and after one more step of training.
struct Expected {
  std::vector<float> saved;
  std::vector<float> trained;

  explicit Expected(const std::string& version) {
    const Array table = load_csv(file(version + ".csv"));
    for (Index i = 0; i < table.shape()[0]; ++i) {
      saved.push_back(table(i, 0));
      trained.push_back(table(i, 1));
    }
  }
};

::testing::AssertionResult near(const Array& got, const std::vector<float>& expected, float most) {
  float worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    worst = std::max(worst, std::abs(got.data()[i] - expected[i]));
  if (static_cast<std::size_t>(got.size()) == expected.size() && worst <= most)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "differs by " << worst;
}

constexpr float most = 1e-5f, most_after_training = 1e-4f;

/// One more step as the script that made the files takes it.
void train_one_step(Model& model) {
  Array y = ramp({4, 6, 1});
  for (Index i = 0; i < y.size(); ++i) y.data()[i] = y.data()[i] > 0 ? 1.0f : 0.0f;
  model.fit(ramp({4, 6, 2}).slice(0, 2), y.slice(0, 2),
            {.epochs = 1, .batch_size = 2, .verbose = false, .shuffle = false});
}

class KerasVersion : public ::testing::TestWithParam<const char*> {
 protected:
  Expected expected_{GetParam()};
  std::string name(const char* ending) const { return GetParam() + std::string(ending); }

  void predicts_and_trains_on(const std::string& name) {
    Model model = Model::load(file(name));
    EXPECT_TRUE(near(model.predict(ramp({2, 6, 2})), expected_.saved, most));
    ASSERT_NE(model.compiled(), nullptr);
    EXPECT_EQ(model.iterations(), 2);
    train_one_step(model);
    EXPECT_TRUE(near(model.predict(ramp({2, 6, 2})), expected_.trained, most_after_training));
  }
};

class KerasDotKeras : public KerasVersion {};
TEST_P(KerasDotKeras, loads_predicts_the_same_and_trains_on) {
  predicts_and_trains_on(name(".keras"));
}
INSTANTIATE_TEST_SUITE_P(Keras3, KerasDotKeras,
                         ::testing::Values("keras_3.0.5", "keras_3.3.3", "keras_3.6.0",
                                           "keras_3.9.2", "keras_3.12.0", "keras_3.15.1"));

class KerasWholeModelH5 : public KerasVersion {};
TEST_P(KerasWholeModelH5, loads_predicts_the_same_and_trains_on) {
  predicts_and_trains_on(name(".h5"));
}
INSTANTIATE_TEST_SUITE_P(All, KerasWholeModelH5,
                         ::testing::Values("keras_3.3.3", "keras_3.15.1", "tf_keras_2.4.0",
                                           "tf_keras_2.12.0", "tf_keras_2.15.0"));

// Its LSTM has the hard_sigmoid that Keras 3 does not have any more.
class Keras224 : public KerasVersion {};
TEST_P(Keras224, loads_and_predicts_the_same) {
  Model model = Model::load(file(name(".h5")));
  EXPECT_TRUE(near(model.predict(ramp({2, 6, 2})), expected_.saved, most));
  EXPECT_NE(model.compiled(), nullptr);
  // And it is a model of Keras 3 from now on.
  const testing::TemporaryFolder folder;
  model.save(folder / "m.keras");
  EXPECT_TRUE(
      near(Model::load(folder / "m.keras").predict(ramp({2, 6, 2})), expected_.saved, most));
}
INSTANTIATE_TEST_SUITE_P(Old, Keras224, ::testing::Values("keras_2.2.4"));

class KerasWeights : public KerasVersion {};
TEST_P(KerasWeights, fit_the_architecture_in_json) {
  const std::string version = GetParam();
  const bool is_old = version.find("_2.") != version.npos;
  const auto json = read_file(file(version + ".json"));
  Model model = model_from_json(text_of(json));
  model.load_weights(file(version + (is_old ? "_weights.h5" : ".weights.h5")));
  EXPECT_TRUE(near(model.predict(ramp({2, 6, 2})), expected_.saved, most));
}
INSTANTIATE_TEST_SUITE_P(All, KerasWeights,
                         ::testing::Values("keras_3.0.5", "keras_3.15.1", "keras_2.2.4",
                                           "tf_keras_2.15.0"));

TEST(KerasFiles, of_whole_models_serve_as_weights_too) {
  const auto json = read_file(file("keras_3.15.1.json"));
  const Expected expected("keras_3.15.1");
  for (const char* whole : {"keras_3.15.1.keras", "keras_3.15.1.h5"}) {
    Model model = model_from_json(text_of(json));
    model.load_weights(file(whole));
    EXPECT_TRUE(near(model.predict(ramp({2, 6, 2})), expected.saved, most)) << whole;
  }
}

TEST(KerasFiles, of_weights_alone_are_no_models) {
  for (const char* name : {"keras_3.15.1.weights.h5", "tf_keras_2.15.0_weights.h5"})
    EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(file(name)); }),
                 "holds weights but no model");
}

// Slices, arithmetic of tensors and numbers, a model for each step, a frozen model.
TEST(KerasOperations, load_predict_the_same_train_on_and_come_back) {
  const Expected expected("operations");
  for (const char* name : {"operations.keras", "operations.h5"}) {
    Model model = Model::load(file(name));
    EXPECT_TRUE(near(model.predict(ramp({2, 6, 2})), expected.saved, most)) << name;
    const testing::TemporaryFolder folder;
    model.save(folder / "m.keras");
    Array y = ramp({4, 1});
    for (Index i = 0; i < 4; ++i) y.data()[i] = y.data()[i] > 0 ? 1.0f : 0.0f;
    model.fit(ramp({4, 6, 2}).slice(0, 2), y.slice(0, 2),
              {.epochs = 1, .batch_size = 2, .verbose = false, .shuffle = false});
    EXPECT_TRUE(near(model.predict(ramp({2, 6, 2})), expected.trained, most_after_training));
    Model again = Model::load(folder / "m.keras");
    EXPECT_TRUE(near(again.predict(ramp({2, 6, 2})), expected.saved, most)) << name;
    again.fit(ramp({4, 6, 2}).slice(0, 2), y.slice(0, 2),
              {.epochs = 1, .batch_size = 2, .verbose = false, .shuffle = false});
    EXPECT_TRUE(near(again.predict(ramp({2, 6, 2})), expected.trained, most_after_training));
  }
}

// A layer that holds others and was frozen by its argument alone: what it holds is trained on in
// Keras, so that the optimizer has a state for it, and the .h5 file keeps the order of its parts.
TEST(KerasFrozen, loads_and_predicts_the_same) {
  for (const std::string name : {"frozen_steps", "frozen_attention"})
    for (const char* ending : {".keras", ".h5"}) {
      SCOPED_TRACE(name + ending);
      Model model = Model::load(file(name + ending));
      const Array expected = load_csv(file(name + ".csv"));
      EXPECT_TRUE(near(model.predict(ramp({2, 6, 2})),
                       {expected.values().begin(), expected.values().end()}, most));
      EXPECT_EQ(model.iterations(), 2);
    }
}

TEST(KerasFrozen, attention_stays_as_it_is_and_the_rest_is_trained_on) {
  for (const char* ending : {".keras", ".h5"}) {
    Model model = Model::load(file(std::string("frozen_attention") + ending));
    const std::vector<Array> before = model.get_weights();
    model.fit(ramp({4, 6, 2}), ramp({4, 6, 1}), {.verbose = false});
    const std::vector<Array> after = model.get_weights();
    ASSERT_EQ(after.size(), 12u);  // mix: 2, look: 8, label: 2
    for (std::size_t i = 0; i < after.size(); ++i)
      EXPECT_EQ(testing::same_bits(after[i].values(), before[i].values()), i >= 2 && i < 10) << i;
  }
}

// --- weights alone -------------------------------------------------------------------------------

TEST_F(KerasFile, keeps_weights_alone) {
  const auto path = folder_ / "m.weights.h5";
  const Model model = small_model(1);
  model.save_weights(path);
  Model other = small_model(2);
  ASSERT_NE(weights_of(other), weights_of(model));
  other.load_weights(path);
  EXPECT_EQ(weights_of(other), weights_of(model));
}

TEST_F(KerasFile, leaves_the_weights_alone_when_those_of_a_file_do_not_fit) {
  const Tensor x = Input({5, 2}, {.name = "x"});
  Model(x, LSTM{.units = 3}(x)).save_weights(folder_ / "m.weights.h5");
  Model model = small_model();
  EXPECT_PRED2(says,
               refused_with<FormatError>([&] { model.load_weights(folder_ / "m.weights.h5"); }),
               "m.weights.h5\": Conv1D \"conv\": variable 0 of \"layers/conv1d/vars\" is missing");
  EXPECT_PRED2(says, refused_with<FormatError>([&] { model.load_weights(file("keras_2.2.4.h5")); }),
               "LSTM \"memory\" has 3 weights, but \"norm\" in the file has 4");
  EXPECT_EQ(weights_of(model), weights_of(small_model()));
  EXPECT_THROW(model.save_weights(folder_ / "m.h5"), ArgumentError);
}

}  // namespace
}  // namespace sonde
