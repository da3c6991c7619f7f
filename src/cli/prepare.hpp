#pragma once
#include "cli/model_file.hpp"
#include "cli/parts.hpp"
#include "cli/task.hpp"
#include "cli/train_options.hpp"

namespace sonde::cli {

/// What is about to be trained.
struct Prepared {
  LabellingModel opened;
  Task task;
  std::string fix = {};  ///< what --apply-fix changed, in words
};

/// The model, and what it shall learn: the labels decide a network's last layer, a model from a
/// file decides how the labels are taken. With --apply-fix the model and the arrays of `parts` are
/// changed until they fit. Throws what is wrong, with numbered changes that would help.
Prepared prepare(const TrainOptions& o, Parts& parts);

}  // namespace sonde::cli
