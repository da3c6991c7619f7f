#pragma once
#include <filesystem>
#include <sonde/model.hpp>
#include <sonde/recipe.hpp>
#include <string>
#include <vector>

namespace sonde::cli {

/// What a model file of this program carries besides the network.
using Extras = Recipe;

struct LabellingModel {
  Model model;
  Extras extras = {};
};

/// True for FILE.keras, FILE.h5 and FILE.json, false for the name of a network.
bool is_model_file(const std::string& name);

/// A .keras or .h5 file, or a .json of Keras with new weights. `compile`: also what it was trained
/// with. `weights`: a file whose weights replace them; none when empty. Throws IoError, FormatError
/// and LimitError.
LabellingModel load_model_file(const std::string& path, bool compile,
                               const std::string& weights = {});

/// Numbers in a step of the model's signals; dynamic where it does not say.
Index channels_of(const Model& model);

/// Writes a .keras file. Throws IoError.
void save_model_file(const std::filesystem::path& path, const Model& model, const Extras& extras);

/// Puts another recipe into a .keras file; its network stays as it is, with the optimizer's state.
void save_recipe(const std::filesystem::path& path, const Extras& extras);

/// What columns of probabilities are called: by the classes that the recipe names; one output is of
/// the second of two. Else y, or y0, y1, …: also where a name is one of `taken`, or a number, since
/// the line of names would look like one of numbers.
std::vector<std::string> names_of_outputs(const Recipe& recipe, Index outputs,
                                          const std::vector<std::string>& taken = {});

/// Scales each sample of x (samples, time, channels) in place. Throws DataError for another number
/// of channels.
void scale(Array& x, const Normalizer& normalizer);
/// Fits on samples [0, samples) of x only.
Normalizer fit_scale(const Array& x, Index samples);

}  // namespace sonde::cli
