#include "tests/formats/keras_file.hpp"

namespace sonde {
namespace {

// What a file says and training does not need, or needs in the loss alone.

class KeptFile : public KerasFile {
 protected:
  /// What the file says about the compiler of the model that it holds.
  Value jit_compile() {
    KerasArchive archive(path_);
    return at(archive.config, {"compile_config", "jit_compile"});
  }
  void save_with(Value jit_compile) {
    KerasArchive archive(path_);
    at(archive.config, {"compile_config", "jit_compile"}) = std::move(jit_compile);
    archive.write(path_);
  }
  void save_compiled(CompileOptions options = {}) {
    Model model = small_model();
    options.loss = BinaryCrossentropy{};
    model.compile(std::move(options));
    model.save(path_);
  }
};

TEST_F(KeptFile, leaves_it_to_keras_whether_a_model_is_compiled_to_a_program) {
  save_compiled();
  EXPECT_EQ(jit_compile(), Value("auto"));
  save_compiled({.jit_compile = true});
  EXPECT_EQ(jit_compile(), Value(true));
}

TEST_F(KeptFile, keeps_what_a_file_says_about_compiling_to_a_program) {
  save_compiled();
  for (const Value& said : {Value(true), Value(false), Value("auto")}) {
    save_with(said);
    Model::load(path_).save(path_);
    EXPECT_EQ(jit_compile(), said);
  }
  // As compile(jit_compile=None) has it, and as files of older versions do.
  save_with(Value());
  EXPECT_EQ(Model::load(path_).compiled()->jit_compile, std::nullopt);
}

TEST_F(KeptFile, refuses_another_word_about_compiling_to_a_program) {
  save_compiled();
  save_with("always");
  EXPECT_PRED2(says, refused_with<FormatError>([&] { Model::load(path_); }),
               "compile_config: jit_compile must be \"auto\", true or false, got \"always\"");
}

TEST_F(KerasFile, keeps_sequences_of_numbers_of_any_length) {
  const Tensor x = Input({dynamic}, {.name = "words"});
  Tensor h = Embedding{.input_dim = 9, .output_dim = 3, .mask_zero = true}(x);
  EXPECT_EQ(h.shape(), (Shape{dynamic, 3}));
  h = LSTM{.units = 2}(h);
  Model model(x, Dense{.units = 1}(h));
  model.save(path_);
  KerasArchive archive(path_);
  EXPECT_EQ(at(archive.config, {"config", "layers", "0", "config", "batch_shape"}),
            Value(Value::List{Value(), Value()}));
  Model read = Model::load(path_);
  const Array five({2, 5}, std::vector<float>{1, 8, 3, 0, 0, 2, 7, 1, 4, 0}),
      three({1, 3}, std::vector<float>{1, 8, 3});
  EXPECT_TRUE(same_bits(read.predict(five), model.predict(five)));
  // What is masked at the end counts nothing, so that lengths agree.
  EXPECT_EQ(read.predict(three).data()[0], read.predict(five).data()[0]);
  read.compile({.loss = MeanSquaredError{}});
  EXPECT_EQ(read.fit(five, Array({2, 1}), {.epochs = 2, .verbose = false}).epoch.size(), 2u);
}

TEST_F(KerasFile, reads_the_length_that_keras_2_knew_of_an_embedding) {
  const Tensor x = Input({4}, {.name = "words"});
  Model model(x, Embedding{.input_dim = 9, .output_dim = 3}(x));
  model.save(path_);
  KerasArchive archive(path_);
  at(archive.config, {"config", "layers", "1", "config", "input_length"}) = 4;
  archive.write(path_);
  EXPECT_EQ(weights_of(Model::load(path_)), weights_of(model));
}

TEST_F(KerasFile, names_the_calls_of_a_model_at_the_end_as_keras_does) {
  const Tensor in = Input({3}, {.name = "in"});
  Model inner(in, Dense{.units = 3, .name = "wide"}(in), {.seed = 2, .name = "inner"});
  const Tensor x = Input({3}, {.name = "x"});
  Model model(x, inner(inner(x)), {.name = "outer"});
  model.save(path_);
  // It begins with a call of its own, which Keras counts at the ends of a model and nowhere else.
  KerasArchive archive(path_);
  EXPECT_EQ(at(archive.config, {"config", "output_layers"}),
            Value(Value::List{"inner", to_value(Index{2}), to_value(Index{0})}));
  const Array data = ramp({4, 3});
  EXPECT_TRUE(same_bits(Model::load(path_).predict(data), model.predict(data)));
}

TEST_F(KerasFile, keeps_penalties_on_activities) {
  const Tensor x = Input({8, 2}, {.name = "x"});
  Tensor h =
      Conv1D{.filters = 3, .kernel_size = 2, .activity_regularizer = L1{0.25}, .name = "conv"}(x);
  h = ActivityRegularization{.l1 = 0.5, .l2 = 0.125, .name = "penalty"}(h);
  h = Bidirectional{.layer = LSTM{.units = 2, .activity_regularizer = L2{0.5}}, .name = "both"}(h);
  Model model(x, Dense{.units = 1, .name = "label"}(h));
  model.compile({.loss = MeanSquaredError{}});
  model.save(path_);
  const Array data = ramp({3, 8, 2}), target({3, 1});
  const double loss = model.evaluate(data, target).at("loss");
  EXPECT_EQ(Model::load(path_).evaluate(data, target).at("loss"), loss);

  KerasArchive archive(path_);
  const auto config = [&](const char* layer) -> Value& {
    return at(archive.config, {"config", "layers", layer, "config"});
  };
  EXPECT_EQ(at(config("1"), {"activity_regularizer", "class_name"}), Value("L1"));
  EXPECT_EQ(at(config("1"), {"activity_regularizer", "config", "l1"}), Value(0.25));
  EXPECT_EQ(at(config("2"), {"l2"}), Value(0.125));
  EXPECT_EQ(config("2").find("activity_regularizer"), nullptr);
  // Without the penalty of the convolution less is left.
  at(config("1"), {"activity_regularizer"}) = Value();
  archive.write(path_);
  EXPECT_LT(Model::load(path_).evaluate(data, target).at("loss"), loss);
}

TEST_F(KerasFile, refuses_penalties_on_activities_where_keras_has_none) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "2", "class_name"}) = "SimpleRNN";
                 at(config, {"config", "layers", "2", "config"}) = Value::Dict{
                     {"name", "memory"},
                     {"units", 2},
                     {"return_sequences", true},
                     {"activity_regularizer",
                      Value::Dict{{"class_name", "L2"}, {"config", Value::Dict{{"l2", 0.5}}}}}};
               }),
               "SimpleRNN \"memory\": activity_regularizer must be null");
}

}  // namespace
}  // namespace sonde
