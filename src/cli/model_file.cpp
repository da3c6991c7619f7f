#include "cli/model_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sonde/error.hpp>
#include <sonde/keras.hpp>
#include <sonde/labeller.hpp>

#include "cli/options.hpp"

namespace sonde::cli {

bool is_model_file(const std::string& name) {
  const std::string ending = std::filesystem::path(name).extension().string();
  return ending == ".keras" || ending == ".json" || ending == ".h5";
}

Index channels_of(const Model& model) {
  const Shape& input = model.graph().input_tensors().front().shape();
  return input.rank() > 1 ? input[1] : dynamic;
}

namespace {

/// Data where a model is expected: most likely the words stand in another order.
void refuse_data(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  for (const char* data : {".npy", ".npz", ".csv", ".tsv", ".txt", ".edf", ".bdf", ".hea", ".mat"})
    if (ending == data)
      throw FormatError(fmt::format(
          "\"{}\" holds data, and a model is expected here: a .keras, .h5 or .json file. The model "
          "comes first, then the data: sonde predict run/model.keras {}.",
          path, path));
}

/// load_model; says how to go on without what was compiled, where that is what is not understood.
LoadedModel load(const std::string& path, bool compile) {
  try {
    LoadedModel loaded = load_model(path, {.compile = compile, .leave_out_metrics = true});
    for (const std::string& metric : loaded.left_out)
      fmt::print(stderr, "sonde: warning: metric {} of {} is not known here and is left out.\n",
                 metric, path);
    return loaded;
  } catch (const FormatError& error) {
    const std::string what = error.what();
    const std::size_t mend = what.find(" Load with compile = false");
    if (mend == std::string::npos) throw;
    throw FormatError(fmt::format(
        "{} Leave loss, metrics and optimizer out: sonde convert {} NEW.keras --no-compile.",
        what.substr(0, mend), path));
  }
}

}  // namespace

LabellingModel load_model_file(const std::string& path, bool compile, const std::string& weights) {
  refuse_data(path);
  LoadedModel loaded = load(path, compile);
  if (!weights.empty()) loaded.model.load_weights(weights);
  Recipe recipe = recipe_of(loaded.extra, path);
  try {
    check_fits(recipe, loaded.model, path);
  } catch (const ArgumentError& error) {  // nobody argued: the file contradicts itself
    throw FormatError(error.what());
  }
  return {std::move(loaded.model), std::move(recipe)};
}

void save_model_file(const std::filesystem::path& path, const Model& model, const Extras& extras) {
  save_model(model, path, to_extra(extras));
}

void save_recipe(const std::filesystem::path& path, const Extras& extras) {
  const LabellingModel whole = load_model_file(path.string(), true);
  save_model_file(path, whole.model, extras);
}

Normalizer fit_scale(const Array& x, Index samples) {
  Recording part;
  part.name = "the training part";
  part.signal = x.slice(0, samples).reshaped({samples * x.shape()[1], x.shape()[2]});
  return fit_normalizer({&part, 1});
}

std::vector<std::string> names_of_outputs(const Recipe& recipe, Index outputs,
                                          const std::vector<std::string>& taken) {
  std::vector<std::string> names = recipe.classes;
  if (outputs == 1 && names.size() == 2) names.erase(names.begin());
  const bool is_usable = std::none_of(names.begin(), names.end(), [&](const std::string& each) {
    return real_number(each).as<double>() ||
           std::find(taken.begin(), taken.end(), each) != taken.end();
  });
  if (static_cast<Index>(names.size()) == outputs && is_usable) return names;
  names.clear();
  for (Index k = 0; k < outputs; ++k) names.push_back(outputs == 1 ? "y" : fmt::format("y{}", k));
  return names;
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
