#include "tests/formats/keras_file.hpp"

namespace sonde {
namespace {

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

TEST_F(KerasFile, reads_arrays_among_the_arguments) {
  // As Keras 3.15 writes Rescaling(np.array([1., 2.])).
  const Value::Dict numpy{
      {"class_name", "__numpy__"},
      {"config", Value::Dict{{"value", Value::List{1.0, 2.0}}, {"dtype", "float64"}}}};
  const AnyLayer read = formats::keras::read_layer("Rescaling", {{"scale", numpy}}, 3, "test");
  EXPECT_EQ(*read.as<Rescaling>()->scale, (OneOrMany<double>{1, 2}));
}

TEST_F(KerasFile, keeps_the_whole_number_of_a_normalization) {
  const Tensor x = Input({4, 2});
  Model model(x, Normalization{}(x));
  model.save(path_);
  const auto bytes = read_file(path_);
  const auto weights = ZipReader(bytes).read("model.weights.h5");
  EXPECT_EQ(Hdf5Reader(weights).read_integer("layers/normalization/vars/2"), 0);
  EXPECT_EQ(weights_of(Model::load(path_)), (std::vector<float>{0, 0, 1, 1, 0}));
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
    if constexpr (Leaf<L>)
      keeps(detail::make_blank<L>(std::make_index_sequence<detail::count_required(L::fields())>()));
  });
  const LSTM inner{.units = 3, .return_sequences = true, .name = "inner"};
  keeps(TimeDistributed{.layer = inner});
  keeps(Bidirectional{.layer = inner,
                      .merge_mode = MergeMode::sum,
                      .backward_layer = LSTM{.units = 3, .go_backwards = true, .name = "other"}});
  keeps(Bidirectional{.layer = inner, .merge_mode = std::nullopt});
  keeps(RNN{.cell = GRUCell{.units = 3, .name = "cell"}, .return_sequences = true});
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

TEST_F(KerasFile, keeps_arguments_that_keras_says_in_each_call) {
  const Tensor x = Input({5, 4}, {.name = "x"});
  const MultiHeadAttention shared{.num_heads = 2, .key_dim = 3, .use_causal_mask = true};
  const Tensor y = shared(x, x);
  Model(x, Add{}({shared(y, x), y})).save(path_);
  KerasArchive archive(path_);
  const Value layer = at(archive.config, {"config", "layers", "1"});
  EXPECT_EQ(layer.find("config")->find("use_causal_mask"), nullptr);
  for (const Value& call : *layer.find("inbound_nodes")->as<Value::List>())
    EXPECT_EQ(*call.find("kwargs"), (Value::Dict{{"use_causal_mask", true}}));
  const Model again = Model::load(path_);
  EXPECT_TRUE(again.graph().layers()[1]->layer.as<MultiHeadAttention>()->use_causal_mask);
  // Here a layer has one op, whatever call it is.
  EXPECT_PRED2(
      says, refusal([](Value& config) {
        at(config, {"config", "layers", "1", "inbound_nodes", "1", "kwargs"}) = Value::Dict{};
      }),
      "its calls differ");
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
  KerasArchive archive(path_);
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
  KerasArchive archive(path_);
  Value& ends = at(archive.config, {"config", "output_layers"});
  ends = Value::List{ends};
  archive.write(path_);
  EXPECT_EQ(weights_of(Model::load(path_)), weights_of(small_model()));
}

TEST_F(KerasFile, reads_sequential_models_and_the_first_shape_of_old_ones) {
  KerasArchive archive(path_);
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

/// [only]: compilers read Value::List{Value::List{…}} as a copy, or as a list in a list.
Value list_of(Value only) {
  Value::List list;
  list.push_back(std::move(only));
  return list;
}

TEST_F(KerasFile, reads_calls_as_keras_2_wrote_them) {
  KerasArchive archive(path_);
  const char* inputs[] = {nullptr, "x", "conv", "memory"};
  for (int l = 1; l < 4; ++l)
    at(archive.config, {"config", "layers", std::to_string(l).c_str(), "inbound_nodes"}) =
        list_of(list_of(Value::List{inputs[l], 0, 0, Value::Dict{}}));
  archive.metadata.set("keras_version", "2.15.0");
  archive.write(path_);
  EXPECT_EQ(weights_of(Model::load(path_)), weights_of(small_model()));
}

// hard_sigmoid was clip(0.2 x + 0.5, 0, 1) before Keras 3: the gates' weights make up for it.
TEST_F(KerasFile, keeps_what_the_hard_sigmoid_of_keras_2_computed) {
  KerasArchive archive(path_);
  at(archive.config, {"config", "layers", "2", "config", "recurrent_activation"}) = "hard_sigmoid";
  archive.write(path_);
  const Model now = Model::load(path_);
  archive.metadata.set("keras_version", "2.15.0");
  archive.write(path_);
  const Model old = Model::load(path_);
  for (std::size_t w = 0; w < now.get_weights().size(); ++w) {
    const Array before = now.get_weights()[w], after = old.get_weights()[w];
    const bool is_memory = w >= 2 && w < 5;
    for (Index i = 0; i < before.size(); ++i) {
      const Index gate = i % 8 / 2;  // i, f, c, o of two units
      const float scale = is_memory && gate != 2 ? 1.2f : 1.0f;
      EXPECT_FLOAT_EQ(after.data()[i], scale * before.data()[i]) << w << ", " << i;
    }
  }
}

TEST_F(KerasFile, refuses_a_hard_sigmoid_of_keras_2_that_no_weights_can_make_up_for) {
  KerasArchive archive(path_);
  at(archive.config, {"config", "layers", "2", "config", "activation"}) = "hard_sigmoid";
  archive.metadata.set("keras_version", "2.15.0");
  archive.write(path_);
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }), "0.2 x + 0.5");
}

TEST(KerasJson, gives_an_old_hard_sigmoid_layer_a_rescaling_before_it) {
  const Tensor x = Input({3}, {.name = "x"});
  Value config = parse_json(
      model_to_json(Model(x, Activation{.activation = Activation::hard_sigmoid, .name = "a"}(x))));
  config.set("keras_version", "2.3.1");
  Model model = model_from_json(print_json(config));
  const float given[] = {-2.6f, 0.5f, 1.0f}, expected[] = {0, 0.6f, 0.7f};
  Array input({1, 3});
  std::copy_n(given, 3, input.data());
  const Array got = model.predict(input);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(got.data()[i], expected[i], 1e-6f);
}

TEST_F(KerasFile, reads_activations_that_are_functions_or_have_older_names) {
  KerasArchive archive(path_);
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
  KerasArchive archive(path_);
  at(archive.config, {"config", "trainable"}) = false;
  archive.write(path_);
  const Model model = Model::load(path_);
  for (const WeightEntry& entry : model.weights().entries()) EXPECT_FALSE(entry.trainable);
}

std::vector<bool> trainable_after_a_file(const Tensor& x, const Tensor& y,
                                         const std::filesystem::path& path) {
  Model(x, y).save(path);
  std::vector<bool> trainable;
  const Model again = Model::load(path);
  for (const WeightEntry& entry : again.weights().entries()) trainable.push_back(entry.trainable);
  return trainable;
}

TEST_F(KerasFile, keeps_frozen_what_a_frozen_layer_holds) {
  // Keras 3.15.1 asks the layers inside: keras.layers.Bidirectional(LSTM(2), trainable=False)
  // trains.
  const Tensor x = Input({5, 2}, {.name = "x"});
  const Tensor y = Bidirectional{.layer = LSTM{.units = 2}, .trainable = false}(x);
  EXPECT_EQ(trainable_after_a_file(x, y, path_), std::vector<bool>(6, false));
  const Tensor z = TimeDistributed{.layer = Dense{.units = 2}, .trainable = false}(x);
  EXPECT_EQ(trainable_after_a_file(x, z, path_), std::vector<bool>(2, false));
  const Tensor w = MultiHeadAttention{.num_heads = 1, .key_dim = 2, .trainable = false}(x, x);
  EXPECT_EQ(trainable_after_a_file(x, w, path_), std::vector<bool>(8, false));
}

TEST_F(KerasFile, asks_no_layer_that_holds_others_whether_it_is_trainable) {
  const Tensor x = Input({5, 2}, {.name = "x"});
  Model(x, Bidirectional{.layer = LSTM{.units = 2}}(x)).save(path_);
  KerasArchive archive(path_);
  at(archive.config, {"config", "layers", "1", "config", "trainable"}) = false;
  archive.write(path_);
  const Model again = Model::load(path_);
  for (const WeightEntry& entry : again.weights().entries()) EXPECT_TRUE(entry.trainable);
  at(archive.config, {"config", "layers", "1", "config", "trainable"}) = "no";
  archive.write(path_);
  EXPECT_PRED2(says, refused_with<FormatError>([&] { Model::load(path_); }),
               "trainable must be true or false, got \"no\"");
}

TEST_F(KerasFile, refuses_to_write_a_mask_taken_off_before_a_layer_that_would_use_it) {
  const Tensor x = Input({5, 2}, {.name = "x"});
  const Tensor masked = Masking{}(x);
  EXPECT_PRED2(says, refused_with<ArgumentError>([&] {
                 Model(x, LSTM{.units = 2, .name = "lstm"}(masked.without_mask())).save(path_);
               }),
               "LSTM \"lstm\": reads x.without_mask()");
  // Keras drops it there by itself.
  Model(x, Conv1D{.filters = 1, .kernel_size = 2}(masked.without_mask())).save(path_);
}

TEST_F(KerasFile, repeats_axes_for_layers_and_not_for_bare_operations) {
  const Tensor x = Input({5, 2}, {.name = "x"}), v = Input({2}, {.name = "v"});
  Model({x, v}, {Add{.name = "sum"}({x, v})}).save(path_);
  EXPECT_EQ(Model::load(path_).graph().output_tensors()[0].shape(), (Shape{5, 2}));
  KerasArchive archive(path_);
  // keras.ops.add(x, v): of (batch, 5, 2) and (batch, 2).
  at(archive.config, {"config", "layers", "2", "module"}) = "keras.src.ops.numpy";
  at(archive.config, {"config", "layers", "2", "config"}) = Value::Dict{{"name", "sum"}};
  Value& args = at(archive.config, {"config", "layers", "2", "inbound_nodes", "0", "args"});
  const Value tensors = args.as<Value::List>()->front();
  args = tensors;
  archive.write(path_);
  EXPECT_PRED2(says, refused_with<FormatError>([&] { Model::load(path_); }),
               "is a bare operation on (5, 2) and (2,)");
}

TEST_F(KerasFile, refuses_a_mask_that_no_layer_makes) {
  const Tensor x = Input({5, 2}, {.name = "x"});
  Model(x, LSTM{.units = 2, .name = "lstm"}(x)).save(path_);
  KerasArchive archive(path_);
  // keras.ops.any(keras.ops.not_equal(x, -1.0), axis=-1), given to LSTM as mask.
  Value::List& layers =
      *const_cast<Value::List*>(at(archive.config, {"config", "layers"}).as<Value::List>());
  layers.insert(layers.begin() + 1, Value::Dict{{"module", "keras.src.ops.numpy"},
                                                {"class_name", "Any"},
                                                {"config", Value::Dict{{"name", "any"}}},
                                                {"registered_name", "Any"},
                                                {"name", "any"},
                                                {"inbound_nodes", Value::List{}}});
  at(archive.config, {"config", "layers", "2", "inbound_nodes", "0", "kwargs"}) = Value::Dict{
      {"mask", Value::Dict{{"class_name", "__keras_tensor__"},
                           {"config", Value::Dict{{"keras_history", Value::List{"any", 0, 0}}}}}}};
  archive.write(path_);
  EXPECT_PRED2(says, refused_with<FormatError>([&] { Model::load(path_); }),
               "is called with a mask that is not of Masking or Embedding");
}

// --- hostile configurations ----------------------------------------------------------------------

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
  KerasArchive archive(path_);
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
  std::vector<std::string> paths;
  for (const auto& site : formats::keras::weight_sites(Graph({x}, {g})))
    paths.push_back(site.groups[0].path);
  EXPECT_EQ(paths, (std::vector<std::string>{"layers/input_layer/vars", "layers/conv1d/vars",
                                             "layers/conv1d_1/vars", "layers/max_pooling1d/vars"}));
}

}  // namespace
}  // namespace sonde
