#include <fmt/args.h>
#include <fmt/format.h>

#include <sonde/callbacks.hpp>
#include <sonde/error.hpp>
#include <sonde/model.hpp>

// The callback that needs to know a file format.
namespace sonde {
namespace {

/// "best-{epoch:02d}-{val_loss:.4f}.keras" with the values of this epoch; epochs count from 1.
std::string filled_in(const std::string& filepath, const Training& training) {
  fmt::dynamic_format_arg_store<fmt::format_context> values;
  values.push_back(fmt::arg("epoch", training.epoch + 1));
  for (const auto& entry : training.logs)
    values.push_back(fmt::arg(entry.first.c_str(), entry.second));
  try {
    return fmt::vformat(filepath, values);
  } catch (const fmt::format_error& error) {
    std::string known = "epoch";
    for (const auto& entry : training.logs) known += ", " + entry.first;
    throw ArgumentError(
        fmt::format("ModelCheckpoint: filepath \"{}\" cannot be filled in: {}. Known: {}.",
                    filepath, error.what(), known));
  }
}

}  // namespace

void ModelCheckpoint::train_begin(Training&) {
  if (!filepath.ends_with(".keras"))
    throw ArgumentError(
        fmt::format("ModelCheckpoint: filepath must end in .keras, got \"{}\".", filepath));
  watched = {.name = monitor, .mode = mode};
}

void ModelCheckpoint::epoch_end(Training& t) {
  if (save_best_only && !watched.improves(watched.value(t))) return;
  t.model().save(filled_in(filepath, t));
}

}  // namespace sonde
