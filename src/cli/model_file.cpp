#include "cli/model_file.hpp"

#include <algorithm>
#include <sonde/error.hpp>
#include <sonde/keras.hpp>

namespace sonde::cli {

bool is_model_file(const std::string& name) {
  const std::string ending = std::filesystem::path(name).extension().string();
  return ending == ".keras" || ending == ".json" || ending == ".h5";
}

LabellingModel load_model_file(const std::string& path, bool compile, const std::string& weights) {
  LoadedModel loaded = load_model(path, {.compile = compile});
  if (!weights.empty()) loaded.model.load_weights(weights);
  LabellingModel opened{std::move(loaded.model)};
  if (const Value* normalizer = loaded.extra.find("normalizer")) {
    const std::string where = path + ": normalizer";
    const auto* config = normalizer->as<Value::Dict>();
    if (!config) throw FormatError(where + " must be a table.");
    try {
      opened.extras.normalizer = from_config<Normalizer>(*config, where);
    } catch (const ArgumentError& error) {
      throw FormatError(error.what());
    }
    const auto& [scaling, center, spread] = *opened.extras.normalizer;
    const bool usable = std::all_of(spread.begin(), spread.end(), [](double s) { return s > 0; });
    if (center.size() != spread.size() || !usable)
      throw FormatError(where + " must have a middle and a spread above 0 for each channel.");
  }
  return opened;
}

void save_model_file(const std::filesystem::path& path, const Model& model, const Extras& extras) {
  Value extra;
  if (extras.normalizer) extra.set("normalizer", to_config(*extras.normalizer));
  save_model(model, path, extra);
}

Normalizer fit_scale(const Array& x, Index samples) {
  Recording part;
  part.name = "the training part";
  part.signal = x.slice(0, samples).reshaped({samples * x.shape()[1], x.shape()[2]});
  return fit_normalizer({&part, 1});
}

void scale(Array& x, const Normalizer& normalizer) {
  const Shape each = x.shape().without_front();
  Array sample(each);
  for (Index i = 0; i < x.shape()[0]; ++i) {
    float* values = x.data() + i * each.elements();
    std::copy_n(values, sample.size(), sample.data());
    normalizer.apply(sample);
    std::copy_n(sample.data(), sample.size(), values);
  }
}

}  // namespace sonde::cli
