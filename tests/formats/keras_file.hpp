#pragma once
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
#include "formats/keras/weight_sites.hpp"
#include "formats/keras/weights_file.hpp"
#include "formats/zip.hpp"
#include "tests/support/files.hpp"
#include "tests/support/near.hpp"

namespace sonde {

using formats::Hdf5Reader;
using formats::Hdf5Writer;
using formats::parse_json;
using formats::print_json;
using formats::ZipReader;
using testing::refused_with;
using testing::says;

inline Model small_model(std::uint64_t seed = 1) {
  const Tensor x = Input({5, 2}, {.name = "x"});
  Tensor h = Conv1D{.filters = 3, .kernel_size = 2, .name = "conv"}(x);
  h = LSTM{.units = 2, .return_sequences = true, .name = "memory"}(h);
  return Model(x, Dense{.units = 1, .activation = Activation::sigmoid, .name = "label"}(h),
               {.seed = seed, .name = "small"});
}

inline Array ramp(const Shape& shape) {
  Array array(shape);
  for (Index i = 0; i < array.size(); ++i)
    array.data()[i] = static_cast<float>((i * 37) % 29) / 14.5f - 1.0f;
  return array;
}

inline ::testing::AssertionResult same_bits(const Array& got, const Array& expected) {
  return testing::same_bits(got.values(), expected.values());
}

inline std::vector<float> weights_of(const Model& model) {
  std::vector<float> all;
  for (const Array& array : model.get_weights())
    all.insert(all.end(), array.values().begin(), array.values().end());
  return all;
}

/// The members of a model file, to be changed and written again.
struct KerasArchive {
  Value metadata;
  Value config;
  std::vector<std::byte> weights;

  explicit KerasArchive(const std::filesystem::path& path) {
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
inline Value& at(Value& root, std::initializer_list<const char*> path) {
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
    KerasArchive archive(path_);
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
    KerasArchive archive(path_);
    archive.weights = file.bytes();
    archive.write(path_);
    return refused_with<FormatError>([&] { load_model(path_); });
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "m.keras";
};

/// The weights of the small model under the paths they have in Keras, without one of them.
inline void fill_all_but(Hdf5Writer& file, const std::string& left_out) {
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

}  // namespace sonde
