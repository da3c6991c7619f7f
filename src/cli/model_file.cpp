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
  return {std::move(loaded.model), recipe_of(loaded.extra, path)};
}

void save_model_file(const std::filesystem::path& path, const Model& model, const Extras& extras) {
  save_model(model, path, to_extra(extras));
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
