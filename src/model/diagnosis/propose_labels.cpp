#include <fmt/format.h>

#include <algorithm>
#include <sonde/layers.hpp>

#include "model/diagnosis/array_changes.hpp"
#include "model/diagnosis/edits.hpp"
#include "model/diagnosis/propose.hpp"

namespace sonde::diagnosis {
namespace {

/// More classes than this are taken for measured values.
constexpr float most_classes = 256;

bool is_binary(const Loss& loss) { return target_kind(loss) == TargetKind::probabilities; }
bool is_sparse(const Loss& loss) { return target_kind(loss) == TargetKind::class_numbers; }
bool is_categorical(const Loss& loss) { return target_kind(loss) == TargetKind::distribution; }

/// The array holds class numbers, or nobody has looked.
bool may_be_classes(const LabelFacts* labels) {
  return !labels || (labels->whole && labels->smallest >= 0 && labels->largest < most_classes);
}
bool may_be_binary(const LabelFacts* labels) {
  return !labels || (labels->smallest >= 0 && labels->largest <= 1);
}
Index classes_of(const LabelFacts* labels) {
  return labels ? std::max<Index>(static_cast<Index>(labels->largest) + 1, 2) : 2;
}

void keep(std::optional<Candidate> found, std::vector<Candidate>& out) {
  if (found) out.push_back(*std::move(found));
}

/// A softmax over `units`, with that loss.
void softmax_over(const Candidate& c, std::size_t o, Index units, const Loss& loss,
                  std::vector<Candidate>& out) {
  const std::optional<Candidate> wide = set_units(c, 0.6, o, units);
  if (!wide) return;
  const std::optional<Candidate> soft = set_activation(*wide, 0.6, o, "softmax");
  if (soft)
    out.push_back(name_of(loss) == name_of(c.losses[o]) ? *soft : set_loss(*soft, 0.6, o, loss));
}

/// One unit with a sigmoid, and binary cross-entropy.
void sigmoid_of(const Candidate& c, std::size_t o, std::vector<Candidate>& out) {
  const std::optional<Candidate> next = set_activation(c, 0.6, o, "sigmoid");
  if (next)
    out.push_back(is_binary(c.losses[o]) ? *next : set_loss(*next, 0.6, o, BinaryCrossentropy{}));
  else if (!is_binary(c.losses[o])) out.push_back(set_loss(c, 0.6, o, BinaryCrossentropy{}));
}

}  // namespace

void propose_widths(const Candidate& c, std::size_t o, Index output, Index target,
                    std::vector<Candidate>& out) {
  const Loss& loss = c.losses[o];
  const LabelFacts* labels = c.labels(o);
  if (is_sparse(loss) || is_categorical(loss)) {
    if (output == 1) return propose_endings(c, o, output, out);
    if (is_sparse(loss) && target > 1) {
      // One-hot vectors for a loss that takes class numbers.
      if (target == output) out.push_back(change_y(c, 1.3, o, class_numbers(c.data.y[o])));
      const Candidate next = set_loss(c, 1, o, CategoricalCrossentropy{});
      if (target == output) out.push_back(next);
      else keep(set_units(next, 0.6, o, target), out);
    } else if (is_categorical(loss) && target == 1 && may_be_classes(labels)) {
      out.push_back(set_loss(c, 1, o, SparseCategoricalCrossentropy{}));
      if (classes_of(labels) <= output)
        out.push_back(change_y(c, 1.3, o, one_hot(c.data.y[o], output)));
    } else {
      keep(set_units(c, 1, o, target), out);
    }
    return;
  }
  if (head_of_output(c, o).empty()) {
    const auto last = is_binary(loss) ? Activation::sigmoid : Activation::linear;
    out.push_back(append(c, 0.9, o, Dense{.units = target, .activation = last},
                         fmt::format("Dense({}{})", target, is_binary(loss) ? ", sigmoid" : "")));
  }
  if (target == 1 && output > 1 && may_be_classes(labels) && !(labels && may_be_binary(labels)))
    softmax_over(c, o, std::max(output, classes_of(labels)), SparseCategoricalCrossentropy{}, out);
  keep(set_units(c, 1, o, target), out);
}

void propose_endings(const Candidate& c, std::size_t o, Index width, std::vector<Candidate>& out) {
  const LabelFacts* labels = c.labels(o);
  const Index target = c.data.y.empty() || c.data.y[o].rank() == 0 ? 1 : c.data.y[o].last();
  if (width == 1) {
    if (target > 1 && labels && labels->one_hot)
      softmax_over(c, o, target, CategoricalCrossentropy{}, out);
    if (may_be_binary(labels)) sigmoid_of(c, o, out);
    if (may_be_classes(labels) && !(labels && labels->one_hot))
      softmax_over(c, o, classes_of(labels), SparseCategoricalCrossentropy{}, out);
    if (labels && !may_be_classes(labels))
      if (const auto linear_end = set_activation(c, 0.6, o, "linear"))
        out.push_back(set_loss(*linear_end, 0.6, o, MeanSquaredError{}));
  }
  std::visit(
      [&](auto loss) {
        if constexpr (requires { loss.from_logits; }) {
          if (!loss.from_logits) return;
          loss.from_logits = false;
          Candidate next = set_loss(c, 1, o, loss);
          next.edits.back().words += " with from_logits = false";
          out.push_back(std::move(next));
          keep(set_activation(c, 1.2, o, "linear"), out);
        }
      },
      c.losses[o]);
}

void propose_labels(const Candidate& c, std::size_t o, Index width, std::vector<Candidate>& out) {
  const LabelFacts& labels = *c.labels(o);
  const Loss& loss = c.losses[o];
  const Shape& shape = c.data.y[o];
  const auto moved = [&](double price, float shift, float scale, const std::string& text) {
    Candidate next = change_y(c, price, o, linear(shape, shift, scale, text));
    LabelFacts& now = next.data.labels[o];
    now.smallest = (now.smallest + shift) * scale;
    now.largest = (now.largest + shift) * scale;
    out.push_back(std::move(next));
  };
  if (is_sparse(loss)) {
    if (labels.whole && labels.smallest == 1 && labels.largest <= static_cast<float>(width))
      moved(0.9, -1, 1, "y - 1: classes numbered from 0");
    if (labels.whole && labels.smallest >= 0) keep(set_units(c, 1, o, classes_of(&labels)), out);
    if (labels.whole && labels.smallest == -1) {
      SparseCategoricalCrossentropy ignoring = std::get<SparseCategoricalCrossentropy>(loss);
      ignoring.ignore_class = -1;
      Candidate next = set_loss(c, 1, o, ignoring);
      next.edits.back().words += " with ignore_class = -1";
      if (labels.largest < static_cast<float>(width)) out.push_back(std::move(next));
      else keep(set_units(next, 1, o, classes_of(&labels)), out);
    }
  } else if (is_binary(loss)) {
    if (labels.whole && labels.smallest == -1 && labels.largest == 1)
      moved(0.9, 1, 0.5f, "(y + 1) / 2: labels 0 and 1 instead of -1 and 1");
    if (labels.whole && labels.smallest == 1 && labels.largest == 2)
      moved(0.9, -1, 1, "y - 1: labels 0 and 1 instead of 1 and 2");
    if (labels.smallest == 0 && labels.largest == 255)
      moved(0.9, 0, 1.0f / 255, "y / 255: labels 0 and 1 instead of 0 and 255");
    if (width == 1 && may_be_classes(&labels))
      softmax_over(c, o, classes_of(&labels), SparseCategoricalCrossentropy{}, out);
  }
  if (!labels.whole || labels.largest >= most_classes || labels.smallest < 0) {
    const auto open = set_activation(c, 1, o, "linear");
    out.push_back(set_loss(open ? *open : c, 1, o, MeanSquaredError{}));
  }
}

void propose_weights(const Candidate& c, std::size_t o, const Shape& output,
                     std::vector<Candidate>& out) {
  if (output.rank() == 1 && c.data.weights.size() > o && c.data.weights[o] > 1) {
    ArrayChange mean = mean_of_steps();
    Candidate next = c.edited(1.1, {mean.text}, after_all, mean.text);
    next.data.weights[o] = 1;
    next.weights[o].push_back(std::move(mean));
    out.push_back(std::move(next));
  }
  if (output.rank() == 1 && output[0] > 1)
    out.push_back(append(c, 1, o, Reshape{.target_shape = {{output[0], 1}}},
                         fmt::format("Reshape(({}, 1))", output[0])));
}

}  // namespace sonde::diagnosis
