#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <functional>
#include <sonde/keras.hpp>
#include <sonde/layers.hpp>

#include "base/file.hpp"
#include "formats/hdf5.hpp"
#include "formats/json.hpp"
#include "formats/keras/layer_config.hpp"
#include "formats/keras/weights_file.hpp"
#include "formats/zip.hpp"
#include "tests/support/files.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using formats::Hdf5Reader;
using formats::Hdf5Writer;
using formats::parse_json;
using formats::print_json;
using formats::ZipReader;
using testing::refused_with;
using testing::says;

Model small_model(std::uint64_t seed = 1) {
  const Tensor x = Input({5, 2}, {.name = "x"});
  Tensor h = Conv1D{.filters = 3, .kernel_size = 2, .name = "conv"}(x);
  h = LSTM{.units = 2, .return_sequences = true, .name = "memory"}(h);
  return Model(x, Dense{.units = 1, .activation = Activation::sigmoid, .name = "label"}(h),
               {.seed = seed, .name = "small"});
}

Array ramp(const Shape& shape) {
  Array array(shape);
  for (Index i = 0; i < array.size(); ++i)
    array.data()[i] = static_cast<float>((i * 37) % 29) / 14.5f - 1.0f;
  return array;
}

::testing::AssertionResult same_bits(const Array& got, const Array& expected) {
  return testing::same_bits(got.values(), expected.values());
}

std::vector<float> weights_of(const Model& model) {
  std::vector<float> all;
  for (const Array& array : model.get_weights())
    all.insert(all.end(), array.values().begin(), array.values().end());
  return all;
}

/// The members of a model file, to be changed and written again.
struct Archive {
  Value metadata;
  Value config;
  std::vector<std::byte> weights;

  explicit Archive(const std::filesystem::path& path) {
    const auto bytes = read_file(path);
    const ZipReader zip(bytes);
    metadata = parse_json(text_of(zip.read("metadata.json")));
    config = parse_json(text_of(zip.read("config.json")));
    weights = zip.read("model.weights.h5");
  }

  void write(const std::filesystem::path& path) const {
    write_members(path, print_json(metadata), print_json(config), weights);
  }
  static void write_members(const std::filesystem::path& path, const std::string& metadata,
                            const std::string& config, Bytes weights,
                            std::vector<formats::ZipMember> more = {}) {
    std::vector<formats::ZipMember> members = {{"metadata.json", bytes_of(metadata)},
                                               {"config.json", bytes_of(config)},
                                               {"model.weights.h5", weights}};
    members.insert(members.end(), more.begin(), more.end());
    write_file_atomically(path, formats::write_zip(members));
  }
};

/// The value at a path of keys and positions, made if the last key is not there.
Value& at(Value& root, std::initializer_list<const char*> path) {
  Value* here = &root;
  for (const char* key : path) {
    if (const auto* list = here->as<Value::List>())
      here = const_cast<Value*>(&(*list)[std::stoul(key)]);
    else {
      if (!here->find(key)) here->set(key, {});
      here = const_cast<Value*>(here->find(key));
    }
  }
  return *here;
}

class KerasFile : public ::testing::Test {
 protected:
  KerasFile() { small_model().save(path_); }

  /// What the reader says to the small model with a change of config.json.
  template <class E = FormatError>
  std::string refusal(const std::function<void(Value&)>& change) {
    Archive archive(path_);
    change(archive.config);
    archive.write(path_);
    return refused_with<E>([&] { load_model(path_); });
  }
  /// The same with a change of one layer's config; layers are x, conv, memory, label.
  std::string layer_refusal(const char* number, const char* key, Value value) {
    return refusal([&](Value& config) {
      at(config, {"config", "layers", number, "config", key}) = std::move(value);
    });
  }
  /// The same with other weights.
  std::string weights_refusal(const std::function<void(Hdf5Writer&)>& fill) {
    Hdf5Writer file;
    fill(file);
    Archive archive(path_);
    archive.weights = file.bytes();
    archive.write(path_);
    return refused_with<FormatError>([&] { load_model(path_); });
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "m.keras";
};

/// The weights of the small model under the paths they have in Keras, without one of them.
void fill_all_but(Hdf5Writer& file, const std::string& left_out) {
  const std::pair<const char*, Shape> all[] = {
      {"layers/conv1d/vars/0", {2, 2, 3}}, {"layers/conv1d/vars/1", {3}},
      {"layers/lstm/cell/vars/0", {3, 8}}, {"layers/lstm/cell/vars/1", {2, 8}},
      {"layers/lstm/cell/vars/2", {8}},    {"layers/dense/vars/0", {2, 1}},
      {"layers/dense/vars/1", {1}}};
  for (const auto& [path, shape] : all) {
    const std::string name(path);
    file.group(name.substr(0, name.rfind('/')));
    if (name != left_out) file.write(name, shape, Array(shape).values());
  }
}

// --- there and back ------------------------------------------------------------------------------

TEST_F(KerasFile, brings_back_the_same_bits) {
  Model model = small_model();
  const LoadedModel loaded = load_model(path_);
  EXPECT_EQ(loaded.model.name(), "small");
  EXPECT_EQ(loaded.model.seed(), 1u);
  EXPECT_EQ(weights_of(loaded.model), weights_of(model));
  Model read = Model::load(path_);
  EXPECT_TRUE(same_bits(read.predict(ramp({3, 5, 2})), model.predict(ramp({3, 5, 2}))));
}

TEST_F(KerasFile, is_the_same_bytes_each_time_and_after_a_round_trip) {
  const auto first = read_file(path_);
  Model::load(path_).save(folder_ / "again.keras");
  EXPECT_EQ(read_file(folder_ / "again.keras"), first);
}

TEST_F(KerasFile, keeps_extra_values) {
  const Value extra =
      Value::Dict{{"classes", Value::List{"none", "spike"}}, {"mean", Value::List{0.1, -2.5}}};
  save_model(small_model(), path_, extra);
  EXPECT_EQ(load_model(path_).extra, extra);
  // Keras counts members: a fourth one would make it unpack the archive.
  const auto bytes = read_file(path_);
  EXPECT_EQ(ZipReader(bytes).names().size(), 3u);
}

TEST_F(KerasFile, continues_training_where_it_was) {
  const Array x = ramp({8, 5, 2});
  Array y({8, 4, 1});
  for (Index i = 0; i < y.size(); i += 3) y.data()[i] = 1;
  const Optimizer optimizers[] = {SGD{.momentum = 0.9},
                                  Adam{.learning_rate = 0.01, .amsgrad = true},
                                  AdamW{.learning_rate = ExponentialDecay{0.1, 3, 0.5}},
                                  Adam{.amsgrad = true, .use_ema = true, .ema_momentum = 0.5},
                                  Adagrad{.clipvalue = 0.5},
                                  RMSprop{.momentum = 0.5, .centered = true, .clipnorm = 1.0}};
  for (const Optimizer& optimizer : optimizers) {
    Model model = small_model();
    model.compile({.optimizer = optimizer,
                   .loss = BinaryCrossentropy{.label_smoothing = 0.1},
                   .metrics = {"accuracy", AUC{.num_thresholds = 50}, BalancedAccuracy{}},
                   .weighted_metrics = {"mse"}});
    model.fit(x, y, {.epochs = 2, .batch_size = 4, .verbose = false, .shuffle = false});
    model.save(path_);
    Model read = Model::load(path_);
    ASSERT_NE(read.compiled(), nullptr);
    EXPECT_EQ(read.compiled()->optimizer, optimizer);
    EXPECT_EQ(read.compiled()->metrics, model.compiled()->metrics);
    EXPECT_EQ(read.compiled()->weighted_metrics, model.compiled()->weighted_metrics);
    EXPECT_EQ(read.iterations(), 4);
    for (Model* each : {&model, &read})
      each->fit(x, y, {.epochs = 2, .batch_size = 4, .verbose = false, .shuffle = false});
    EXPECT_EQ(weights_of(read), weights_of(model));
  }
}

TEST_F(KerasFile, keeps_a_learning_rate_that_was_lowered) {
  Model model = small_model();
  model.compile({.optimizer = Adam{}, .loss = BinaryCrossentropy{}});
  model.set_learning_rate(1e-5);
  model.save(path_);
  EXPECT_FLOAT_EQ(static_cast<float>(Model::load(path_).learning_rate()), 1e-5f);
}

TEST_F(KerasFile, leaves_the_model_uncompiled_when_asked) {
  Model model = small_model();
  model.compile({.optimizer = Adam{}, .loss = BinaryCrossentropy{}});
  model.save(path_);
  EXPECT_EQ(load_model(path_, {.compile = false}).model.compiled(), nullptr);
}

TEST_F(KerasFile, writes_architecture_alone_as_json) {
  write_file_atomically(folder_ / "m.json", model_to_json(small_model()));
  const Model read = Model::load(folder_ / "m.json");
  EXPECT_EQ(read.weights().size(), small_model().weights().size());
  EXPECT_EQ(read.graph().layers()[2]->name, "memory");
}

// Every layer with arguments that are not the defaults.
TEST_F(KerasFile, keeps_every_argument_of_a_layer) {
  const auto keeps = [](const AnyLayer& layer) {
    const Value::Dict config = formats::keras::write_layer_config(layer, "n");
    const AnyLayer read = formats::keras::read_layer(layer.type(), config, 3, "test");
    Value expected(layer.config());
    expected.set("name", "n");
    EXPECT_EQ(Value(read.config()), expected) << layer.type();
  };
  for_each_type(BuiltinLayers{}, [&]<class L>() {
    keeps(detail::make_blank<L>(std::make_index_sequence<detail::count_required(L::fields())>()));
  });
  keeps(Conv1D{.filters = 4,
               .kernel_size = 3,
               .strides = 2,
               .padding = Padding::causal,
               .groups = 2,
               .activation = Activation::gelu,
               .use_bias = false,
               .kernel_initializer = VarianceScaling{.scale = 2.0, .seed = 5},
               .kernel_regularizer = L1L2{.l1 = 0.5, .l2 = 0.25},
               .kernel_constraint = MaxNorm{.max_value = 3.0, .axis = {0, 1}},
               .trainable = false});
  keeps(LSTM{.units = 3,
             .recurrent_activation = Activation::hard_sigmoid,
             .recurrent_initializer = Orthogonal{.gain = 0.5},
             .unit_forget_bias = false,
             .dropout = 0.25,
             .seed = 3,
             .return_state = true,
             .go_backwards = true});
  keeps(Dropout{.rate = 0.25, .noise_shape = Shape{dynamic, 1, dynamic}});
  keeps(MaxPooling1D{.pool_size = 3, .strides = 2, .padding = Padding::same});
  keeps(Reshape{.target_shape = {{-1, 4}}});
  keeps(InputLayer{.shape = {{dynamic, 16}}});
}

TEST_F(KerasFile, keeps_states_shared_layers_and_many_ends) {
  const Tensor a = Input({dynamic, 3}, {.name = "a"}), b = Input({7, 3}, {.name = "b"});
  const LSTM shared{.units = 4, .return_sequences = true, .return_state = true, .name = "shared"};
  const auto first = shared.outputs(a);
  const auto second = shared.outputs(b, {first[1], first[2]});
  const Tensor joined = Concatenate{.axis = 1, .name = "joined"}({second[0], second[0]});
  Model model({a, b}, {Dense{.units = 2, .name = "head"}(joined), first[2]}, {.seed = 3});
  model.save(path_);
  Model read = Model::load(path_);
  const std::vector<Array> x = {ramp({2, 6, 3}), ramp({2, 7, 3})};
  const auto expected = model.predict(x), got = read.predict(x);
  ASSERT_EQ(got.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_TRUE(same_bits(got[i], expected[i]));
}

TEST_F(KerasFile, keeps_models_that_share_layers_apart) {
  const Tensor x = Input({5, 2});
  const Tensor h = Dense{.units = 3, .name = "base"}(x);
  Model whole(x, Dense{.units = 1, .name = "head"}(h), {.seed = 2});
  const Model part(x, h, {.seed = 2});
  part.save(path_);
  const Model read = Model::load(path_);
  ASSERT_EQ(read.get_weights().size(), 2u);
  EXPECT_TRUE(same_bits(read.get_weights()[0], whole.get_weights()[0]));
}

// [l.name for l in model.layers] of keras 3.15.1. A shared layer that is met deep first makes its
// other call count as deep.
TEST_F(KerasFile, numbers_weights_as_keras_does_when_a_layer_is_shared_at_two_depths) {
  using Names = std::vector<std::string>;
  const Tensor a = Input({2}, {.name = "a"}), b = Input({2}, {.name = "b"});
  const Tensor unused = Input({2}, {.name = "u"});
  const Dense s{.units = 2, .name = "s"};
  const Tensor x = s(Dense{.units = 2, .name = "d"}(a));
  const Tensor y = Dense{.units = 2, .name = "q"}(
      Dense{.units = 2, .name = "p"}(s(Dense{.units = 2, .name = "e"}(b))));
  const auto order = [](std::vector<Tensor> inputs, const Tensor& output) {
    const Graph graph(std::move(inputs), {output});
    Names names;
    for (const auto& layer : graph.layers()) names.push_back(layer->name);
    return names;
  };
  EXPECT_EQ(order({a, b}, Add{.name = "sum"}({x, y})),
            (Names{"a", "b", "d", "e", "s", "p", "q", "sum"}));
  EXPECT_EQ(order({a, b}, Add{.name = "sum"}({y, x})),
            (Names{"b", "e", "s", "a", "p", "d", "q", "sum"}));
  EXPECT_EQ(order({a, b, unused}, Add{.name = "sum"}({y, x})),
            (Names{"b", "e", "s", "a", "p", "d", "q", "u", "sum"}));
}

// --- what Keras may write ------------------------------------------------------------------------

TEST_F(KerasFile, ignores_what_keras_says_about_training_and_ways_to_compute) {
  Archive archive(path_);
  Value& layer = at(archive.config, {"config", "layers", "2"});
  at(layer, {"inbound_nodes", "0", "kwargs", "training"}) = false;
  at(layer, {"inbound_nodes", "0", "kwargs", "mask"}) = Value();
  at(layer, {"config", "implementation"}) = 2;
  at(layer, {"config", "use_cudnn"}) = "auto";
  at(layer, {"config", "time_major"}) = false;
  at(layer, {"config", "zero_output_for_mask"}) = false;
  at(layer, {"config", "activity_regularizer"}) = Value();
  at(layer, {"config", "dtype"}) = Value::Dict{{"module", "keras"},
                                               {"class_name", "DTypePolicy"},
                                               {"config", Value::Dict{{"name", "float32"}}},
                                               {"registered_name", Value()}};
  at(layer, {"config", "kernel_initializer", "config", "seed"}) =
      Value::Dict{{"module", "keras.random"},
                  {"class_name", "SeedGenerator"},
                  {"config", Value::Dict{{"name", "seed"}, {"seed", 7}}}};
  at(layer, {"build_config"}) = Value::Dict{{"input_shape", Value::List{Value(), 4, 3}}};
  at(layer, {"shared_object_id"}) = 1;
  archive.write(path_);
  EXPECT_EQ(weights_of(Model::load(path_)), weights_of(small_model()));
}

TEST_F(KerasFile, reads_the_ends_of_a_model_as_a_triple_or_a_list_of_triples) {
  Archive archive(path_);
  Value& ends = at(archive.config, {"config", "output_layers"});
  ends = Value::List{ends};
  archive.write(path_);
  EXPECT_EQ(weights_of(Model::load(path_)), weights_of(small_model()));
}

TEST_F(KerasFile, reads_sequential_models_and_the_first_shape_of_old_ones) {
  Archive archive(path_);
  Value::List layers = *at(archive.config, {"config", "layers"}).as<Value::List>();
  for (Value& layer : layers) {
    Value::Dict bare;
    for (const auto& each : *layer.as<Value::Dict>())
      if (each.first != "inbound_nodes" && each.first != "name") bare.push_back(each);
    layer = bare;
  }
  const auto write = [&](Value::List kept) {
    archive.config = Value::Dict{
        {"module", "keras"},
        {"class_name", "Sequential"},
        {"config", Value::Dict{{"name", "small"}, {"trainable", true}, {"layers", kept}}},
        {"registered_name", "Sequential"}};
    archive.write(path_);
  };
  write(layers);
  EXPECT_EQ(weights_of(Model::load(path_)), weights_of(small_model()));
  layers.erase(layers.begin());
  write(layers);
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }), "was never built");
  at(layers[0], {"config", "batch_input_shape"}) = Value::List{Value(), 5, 2};
  write(layers);
  EXPECT_EQ(weights_of(Model::load(path_)), weights_of(small_model()));
}

TEST_F(KerasFile, reads_calls_as_keras_2_wrote_them) {
  Archive archive(path_);
  const char* inputs[] = {nullptr, "x", "conv", "memory"};
  for (int l = 1; l < 4; ++l)
    at(archive.config, {"config", "layers", std::to_string(l).c_str(), "inbound_nodes"}) =
        Value::List{Value::List{Value::List{inputs[l], 0, 0, Value::Dict{}}}};
  archive.metadata.set("keras_version", "2.15.0");
  archive.write(path_);
  EXPECT_EQ(weights_of(Model::load(path_)), weights_of(small_model()));
}

TEST_F(KerasFile, refuses_the_hard_sigmoid_of_keras_2) {
  Archive archive(path_);
  at(archive.config, {"config", "layers", "2", "config", "recurrent_activation"}) = "hard_sigmoid";
  archive.write(path_);
  EXPECT_NO_THROW(load_model(path_));
  archive.metadata.set("keras_version", "2.15.0");
  archive.write(path_);
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }), "0.2 x + 0.5");
}

TEST_F(KerasFile, reads_activations_that_are_functions_or_have_older_names) {
  Archive archive(path_);
  at(archive.config, {"config", "layers", "1", "config", "activation"}) =
      Value::Dict{{"module", "builtins"},
                  {"class_name", "function"},
                  {"config", "relu"},
                  {"registered_name", "relu"}};
  at(archive.config, {"config", "layers", "3", "config", "activation"}) = "swish";
  archive.write(path_);
  const Model model = Model::load(path_);
  EXPECT_EQ(model.graph().layers()[1]->layer.as<Conv1D>()->activation, Activation::relu);
  EXPECT_EQ(model.graph().layers()[3]->layer.as<Dense>()->activation, Activation::silu);
}

TEST_F(KerasFile, freezes_all_layers_of_a_model_that_is_not_trainable) {
  Archive archive(path_);
  at(archive.config, {"config", "trainable"}) = false;
  archive.write(path_);
  const Model model = Model::load(path_);
  for (const WeightEntry& entry : model.weights().entries()) EXPECT_FALSE(entry.trainable);
}

// --- hostile configurations ----------------------------------------------------------------------

TEST_F(KerasFile, refuses_classes_that_run_code_or_read_files) {
  for (const char* name : {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer",
                           "StringLookup", "TextVectorization", "__lambda__", "__typespec__"}) {
    const std::string message = refusal([&](Value& config) {
      at(config, {"config", "layers", "1", "class_name"}) = name;
    });
    EXPECT_PRED2(says, message, "m.keras\": config.json: layer \"conv\": \"" + std::string(name));
    EXPECT_PRED2(says, message, "refused");
  }
}

TEST_F(KerasFile, refuses_functions_hidden_in_arguments) {
  EXPECT_PRED2(says,
               layer_refusal("1", "activation",
                             Value::Dict{{"module", "builtins"},
                                         {"class_name", "function"},
                                         {"config", "system"},
                                         {"registered_name", "os.system"}}),
               "names a Python function");
  EXPECT_PRED2(says,
               layer_refusal("1", "activation",
                             Value::Dict{{"class_name", "__lambda__"}, {"config", Value::Dict{}}}),
               "runs Python code");
}

TEST_F(KerasFile, refuses_classes_from_other_modules_and_custom_classes) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "1", "module"}) = "os";
               }),
               "comes from module \"os\"");
}

TEST_F(KerasFile, refuses_a_custom_class_with_a_known_name) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "1", "registered_name"}) = "mine>Conv1D";
               }),
               "a class of somebody's own");
}

TEST_F(KerasFile, refuses_a_look_alike_module) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "1", "module"}) = "keras_evil.layers";
               }),
               "comes from module");
}

TEST_F(KerasFile, refuses_unknown_classes_by_name) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "1", "class_name"}) = "Conv7D";
               }),
               "Conv7D \"conv\": \"Conv7D\" is not known");
}

TEST_F(KerasFile, refuses_arguments_that_would_change_the_result) {
  EXPECT_PRED2(says, layer_refusal("1", "data_format", "channels_first"),
               "Conv1D \"conv\": data_format must be channels_last, got \"channels_first\"");
}
TEST_F(KerasFile, refuses_other_number_types) {
  EXPECT_PRED2(says, layer_refusal("1", "dtype", "float16"), "dtype must be float32");
}
TEST_F(KerasFile, refuses_mixed_precision) {
  EXPECT_PRED2(says,
               layer_refusal("1", "dtype",
                             Value::Dict{{"module", "keras"},
                                         {"class_name", "DTypePolicy"},
                                         {"config", Value::Dict{{"name", "mixed_float16"}}}}),
               "dtype must be float32");
}
TEST_F(KerasFile, refuses_arguments_it_does_not_know) {
  EXPECT_PRED2(says, layer_refusal("1", "kernel_sizes", 3), "Did you mean \"kernel_size\"?");
}
TEST_F(KerasFile, refuses_sizes_that_do_not_plan) {
  EXPECT_PRED2(says, layer_refusal("1", "kernel_size", Value::List{9}),
               "m.keras\": config.json: Conv1D \"conv\": ");
}
TEST_F(KerasFile, refuses_sizes_of_the_wrong_kind) {
  EXPECT_PRED2(says, layer_refusal("1", "filters", 3.5), "must be a whole number");
}

TEST_F(KerasFile, refuses_sizes_that_overflow) {
  EXPECT_PRED2(says, refusal<LimitError>([](Value& config) {
                 at(config, {"config", "layers", "1", "config", "filters"}) = std::int64_t{1} << 60;
               }),
               "more than any computer holds");
}

TEST_F(KerasFile, refuses_weights_that_are_only_claimed_before_taking_memory) {
  // 2^36 filters of 4 numbers would be 1 TiB.
  EXPECT_PRED2(says, refusal<LimitError>([](Value& config) {
                 at(config, {"config", "layers", "1", "config", "filters"}) = std::int64_t{1} << 36;
               }),
               "take more than the limit");
}

TEST_F(KerasFile, refuses_weights_that_are_only_claimed_by_bare_json_too) {
  Value config = parse_json(model_to_json(small_model()));
  at(config, {"config", "layers", "1", "config", "filters"}) = std::int64_t{1} << 36;
  write_file_atomically(folder_ / "m.json", print_json(config));
  EXPECT_THROW(load_model(folder_ / "m.json"), LimitError);
}

TEST_F(KerasFile, refuses_masks) {
  const std::string message = refusal([](Value& config) {
    at(config, {"config", "layers", "2", "inbound_nodes", "0", "kwargs", "mask"}) =
        at(config, {"config", "layers", "2", "inbound_nodes", "0", "args", "0"});
  });
  EXPECT_PRED2(says, message, "LSTM \"memory\": is called with a mask");
}

TEST_F(KerasFile, refuses_constants_in_place_of_tensors) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "2", "inbound_nodes", "0", "args", "0"}) = 3;
               }),
               "Constants are not supported");
}

TEST_F(KerasFile, refuses_bare_operations) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "1", "module"}) = "keras.src.ops.numpy";
               }),
               "bare operation");
}

TEST_F(KerasFile, refuses_calls_that_lead_nowhere_or_in_circles) {
  const auto with_source = [&](const char* layer, Value history) {
    small_model().save(path_);
    return refusal([&](Value& config) {
      at(config, {"config", "layers", layer, "inbound_nodes", "0", "args", "0", "config",
                  "keras_history"}) = std::move(history);
    });
  };
  EXPECT_PRED2(says, with_source("1", Value::List{"nobody", 0, 0}),
               "\"nobody\", which is not there");
  EXPECT_PRED2(says, with_source("1", Value::List{"x", 7, 0}), "refers to call 7");
  EXPECT_PRED2(says, with_source("1", Value::List{"x", 0, 3}), "refers to output 3");
  EXPECT_PRED2(says, with_source("1", Value::List{"x", -1, 0}), "expected a number from 0");
  EXPECT_PRED2(says, with_source("1", Value::List{"x", 0}), "expected [layer, call, output]");
  EXPECT_PRED2(says, with_source("1", Value::List{"label", 0, 0}), "depends on its own output");
  EXPECT_PRED2(says, with_source("1", Value::List{"conv", 0, 0}), "depends on its own output");
}

TEST_F(KerasFile, refuses_layers_that_lead_to_no_output) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "output_layers"}) = Value::List{"memory", 0, 0};
               }),
               "of them lead to an output");
}

TEST_F(KerasFile, refuses_two_layers_of_one_name) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "3", "name"}) = "conv";
                 at(config, {"config", "layers", "3", "config", "name"}) = "conv";
               }),
               "two layers have this name");
}

TEST_F(KerasFile, refuses_names_that_could_upset_a_terminal) {
  const std::string message = refusal([](Value& config) {
    at(config, {"config", "layers", "3", "name"}) = "\x1b[2J";
  });
  EXPECT_PRED2(says, message, "control characters");
  EXPECT_EQ(message.find('\x1b'), message.npos);
}

TEST_F(KerasFile, refuses_nested_models_and_foreign_model_classes) {
  EXPECT_PRED2(says, refusal([](Value& config) { config.set("class_name", "MyModel"); }),
               "of class \"MyModel\", expected Functional or Sequential");
}

TEST_F(KerasFile, refuses_a_compile_config_it_does_not_understand_and_says_how_to_go_on) {
  const std::string message = refusal([](Value& config) {
    at(config, {"compile_config", "optimizer"}) = "lion";
    at(config, {"compile_config", "loss"}) = "mse";
  });
  EXPECT_PRED2(says, message, "config.json: compile_config: optimizer: \"lion\" is not known");
  EXPECT_PRED2(says, message, "compile = false");
  EXPECT_NO_THROW(load_model(path_, {.compile = false}));
}

TEST_F(KerasFile, refuses_optimizer_arguments_that_do_not_exist_here) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"compile_config", "optimizer"}) =
                     Value::Dict{{"class_name", "Adam"},
                                 {"config", Value::Dict{{"gradient_accumulation_steps", 2}}}};
                 at(config, {"compile_config", "loss"}) = "mse";
               }),
               "gradient_accumulation_steps");
}

// --- damaged and hostile archives ----------------------------------------------------------------

TEST_F(KerasFile, gives_a_typed_error_for_every_truncation) {
  const auto bytes = read_file(path_);
  for (std::size_t size = 0; size < bytes.size(); size += 97) {
    write_file_atomically(path_, Bytes(bytes).first(size));
    EXPECT_THROW(load_model(path_), FormatError) << size;
  }
}

TEST_F(KerasFile, notices_every_flipped_byte_of_a_member) {
  const auto bytes = read_file(path_);
  for (std::size_t i = 0; i < bytes.size(); i += 211) {
    auto flipped = bytes;
    flipped[i] ^= std::byte{0x40};
    write_file_atomically(path_, Bytes(flipped));
    try {
      // Bytes that the archive does not protect, such as dates, change nothing.
      EXPECT_EQ(weights_of(Model::load(path_)), weights_of(small_model())) << i;
    } catch (const Error&) {
    }
  }
}

TEST_F(KerasFile, refuses_members_that_are_twice_there_or_do_not_belong) {
  const Archive archive(path_);
  const std::string metadata = print_json(archive.metadata), config = print_json(archive.config);
  Archive::write_members(path_, metadata, config, archive.weights,
                         {{"assets/vocabulary.txt", bytes_of("a")}});
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }),
               "holds \"assets/vocabulary.txt\"");
  // The writer refuses to write a name twice, so one of another length is renamed in the bytes.
  Archive::write_members(path_, metadata, config, archive.weights,
                         {{"CONFIG.json", bytes_of("{}")}});
  auto bytes = read_file(path_);
  std::string text(text_of(bytes));
  for (std::size_t i = text.find("CONFIG"); i != text.npos; i = text.find("CONFIG"))
    text.replace(i, 6, "config");
  write_file_atomically(path_, text);
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }), "same name");
}

TEST_F(KerasFile, refuses_archives_without_a_model) {
  const formats::ZipMember other[] = {{"a.npy", bytes_of("x")}};
  write_file_atomically(path_, formats::write_zip(other));
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }), "a.npy");
  const formats::ZipMember config[] = {{"config.json", bytes_of("{}")}};
  write_file_atomically(path_, formats::write_zip(config));
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }),
               "no member \"model.weights.h5\"");
}

TEST_F(KerasFile, says_what_to_do_with_older_files) {
  write_file_atomically(path_, small_model().name() + " is no zip");
  EXPECT_THROW(load_model(path_), FormatError);
  write_file_atomically(path_, std::string_view("\x89HDF\r\n\x1a\n more"));
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }), "older Keras (.h5)");
}

TEST_F(KerasFile, refuses_json_that_is_nested_too_deep) {
  const Archive archive(path_);
  Archive::write_members(path_, "{}", std::string(100, '[') + std::string(100, ']'),
                         archive.weights);
  EXPECT_PRED2(says, refused_with<LimitError>([&] { load_model(path_); }),
               "m.keras\": config.json: tables and lists lie deeper");
}

TEST_F(KerasFile, reads_a_file_without_metadata) {
  const Archive archive(path_);
  const std::string config = print_json(archive.config);
  const formats::ZipMember members[] = {{"config.json", bytes_of(config)},
                                        {"model.weights.h5", archive.weights}};
  write_file_atomically(path_, formats::write_zip(members));
  EXPECT_EQ(weights_of(Model::load(path_)), weights_of(small_model()));
}

TEST_F(KerasFile, is_refused_when_it_is_larger_than_the_limits) {
  EXPECT_THROW(load_model(path_, {.limits = {.file = 1000}}), LimitError);
  EXPECT_THROW(load_model(path_, {.limits = {.weights = 100}}), LimitError);
  EXPECT_THROW(load_model(path_, {.limits = {.json = 100}}), LimitError);
  EXPECT_THROW(load_model(path_, {.limits = {.layers = 3}}), LimitError);
  EXPECT_THROW(load_model(folder_ / "none.keras"), IoError);
}

TEST_F(KerasFile, is_read_even_when_thousands_of_calls_follow_one_another) {
  const Tensor x = Input({2});
  const Activation same{.activation = Activation::linear, .name = "same"};
  Tensor h = x;
  for (int i = 0; i < 5000; ++i) h = same(h);
  Model(x, h).save(path_);
  EXPECT_EQ(Model::load(path_).graph().calls().size(), 5001u);
}

// --- damaged and hostile weights -----------------------------------------------------------------

TEST_F(KerasFile, refuses_a_missing_variable) {
  EXPECT_PRED2(says, weights_refusal([](Hdf5Writer& file) {
                 fill_all_but(file, "layers/lstm/cell/vars/2");
               }),
               "m.keras\": model.weights.h5: LSTM \"memory\": variable 2 of "
               "\"layers/lstm/cell/vars\" is missing: expected 3, found 2.");
}

TEST_F(KerasFile, refuses_a_variable_too_many) {
  EXPECT_PRED2(says, weights_refusal([](Hdf5Writer& file) {
                 fill_all_but(file, "");
                 file.write("layers/dense/vars/2", Shape{1}, Array({1}).values());
               }),
               "\"layers/dense/vars/2\" is one variable too many");
}

TEST_F(KerasFile, refuses_weights_of_a_layer_that_is_not_there) {
  EXPECT_PRED2(says, weights_refusal([](Hdf5Writer& file) {
                 fill_all_but(file, "");
                 file.group("layers/dense_1/vars");
               }),
               "\"layers/dense_1\" belongs to no layer");
}

TEST_F(KerasFile, refuses_a_weight_of_another_shape) {
  EXPECT_PRED2(
      says, weights_refusal([](Hdf5Writer& file) {
        fill_all_but(file, "layers/dense/vars/0");
        file.write("layers/dense/vars/0", Shape{1, 2}, Array({1, 2}).values());
      }),
      "Dense \"label\": kernel (\"layers/dense/vars/0\") has shape (1, 2), expected (2, 1)");
}

TEST_F(KerasFile, refuses_weights_that_are_no_numbers) {
  EXPECT_PRED2(says, weights_refusal([](Hdf5Writer& file) {
                 fill_all_but(file, "layers/dense/vars/1");
                 const float bad = NAN;
                 file.write("layers/dense/vars/1", Shape{1}, {&bad, 1});
               }),
               "\"layers/dense/vars/1\" holds NaN or infinity");
}

TEST_F(KerasFile, refuses_an_empty_or_foreign_weights_member) {
  Archive archive(path_);
  archive.weights.clear();
  archive.write(path_);
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }),
               "m.keras\": model.weights.h5: expected an HDF5 file");
}

TEST_F(KerasFile, refuses_an_optimizer_state_of_another_size) {
  Model model = small_model();
  model.compile({.optimizer = Adam{}, .loss = BinaryCrossentropy{}});
  model.set_iterations(3);
  model.save(path_);
  EXPECT_PRED2(says, weights_refusal([](Hdf5Writer& file) {
                 fill_all_but(file, "");
                 file.group("optimizer/vars");
                 file.write("optimizer/vars/0", std::int64_t{3});
                 const float rate = 0.001f;
                 file.write("optimizer/vars/1", Shape{}, {&rate, 1});
               }),
               "variable 10 of \"optimizer/vars\" is missing");
}

TEST_F(KerasFile, reads_old_weights_that_lie_in_layer_checkpoint_dependencies) {
  Hdf5Writer file;
  Hdf5Writer now;
  fill_all_but(now, "");
  const auto bytes = now.bytes();
  const Hdf5Reader reader(bytes);
  for (const char* folder : {"conv1d/vars", "lstm/cell/vars", "dense/vars"}) {
    const std::string old = std::string("_layer_checkpoint_dependencies/") + folder;
    file.group(old);
    for (const std::string& name : reader.names(std::string("layers/") + folder)) {
      const std::string path = std::string("layers/") + folder + "/" + name;
      const Shape shape = reader.shape(path);
      file.write(old + "/" + name, shape, reader.read(path, shape).values());
    }
  }
  Archive archive(path_);
  archive.weights = file.bytes();
  archive.write(path_);
  for (const float weight : weights_of(Model::load(path_))) EXPECT_EQ(weight, 0.0f);
}

// --- saving --------------------------------------------------------------------------------------

TEST_F(KerasFile, is_not_replaced_by_a_model_that_diverged) {
  const auto before = read_file(path_);
  Model model = small_model();
  model.weights().data()[0] = NAN;
  EXPECT_PRED2(says, refused_with<DivergedError>([&] { model.save(path_); }),
               "\"conv/kernel\" holds NaN");
  EXPECT_EQ(read_file(path_), before);
}

TEST_F(KerasFile, needs_a_name_that_ends_in_keras) {
  EXPECT_THROW(small_model().save(folder_ / "m.h5"), ArgumentError);
  EXPECT_THROW(small_model().save(folder_ / "missing" / "m.keras"), IoError);
}

TEST_F(KerasFile, names_weights_by_class_and_order_not_by_layer) {
  const Tensor x = Input({5, 2});
  const Tensor h = Conv1D{.filters = 1, .kernel_size = 1, .name = "z"}(x);
  const Tensor g =
      MaxPooling1D{.name = "p"}(Conv1D{.filters = 1, .kernel_size = 1, .name = "a"}(h));
  EXPECT_EQ(formats::keras::weight_paths(Graph({x}, {g})),
            (std::vector<std::string>{"layers/input_layer", "layers/conv1d", "layers/conv1d_1",
                                      "layers/max_pooling1d"}));
}

}  // namespace
}  // namespace sonde
