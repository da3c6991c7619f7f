#pragma once
#include <map>
#include <sonde/encoder_decoder.hpp>

namespace sonde {

/// Cuts the graph of a training model in two: what does not depend on its last input, the label
/// before, is the encoder; what does is called anew for one step.
struct DecoderCut {
  DecoderCut(const Model& model, const PreviousLabel& previous);

  std::vector<EncoderDecoder::Tie> ties = {};
  std::vector<Tensor> encoder_outputs = {};
  std::vector<Tensor> decoder_inputs = {};   ///< label before, then the ties
  std::vector<Tensor> decoder_outputs = {};  ///< the label, then the new states

 private:
  bool is_new(Graph::Source source) const { return made_.count({source.call, source.output}) > 0; }
  Tensor tie(EncoderDecoder::Tie::Kind kind, const Tensor* from, Shape shape);
  /// What a layer reads of the encoder beside the decoder's own steps.
  Tensor read(const Graph::Call& call, std::size_t input);
  void call_again(Index number);
  void call_recurrent(const Graph::Call& call, std::vector<Tensor> inputs, Index number);
  void check_step_by_step(const Graph::Call& call, const std::vector<Tensor>& inputs) const;
  [[noreturn]] void refuse(const Graph::Call& call, std::string_view message) const;

  const Graph& graph_;
  std::map<std::pair<Index, Index>, Tensor> made_ = {};  ///< (call, output) → for one step
};

}  // namespace sonde
