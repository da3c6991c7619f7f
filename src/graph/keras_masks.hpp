#pragma once
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <sonde/layer.hpp>
#include <vector>

/// Keras computes the masks of a functional model by operations of their own, beside its layers
/// (keras.src.layers.layer, Layer.__call__ and each layer's compute_mask). Files hold them, and
/// they count in the depths by which Keras orders layers.
namespace sonde {

/// How the mask of a call's output comes about.
enum class MaskRule {
  none,          ///< there is none, or Keras does not know of it when it builds the model
  same,          ///< that of the first input
  of_steps,      ///< Any(NotEqual(x, mask_value)): Masking
  of_ids,        ///< NotEqual(ids, 0): Embedding
  of_query,      ///< ConvertToTensor(that of the query): attention
  any_input,     ///< LogicalOr of one input after the other: Add and the like
  side_by_side,  ///< Any(Concatenate(a mask as wide as each input)): Concatenate
};
MaskRule mask_rule(const Node& node);

/// Whether Keras gives this call the mask of its inputs as an argument.
bool takes_masks(const Node& node);

/// The depth that masks ask of what they read. Calls are visited from the outputs on, each after
/// all that read it.
class MaskDepths {
 public:
  /// `calls`: each after all that it reads.
  explicit MaskDepths(const std::vector<std::shared_ptr<const Node>>& calls);

  /// `need(tensor, depth)`: what gives this tensor lies at least that deep.
  template <class Need>
  void visit(const Node& node, Index depth, Need need) {
    if (takes_masks(node))
      for (const Tensor& input : node.inputs) want(input, depth + 1);
    const auto wanted = wanted_.find(&node);
    if (wanted == wanted_.end()) return;
    const Index own = wanted->second, count = static_cast<Index>(node.inputs.size());
    switch (mask_rule(node)) {
      case MaskRule::none:
        break;
      case MaskRule::same:
        want(node.inputs.front(), own);
        break;
      case MaskRule::of_query:
        want(node.inputs.front(), own + 1);
        break;
      case MaskRule::of_steps:
        need(node.inputs.front(), own + 2);
        break;
      case MaskRule::of_ids:
        need(node.inputs.front(), own + 1);
        break;
      case MaskRule::any_input:
        for (Index i = 0; i < count; ++i)
          want(node.inputs[static_cast<std::size_t>(i)], own + std::min(count - i, count - 1));
        break;
      case MaskRule::side_by_side:  // LogicalOr(ExpandDims(mask), ZerosLike(x)), or OnesLike(x)
        for (const Tensor& input : node.inputs) {
          want(input, own + 4);
          need(input, own + (is_known(input) ? 4 : 3));
        }
    }
  }

 private:
  bool is_known(const Tensor& input) const {
    return input.output() == 0 && known_.contains(input.node().get());
  }
  void want(const Tensor& input, Index depth) {
    if (!is_known(input)) return;
    Index& wanted = wanted_[input.node().get()];
    wanted = std::max(wanted, depth);
  }

  std::set<const Node*> known_;          // Keras knows a mask of output 0
  std::map<const Node*, Index> wanted_;  // depth of the operation that gives the mask of output 0
};

}  // namespace sonde
