#include <sonde/labeller.hpp>

#include <sonde/keras.hpp>

// Here rather than in `model`, which knows no files: see Model::load.
namespace sonde {

Labeller Labeller::load(const std::filesystem::path& path) {
  LoadedModel loaded = load_model(path, {.compile = false});
  Recipe recipe = recipe_of(loaded.extra, path.string());
  try {
    return Labeller(std::move(loaded.model), std::move(recipe));
  } catch (const ArgumentError& error) {
    throw FormatError(path.string() + ": " + error.what());
  }
}

void Labeller::save(const std::filesystem::path& path) const {
  save_model(model(), path, to_extra(recipe()));
}

}  // namespace sonde
