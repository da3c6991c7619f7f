#pragma once
#include <array>
#include <optional>
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// How Bidirectional joins what its two layers give.
enum class MergeMode { sum, mul, concat, ave };
constexpr std::array<std::string_view, 4> enum_names(MergeMode) {
  return {"sum", "mul", "concat", "ave"};
}

/// Runs a recurrent layer over time in both directions and joins the results: every label then
/// knows the whole signal. (time, channels) → (time, 2 units) with `return_sequences` and concat.
/// Keras: Bidirectional.
///   auto y = Bidirectional{.layer = LSTM{.units = 32, .return_sequences = true}}(x);
/// The backward layer is a copy with `go_backwards`, unless given; its sequence is turned back
/// before joining. Without merge_mode there are two outputs. It cannot stream.
struct Bidirectional {
  static constexpr std::string_view type = "Bidirectional";
  Required<AnyLayer> layer;
  std::optional<MergeMode> merge_mode = MergeMode::concat;
  std::optional<AnyLayer> backward_layer = {};
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Bidirectional;
    return fields_of(field("layer", &L::layer), field("merge_mode", &L::merge_mode),
                     field("backward_layer", &L::backward_layer), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  std::vector<Tensor> expand(Expansion& expansion) const;
  /// `initial_state`: of the forward layer, then of the backward one; or empty for zeros.
  Tensor operator()(Tensor x, std::vector<Tensor> initial_state = {}) const;
  /// {y}, or with return_state {y, forward states…, backward states…}; without merge_mode the
  /// backward layer's output follows the forward layer's.
  std::vector<Tensor> outputs(Tensor x, std::vector<Tensor> initial_state = {}) const;
};

}  // namespace sonde
