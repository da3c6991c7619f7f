#include "tests/formats/keras_file.hpp"

namespace sonde {
namespace {

/// What a file from outside may try.
class HostileKerasFile : public KerasFile {};

TEST_F(HostileKerasFile, refuses_classes_that_run_code_or_read_files) {
  for (const char* name :
       {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "StringLookup",
        "IntegerLookup", "TextVectorization", "__lambda__", "__typespec__"}) {
    const std::string message = refusal([&](Value& config) {
      at(config, {"config", "layers", "1", "class_name"}) = name;
    });
    EXPECT_PRED2(says, message, "m.keras\": config.json: layer \"conv\": \"" + std::string(name));
    EXPECT_PRED2(says, message, "refused");
  }
}

TEST_F(HostileKerasFile, refuses_functions_hidden_in_arguments) {
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

// CVE-2025-8747 and CVE-2025-9906: functions of Keras' own that fetch files or lift its guards.
TEST_F(HostileKerasFile, refuses_functions_of_keras_itself) {
  const std::pair<const char*, const char*> gadgets[] = {
      {"keras.config", "enable_unsafe_deserialization"}, {"keras.utils", "get_file"}};
  for (const auto& gadget : gadgets) {
    const Value function = Value::Dict{{"module", gadget.first},
                                       {"class_name", "function"},
                                       {"config", gadget.second},
                                       {"registered_name", gadget.second}};
    EXPECT_PRED2(says, layer_refusal("1", "activation", function), "names a Python function");
    small_model().save(path_);
    EXPECT_PRED2(says, refusal([&](Value& config) {
                   at(config, {"compile_config", "optimizer"}) = "adam";
                   at(config, {"compile_config", "loss"}) = function;
                 }),
                 "names a Python function");
    small_model().save(path_);
  }
}

// CVE-2026-12479: names of layers became paths. Here they are names and nothing else.
TEST_F(HostileKerasFile, never_takes_the_name_of_a_layer_for_a_path) {
  const Tensor x = Input({5, 2}, {.name = "x"});
  Model(x, Dense{.units = 1, .name = "..-..-evil"}(x)).save(path_);
  KerasArchive archive(path_);
  std::string config = print_json(archive.config);
  for (std::size_t i = config.find("..-..-evil"); i != config.npos; i = config.find("..-..-evil"))
    config.replace(i, 10, "../../evil");
  archive.config = parse_json(config);
  archive.write(path_);
  EXPECT_EQ(Model::load(path_).graph().layers()[1]->name, "../../evil");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "../../evil"));
}

TEST_F(HostileKerasFile, refuses_bytes_before_and_after_the_archive) {
  const auto bytes = read_file(path_);
  const std::string whole(text_of(bytes));
  for (const std::string& changed : {whole + "x", "x" + whole, whole + whole}) {
    write_file_atomically(path_, changed);
    EXPECT_THROW(load_model(path_), FormatError);
  }
}

TEST_F(HostileKerasFile, refuses_classes_from_other_modules_and_custom_classes) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "1", "module"}) = "os";
               }),
               "comes from module \"os\"");
}

TEST_F(HostileKerasFile, refuses_a_custom_class_with_a_known_name) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "1", "registered_name"}) = "mine>Conv1D";
               }),
               "a class of somebody's own");
}

TEST_F(HostileKerasFile, refuses_a_look_alike_module) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "1", "module"}) = "keras_evil.layers";
               }),
               "comes from module");
}

TEST_F(HostileKerasFile, refuses_unknown_classes_by_name) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "1", "class_name"}) = "Conv7D";
               }),
               "Conv7D \"conv\": \"Conv7D\" is not known");
}

TEST_F(HostileKerasFile, refuses_arguments_that_would_change_the_result) {
  EXPECT_PRED2(says, layer_refusal("1", "data_format", "channels_first"),
               "Conv1D \"conv\": data_format must be channels_last, got \"channels_first\"");
}
TEST_F(HostileKerasFile, refuses_other_number_types) {
  EXPECT_PRED2(says, layer_refusal("1", "dtype", "float16"), "dtype must be float32");
}
TEST_F(HostileKerasFile, refuses_mixed_precision) {
  EXPECT_PRED2(says,
               layer_refusal("1", "dtype",
                             Value::Dict{{"module", "keras"},
                                         {"class_name", "DTypePolicy"},
                                         {"config", Value::Dict{{"name", "mixed_float16"}}}}),
               "dtype must be float32");
}
TEST_F(HostileKerasFile, refuses_arguments_it_does_not_know) {
  EXPECT_PRED2(says, layer_refusal("1", "kernel_sizes", 3), "Did you mean \"kernel_size\"?");
}
TEST_F(HostileKerasFile, refuses_sizes_that_do_not_plan) {
  EXPECT_PRED2(says, layer_refusal("1", "kernel_size", Value::List{9}),
               "m.keras\": config.json: Conv1D \"conv\": ");
}
TEST_F(HostileKerasFile, refuses_sizes_of_the_wrong_kind) {
  EXPECT_PRED2(says, layer_refusal("1", "filters", 3.5), "must be a whole number");
}

TEST_F(HostileKerasFile, refuses_sizes_that_overflow) {
  EXPECT_PRED2(says, refusal<LimitError>([](Value& config) {
                 at(config, {"config", "layers", "1", "config", "filters"}) = std::int64_t{1} << 60;
               }),
               "more than any computer holds");
}

TEST_F(HostileKerasFile, refuses_weights_that_are_only_claimed_before_taking_memory) {
  // 2^36 filters of 4 numbers would be 1 TiB.
  EXPECT_PRED2(says, refusal<LimitError>([](Value& config) {
                 at(config, {"config", "layers", "1", "config", "filters"}) = std::int64_t{1} << 36;
               }),
               "take more than the limit");
}

TEST_F(HostileKerasFile, refuses_weights_that_are_only_claimed_by_bare_json_too) {
  Value config = parse_json(model_to_json(small_model()));
  at(config, {"config", "layers", "1", "config", "filters"}) = std::int64_t{1} << 36;
  write_file_atomically(folder_ / "m.json", print_json(config));
  EXPECT_THROW(load_model(folder_ / "m.json"), LimitError);
}

TEST_F(HostileKerasFile, refuses_masks) {
  const std::string message = refusal([](Value& config) {
    at(config, {"config", "layers", "2", "inbound_nodes", "0", "kwargs", "mask"}) =
        at(config, {"config", "layers", "2", "inbound_nodes", "0", "args", "0"});
  });
  EXPECT_PRED2(says, message, "LSTM \"memory\": is called with a mask");
}

TEST_F(HostileKerasFile, refuses_constants_in_place_of_tensors) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "2", "inbound_nodes", "0", "args", "0"}) = 3;
               }),
               "Constants are not supported");
}

TEST_F(HostileKerasFile, refuses_operations_that_it_does_not_know) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "1", "module"}) = "keras.src.ops.numpy";
               }),
               "bare operation");
}

TEST_F(HostileKerasFile, refuses_calls_that_lead_nowhere_or_in_circles) {
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

TEST_F(HostileKerasFile, refuses_layers_that_lead_to_no_output) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "output_layers"}) = Value::List{"memory", 0, 0};
               }),
               "of them lead to an output");
}

TEST_F(HostileKerasFile, refuses_two_layers_of_one_name) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"config", "layers", "3", "name"}) = "conv";
                 at(config, {"config", "layers", "3", "config", "name"}) = "conv";
               }),
               "two layers have this name");
}

TEST_F(HostileKerasFile, refuses_names_that_could_upset_a_terminal) {
  const std::string message = refusal([](Value& config) {
    at(config, {"config", "layers", "3", "name"}) = "\x1b[2J";
  });
  EXPECT_PRED2(says, message, "control characters");
  EXPECT_EQ(message.find('\x1b'), message.npos);
}

TEST_F(HostileKerasFile, refuses_nested_models_and_foreign_model_classes) {
  EXPECT_PRED2(says, refusal([](Value& config) { config.set("class_name", "MyModel"); }),
               "of class \"MyModel\", expected Functional or Sequential");
}

TEST_F(HostileKerasFile, refuses_a_compile_config_it_does_not_understand_and_says_how_to_go_on) {
  const std::string message = refusal([](Value& config) {
    at(config, {"compile_config", "optimizer"}) = "lion";
    at(config, {"compile_config", "loss"}) = "mse";
  });
  EXPECT_PRED2(says, message, "config.json: compile_config: optimizer: \"lion\" is not known");
  EXPECT_PRED2(says, message, "compile = false");
  EXPECT_NO_THROW(load_model(path_, {.compile = false}));
}

TEST_F(HostileKerasFile, refuses_optimizer_arguments_that_do_not_exist_here) {
  EXPECT_PRED2(says, refusal([](Value& config) {
                 at(config, {"compile_config", "optimizer"}) =
                     Value::Dict{{"class_name", "Adam"},
                                 {"config", Value::Dict{{"gradient_accumulation_steps", 2}}}};
                 at(config, {"compile_config", "loss"}) = "mse";
               }),
               "gradient_accumulation_steps");
}

// --- damaged and hostile archives ----------------------------------------------------------------

TEST_F(HostileKerasFile, gives_a_typed_error_for_every_truncation) {
  const auto bytes = read_file(path_);
  for (std::size_t size = 0; size < bytes.size(); size += 97) {
    write_file_atomically(path_, Bytes(bytes).first(size));
    EXPECT_THROW(load_model(path_), FormatError) << size;
  }
}

TEST_F(HostileKerasFile, notices_every_flipped_byte_of_a_member) {
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

TEST_F(HostileKerasFile, refuses_members_that_are_twice_there_or_do_not_belong) {
  const KerasArchive archive(path_);
  const std::string metadata = print_json(archive.metadata), config = print_json(archive.config);
  KerasArchive::write_members(path_, metadata, config, archive.weights,
                              {{"assets/vocabulary.txt", bytes_of("a")}});
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }),
               "holds \"assets/vocabulary.txt\"");
  // The writer refuses to write a name twice, so one of another length is renamed in the bytes.
  KerasArchive::write_members(path_, metadata, config, archive.weights,
                              {{"CONFIG.json", bytes_of("{}")}});
  auto bytes = read_file(path_);
  std::string text(text_of(bytes));
  for (std::size_t i = text.find("CONFIG"); i != text.npos; i = text.find("CONFIG"))
    text.replace(i, 6, "config");
  write_file_atomically(path_, text);
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }), "same name");
}

TEST_F(HostileKerasFile, refuses_archives_without_a_model) {
  const formats::ZipMember other[] = {{"a.npy", bytes_of("x")}};
  write_file_atomically(path_, formats::write_zip(other));
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }), "a.npy");
  const formats::ZipMember config[] = {{"config.json", bytes_of("{}")}};
  write_file_atomically(path_, formats::write_zip(config));
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }),
               "no member \"model.weights.h5\"");
}

TEST_F(HostileKerasFile, is_refused_when_it_is_neither_zip_nor_hdf5) {
  write_file_atomically(path_, small_model().name() + " is no zip");
  EXPECT_THROW(load_model(path_), FormatError);
  write_file_atomically(path_, std::string_view("\x89HDF\r\n\x1a\n more"));
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }),
               "m.keras\": expected an HDF5 file");
}

TEST_F(HostileKerasFile, refuses_json_that_is_nested_too_deep) {
  const KerasArchive archive(path_);
  KerasArchive::write_members(path_, "{}", std::string(100, '[') + std::string(100, ']'),
                              archive.weights);
  EXPECT_PRED2(says, refused_with<LimitError>([&] { load_model(path_); }),
               "m.keras\": config.json: tables and lists lie deeper");
}

TEST_F(HostileKerasFile, reads_a_file_without_metadata) {
  const KerasArchive archive(path_);
  const std::string config = print_json(archive.config);
  const formats::ZipMember members[] = {{"config.json", bytes_of(config)},
                                        {"model.weights.h5", archive.weights}};
  write_file_atomically(path_, formats::write_zip(members));
  EXPECT_EQ(weights_of(Model::load(path_)), weights_of(small_model()));
}

TEST_F(HostileKerasFile, is_refused_when_it_is_larger_than_the_limits) {
  EXPECT_THROW(load_model(path_, {.limits = {.file = 1000}}), LimitError);
  EXPECT_THROW(load_model(path_, {.limits = {.weights = 100}}), LimitError);
  EXPECT_THROW(load_model(path_, {.limits = {.json = 100}}), LimitError);
  EXPECT_THROW(load_model(path_, {.limits = {.layers = 3}}), LimitError);
  EXPECT_THROW(load_model(folder_ / "none.keras"), IoError);
}

TEST_F(HostileKerasFile, is_read_even_when_thousands_of_calls_follow_one_another) {
  const Tensor x = Input({2});
  const Activation same{.activation = Activation::linear, .name = "same"};
  Tensor h = x;
  for (int i = 0; i < 5000; ++i) h = same(h);
  Model(x, h).save(path_);
  EXPECT_EQ(Model::load(path_).graph().calls().size(), 5001u);
}

// --- damaged and hostile weights -----------------------------------------------------------------

TEST_F(HostileKerasFile, refuses_a_missing_variable) {
  EXPECT_PRED2(says, weights_refusal([](Hdf5Writer& file) {
                 fill_all_but(file, "layers/lstm/cell/vars/2");
               }),
               "m.keras\": model.weights.h5: LSTM \"memory\": variable 2 of "
               "\"layers/lstm/cell/vars\" is missing: expected 3, found 2.");
}

TEST_F(HostileKerasFile, refuses_a_variable_too_many) {
  EXPECT_PRED2(says, weights_refusal([](Hdf5Writer& file) {
                 fill_all_but(file, "");
                 file.write("layers/dense/vars/2", Shape{1}, Array({1}).values());
               }),
               "\"layers/dense/vars/2\" is one variable too many");
}

TEST_F(HostileKerasFile, refuses_weights_of_a_layer_that_is_not_there) {
  EXPECT_PRED2(says, weights_refusal([](Hdf5Writer& file) {
                 fill_all_but(file, "");
                 file.group("layers/dense_1/vars");
               }),
               "\"layers/dense_1\" belongs to no layer");
}

TEST_F(HostileKerasFile, refuses_a_weight_of_another_shape) {
  EXPECT_PRED2(
      says, weights_refusal([](Hdf5Writer& file) {
        fill_all_but(file, "layers/dense/vars/0");
        file.write("layers/dense/vars/0", Shape{1, 2}, Array({1, 2}).values());
      }),
      "Dense \"label\": kernel (\"layers/dense/vars/0\") has shape (1, 2), expected (2, 1)");
}

TEST_F(HostileKerasFile, refuses_weights_that_are_no_numbers) {
  EXPECT_PRED2(says, weights_refusal([](Hdf5Writer& file) {
                 fill_all_but(file, "layers/dense/vars/1");
                 const float bad = NAN;
                 file.write("layers/dense/vars/1", Shape{1}, {&bad, 1});
               }),
               "\"layers/dense/vars/1\" holds NaN or infinity");
}

TEST_F(HostileKerasFile, refuses_an_empty_or_foreign_weights_member) {
  KerasArchive archive(path_);
  archive.weights.clear();
  archive.write(path_);
  EXPECT_PRED2(says, refused_with<FormatError>([&] { load_model(path_); }),
               "m.keras\": model.weights.h5: expected an HDF5 file");
}

TEST_F(HostileKerasFile, refuses_an_optimizer_state_of_another_size) {
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

}  // namespace
}  // namespace sonde
