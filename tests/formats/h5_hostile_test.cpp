#include "tests/formats/keras_file.hpp"

// What an .h5 file from outside may try. The files are made with the HDF5 library itself.
namespace sonde {
namespace {

void write_texts(hid_t object, const char* name, const std::vector<std::string>& texts) {
  std::size_t longest = 1;
  for (const std::string& text : texts) longest = std::max(longest, text.size());
  std::string block;
  for (const std::string& text : texts) block += text + std::string(longest - text.size(), '\0');
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, longest);
  const hsize_t count = texts.size();
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, block.data());
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

/// A text of any length on one object.
void write_text(hid_t object, const char* name, const std::string& text) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  const char* start = text.c_str();
  H5Awrite(attribute, type, &start);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

void write_zeros(hid_t group, const char* name, std::vector<hsize_t> sizes,
                 hid_t properties = H5P_DEFAULT) {
  hsize_t count = 1;
  for (const hsize_t size : sizes) count *= size;
  const std::vector<float> zeros(count);
  const hid_t space = H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr);
  const hid_t dataset =
      H5Dcreate2(group, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  if (properties == H5P_DEFAULT)
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros.data());
  H5Dclose(dataset);
  H5Sclose(space);
}

/// A Dense layer of two units on three numbers, as Keras 2 wrote it: {"config": …} of the layer.
constexpr const char* dense = R"({"class_name": "Sequential", "config": {"name": "s", "layers": [
  {"class_name": "Dense", "config": {"name": "d", "units": 2, "batch_input_shape": [null, 3]}}]}})";

class HostileH5 : public ::testing::Test {
 protected:
  /// A whole model with that config; `fill` makes the datasets of its only layer.
  void write(const std::string& config, const std::function<void(hid_t)>& fill,
             const std::vector<std::string>& weights = {"kernel:0", "bias:0"},
             const std::string& version = "2.3.1") {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, 1 << 16, true);
    const hid_t file = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
    write_text(file, "model_config", config);
    write_text(file, "keras_version", version);
    const hid_t all = H5Gcreate2(file, "model_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    write_texts(all, "layer_names", {"d"});
    const hid_t layer = H5Gcreate2(all, "d", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    write_texts(layer, "weight_names", weights);
    fill(layer);
    H5Gclose(layer);
    H5Gclose(all);
    H5Fclose(file);
    H5Pclose(access);
  }
  template <class E = FormatError>
  std::string refusal() {
    return refused_with<E>([&] { load_model(path_); });
  }
  static void honest(hid_t layer) {
    write_zeros(layer, "kernel:0", {3, 2});
    write_zeros(layer, "bias:0", {2});
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "m.h5";
};

TEST_F(HostileH5, is_read_when_it_is_honest) {
  write(dense, honest);
  EXPECT_EQ(Model::load(path_).get_weights().size(), 2u);
}

// CVE-2025-9905: Keras ignored safe_mode for .h5 files.
TEST_F(HostileH5, is_refused_with_a_lambda) {
  for (const char* config : {R"({"class_name": "Sequential", "config": {"name": "s", "layers": [
          {"class_name": "Lambda", "config": {"name": "d", "function": ["4wEAAAA=", null, null],
           "function_type": "lambda", "batch_input_shape": [null, 3]}}]}})",
                             R"({"class_name": "Sequential", "config": {"name": "s", "layers": [
          {"class_name": "TimeDistributed", "config": {"name": "d", "batch_input_shape": [null, 3],
           "layer": {"class_name": "Lambda", "config": {"name": "e"}}}}]}})"}) {
    write(config, honest);
    EXPECT_PRED2(says, refusal(), "\"Lambda\" runs Python code");
  }
}

TEST_F(HostileH5, is_refused_with_classes_of_others) {
  write(R"({"class_name": "Mine", "config": {"name": "s", "layers": []}})", honest);
  EXPECT_PRED2(says, refusal(), "of class \"Mine\"");
}

TEST_F(HostileH5, is_refused_with_a_version_that_nobody_has_seen) {
  for (const char* version : {"1.2.2", "9", "3", "x", "\x1b[2J"}) {
    write(dense, honest, {"kernel:0", "bias:0"}, version);
    EXPECT_PRED2(says, refusal(), "keras_version is");
  }
}

TEST_F(HostileH5, is_refused_with_json_that_is_nested_too_deep) {
  write(std::string(100, '[') + std::string(100, ']'), honest);
  EXPECT_PRED2(says, refusal<LimitError>(), "lie deeper");
}

TEST_F(HostileH5, is_refused_where_weights_are_reached_through_links) {
  write(dense, [](hid_t layer) {
    write_zeros(layer, "bias:0", {2});
    H5Lcreate_external("/etc/passwd", "/x", layer, "kernel:0", H5P_DEFAULT, H5P_DEFAULT);
  });
  EXPECT_PRED2(says, refusal(), "external link");
  write(dense, [](hid_t layer) {
    write_zeros(layer, "bias:0", {2});
    H5Lcreate_soft("/model_weights/d/bias:0", layer, "kernel:0", H5P_DEFAULT, H5P_DEFAULT);
  });
  EXPECT_PRED2(says, refusal(), "soft link");
}

// CVE-2026-1669.
TEST_F(HostileH5, is_refused_where_numbers_lie_in_other_files) {
  write(dense, [&](hid_t layer) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(properties, "/etc/passwd", 0, 24);
    write_zeros(layer, "kernel:0", {3, 2}, properties);
    write_zeros(layer, "bias:0", {2});
    H5Pclose(properties);
  });
  EXPECT_PRED2(says, refusal(), "external file");
}

// CVE-2026-0897.
TEST_F(HostileH5, is_refused_with_sizes_that_are_only_declared) {
  write(dense, [&](hid_t layer) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[] = {1024, 1024};
    H5Pset_chunk(properties, 2, chunk);
    H5Pset_deflate(properties, 9);
    const hsize_t sizes[] = {hsize_t{1} << 20, hsize_t{1} << 20};
    const hid_t space = H5Screate_simple(2, sizes, nullptr);
    H5Dclose(
        H5Dcreate2(layer, "kernel:0", H5T_IEEE_F32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(properties);
    write_zeros(layer, "bias:0", {2});
  });
  EXPECT_PRED2(says, refusal(), "but 0 are stored");
}

TEST_F(HostileH5, is_refused_with_one_dataset_for_two_weights) {
  const char* square = R"({"class_name": "Sequential", "config": {"name": "s", "layers": [
    {"class_name": "SimpleRNN", "config": {"name": "d", "units": 3, "use_bias": false,
     "batch_input_shape": [null, 4, 3]}}]}})";
  write(square, [](hid_t layer) { write_zeros(layer, "k", {3, 3}); }, {"k", "k"});
  EXPECT_PRED2(says, refusal(), "names two weights");
  write(square,
        [](hid_t layer) {
          write_zeros(layer, "k", {3, 3});
          H5Lcreate_hard(layer, "k", layer, "r", H5P_DEFAULT, H5P_DEFAULT);
        },
        {"k", "r"});
  EXPECT_PRED2(says, refusal(), "shares its bytes with");
}

TEST_F(HostileH5, is_refused_with_names_that_lead_elsewhere) {
  for (const char* name : {"../d/kernel:0", "/etc/passwd", "", "kernel:0/kernel:0"}) {
    write(dense, honest, {name, "bias:0"});
    EXPECT_THROW(load_model(path_), FormatError) << name;
  }
}

TEST_F(HostileH5, gives_a_typed_error_for_every_truncation_and_flipped_byte) {
  write(dense, honest);
  const auto bytes = read_file(path_);
  for (std::size_t size = 0; size < bytes.size(); size += 61) {
    write_file_atomically(path_, Bytes(bytes).first(size));
    EXPECT_THROW(load_model(path_), Error) << size;
  }
  for (std::size_t i = 0; i < bytes.size(); i += 17) {
    auto flipped = bytes;
    flipped[i] ^= std::byte{0x44};
    write_file_atomically(path_, Bytes(flipped));
    try {
      load_model(path_);  // bytes that say nothing change nothing
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace sonde
