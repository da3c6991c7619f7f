#pragma once
#include <concepts>
#include <memory>
#include <sonde/activations.hpp>
#include <sonde/fields.hpp>
#include <sonde/planner.hpp>
#include <sonde/share.hpp>
#include <sonde/tensor.hpp>
#include <sonde/view.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a layer is written against.
namespace sonde {

/// The running half of a layer: `forward` maps (state, steps) to (state, steps), `backward` walks
/// back; both for float and double. Optional members:
///   pack(v)           fills packed memory after each change of the weights
///   forward_sums(v)   adds this shard's part to v.forward_sums(), before the barrier
///   backward_sums(v)  adds this shard's part to v.backward_sums(), before the barrier
///   after_batch(v)    once for each batch and not for each shard: moving statistics
///   forward_abreast(views, share), backward_abreast(views, share)
///                     shards of as many rows and steps side by side, with the results of one after
///                     the other: see Planner::share_weights. Of a share of several parts, each
///                     worker calls with the same views: see Planner::share_units
template <class O>
concept Op = std::copyable<O> && requires(const O op, const View<float>& f, const View<double>& d) {
  op.forward(f);
  op.forward(d);
  op.backward(f);
  op.backward(d);
};

/// Any op, as a value. Copies share the op, which never changes.
class AnyOp {
 public:
  template <class O>
  requires(!std::same_as<O, AnyOp> && Op<O>) AnyOp(O op)
      : held_(std::make_shared<const Held<O>>(std::move(op))) {}

  template <class T>
  void forward(const View<T>& v) const noexcept {
    held_->forward(std::span(&v, 1), {});
  }
  template <class T>
  void backward(const View<T>& v) const noexcept {
    held_->backward(std::span(&v, 1), {});
  }
  /// Of shards that are alike in rows and steps, at most `most_abreast`. Several workers may do
  /// them together, each its share; before one of them reads what the others wrote, they meet.
  template <class T>
  void forward(std::span<const View<T>> shards, const Share& share = {}) const noexcept {
    held_->forward(shards, share);
  }
  template <class T>
  void backward(std::span<const View<T>> shards, const Share& share = {}) const noexcept {
    held_->backward(shards, share);
  }
  template <class T>
  void pack(const View<T>& v) const noexcept {
    held_->pack(v);
  }
  template <class T>
  void forward_sums(const View<T>& v) const noexcept {
    held_->forward_sums(v);
  }
  template <class T>
  void backward_sums(const View<T>& v) const noexcept {
    held_->backward_sums(v);
  }
  template <class T>
  void after_batch(const View<T>& v) const noexcept {
    held_->after_batch(v);
  }

 private:
  template <class T>
  struct For {
    virtual void forward(std::span<const View<T>>, const Share&) const noexcept = 0;
    virtual void backward(std::span<const View<T>>, const Share&) const noexcept = 0;
    virtual void pack(const View<T>&) const noexcept = 0;
    virtual void forward_sums(const View<T>&) const noexcept = 0;
    virtual void backward_sums(const View<T>&) const noexcept = 0;
    virtual void after_batch(const View<T>&) const noexcept = 0;

   protected:
    ~For() = default;
  };
  struct Concept : For<float>, For<double> {
    virtual ~Concept() = default;
    using For<float>::forward, For<double>::forward;
    using For<float>::backward, For<double>::backward;
    using For<float>::pack, For<double>::pack;
    using For<float>::forward_sums, For<double>::forward_sums;
    using For<float>::backward_sums, For<double>::backward_sums;
    using For<float>::after_batch, For<double>::after_batch;
  };
  template <class O>
  struct Held final : Concept {
    explicit Held(O o) : op(std::move(o)) {}
    using Floats = std::span<const View<float>>;
    using Doubles = std::span<const View<double>>;
    void forward(Floats shards, const Share& share) const noexcept override {
      forward_any(shards, share);
    }
    void forward(Doubles shards, const Share& share) const noexcept override {
      forward_any(shards, share);
    }
    void backward(Floats shards, const Share& share) const noexcept override {
      backward_any(shards, share);
    }
    void backward(Doubles shards, const Share& share) const noexcept override {
      backward_any(shards, share);
    }
    void pack(const View<float>& v) const noexcept override { pack_any(v); }
    void pack(const View<double>& v) const noexcept override { pack_any(v); }
    void forward_sums(const View<float>& v) const noexcept override { forward_sums_any(v); }
    void forward_sums(const View<double>& v) const noexcept override { forward_sums_any(v); }
    void backward_sums(const View<float>& v) const noexcept override { backward_sums_any(v); }
    void backward_sums(const View<double>& v) const noexcept override { backward_sums_any(v); }
    void after_batch(const View<float>& v) const noexcept override { after_batch_any(v); }
    void after_batch(const View<double>& v) const noexcept override { after_batch_any(v); }

    template <class T>
    void forward_any(std::span<const View<T>> shards, const Share& share) const noexcept {
      if constexpr (requires { op.forward_abreast(shards, share); })
        op.forward_abreast(shards, share);
      else share.deal(shards, [&](const View<T>& v) { op.forward(v); });
    }
    template <class T>
    void backward_any(std::span<const View<T>> shards, const Share& share) const noexcept {
      if constexpr (requires { op.backward_abreast(shards, share); })
        op.backward_abreast(shards, share);
      else share.deal(shards, [&](const View<T>& v) { op.backward(v); });
    }
    template <class T>
    void pack_any([[maybe_unused]] const View<T>& v) const noexcept {
      if constexpr (requires { op.pack(v); }) op.pack(v);
    }
    template <class T>
    void forward_sums_any([[maybe_unused]] const View<T>& v) const noexcept {
      if constexpr (requires { op.forward_sums(v); }) op.forward_sums(v);
    }
    template <class T>
    void backward_sums_any([[maybe_unused]] const View<T>& v) const noexcept {
      if constexpr (requires { op.backward_sums(v); }) op.backward_sums(v);
    }
    template <class T>
    void after_batch_any([[maybe_unused]] const View<T>& v) const noexcept {
      if constexpr (requires { op.after_batch(v); }) op.after_batch(v);
    }

    O op;
  };

  std::shared_ptr<const Concept> held_;
};

namespace detail {
/// `op` with a penalty on all its outputs, as Keras has it: summed over the batch, divided by its
/// rows, part of the loss and not of predictions. Without a regularizer, and in streams, `op`
/// itself. Throws ArgumentError when a factor is negative or not finite.
AnyOp regularized(Planner& planner, const Regularizer& regularizer, AnyOp op);
}  // namespace detail

class Expansion;

/// A layer that plans itself into an op.
template <class L>
concept Leaf = requires(const L layer, Planner& planner) {
  { layer.plan(planner) } -> std::same_as<AnyOp>;
};

/// One with Keras' argument `activity_regularizer`: what it gives has a penalty. Not one that sees
/// to it by itself, and says so by a member `regularizes_parts`.
template <class L>
concept RegularizesActivity = Leaf<L> && requires(const L layer) {
  { layer.activity_regularizer } -> std::convertible_to<const Regularizer&>;
} && !requires {
  L::regularizes_parts;
};

/// A layer that stands for a few calls of other layers, as Bidirectional does.
template <class L>
concept Composite = requires(const L layer, Expansion& expansion) {
  { layer.expand(expansion) } -> std::same_as<std::vector<Tensor>>;
};

/// The written half of a layer: a plain aggregate of Keras' arguments that plans itself into an op,
/// or expands into calls of others. It ends with `std::string name`, `bool trainable` and
/// `Identity self`.
template <class L>
concept Layer = Spec<L> &&(Leaf<L> || Composite<L>)&&requires(const L layer) {
  { layer.name } -> std::convertible_to<std::string>;
  { layer.trainable } -> std::convertible_to<bool>;
  { layer.self } -> std::convertible_to<const Identity&>;
};

/// Any layer, as a value. Copies share the spec, which never changes.
class AnyLayer {
 public:
  AnyLayer() = default;  ///< no layer: only to be assigned to
  template <class L>
  requires(!std::same_as<L, AnyLayer> && Layer<L>) AnyLayer(L layer)
      : held_(std::make_shared<const Held<L>>(std::move(layer))) {}

  std::string_view type() const { return held_->type(); }
  const std::string& name() const { return held_->name(); }
  bool trainable() const { return held_->trainable(); }
  bool is_composite() const { return held_->is_composite(); }
  /// Of a leaf. Throws std::logic_error for a composite.
  AnyOp plan(Planner& planner) const { return held_->plan(planner); }
  /// Of a composite: calls its parts and returns what it gives. Throws std::logic_error for a leaf.
  std::vector<Tensor> expand(Expansion& expansion) const { return held_->expand(expansion); }
  explicit operator bool() const { return held_ != nullptr; }
  /// Same type, same arguments.
  bool operator==(const AnyLayer& other) const {
    if (!held_ || !other.held_) return held_ == other.held_;
    return type() == other.type() && config() == other.config();
  }
  Value::Dict config() const { return held_->config(); }
  /// The spec itself, when it is an L; else null.
  template <class L>
  const L* as() const {
    const auto* held = dynamic_cast<const Held<L>*>(held_.get());
    return held ? &held->layer : nullptr;
  }
  /// May be called on (None,), a vector of any size: see Embedding.
  bool takes_dynamic_vectors() const { return held_->takes_dynamic_vectors(); }
  /// For a layer that ends in an activation of sigmoid or softmax, and in nothing that looks at
  /// what it gives: that activation. Else linear.
  ActivationFunction final_activation() const { return held_->final_activation(); }
  /// The same layer with that activation taken off: its outputs are the logits.
  AnyLayer without_final_activation() const { return held_->without_final_activation(); }

 private:
  struct Concept {
    virtual ~Concept() = default;
    virtual std::string_view type() const = 0;
    virtual const std::string& name() const = 0;
    virtual bool trainable() const = 0;
    virtual bool is_composite() const = 0;
    virtual bool takes_dynamic_vectors() const = 0;
    virtual AnyOp plan(Planner&) const = 0;
    virtual std::vector<Tensor> expand(Expansion&) const = 0;
    virtual Value::Dict config() const = 0;
    virtual ActivationFunction final_activation() const = 0;
    virtual AnyLayer without_final_activation() const = 0;
  };
  template <class L>
  struct Held final : Concept {
    explicit Held(L l) : layer(std::move(l)) {}
    std::string_view type() const override { return L::type; }
    const std::string& name() const override { return layer.name; }
    bool trainable() const override { return layer.trainable; }
    bool is_composite() const override { return Composite<L>; }
    bool takes_dynamic_vectors() const override {
      return requires { L::takes_dynamic_vectors; };
    }
    AnyOp plan([[maybe_unused]] Planner& planner) const override {
      if constexpr (RegularizesActivity<L>)
        return detail::regularized(planner, layer.activity_regularizer, layer.plan(planner));
      else if constexpr (Leaf<L>) return layer.plan(planner);
      else throw std::logic_error("a composite layer has no op of its own");
    }
    std::vector<Tensor> expand([[maybe_unused]] Expansion& expansion) const override {
      if constexpr (Composite<L>) return layer.expand(expansion);
      else throw std::logic_error("only composite layers expand");
    }
    Value::Dict config() const override { return to_config(layer); }
    ActivationFunction final_activation() const override {
      if constexpr (RegularizesActivity<L>)
        if (layer.activity_regularizer.index() != 0) return ActivationFunction::linear;
      if constexpr (requires { L::ends_in_activation; }) {
        const ActivationFunction last = layer.activation;
        if (last == ActivationFunction::sigmoid || last == ActivationFunction::softmax) return last;
      }
      return ActivationFunction::linear;
    }
    AnyLayer without_final_activation() const override {
      L bare = layer;
      if constexpr (requires { L::ends_in_activation; })
        bare.activation = ActivationFunction::linear;
      return AnyLayer(std::move(bare));
    }

    L layer;
  };

  std::shared_ptr<const Concept> held_;
};

/// A layer that has been called: what its calls share, weights first of all.
struct LayerInstance {
  AnyLayer layer;
  std::string name;  ///< the spec's, or given by the first model that holds it
  std::shared_ptr<class WeightBlock> weights = {};
  std::vector<Index> entries =
      {};  ///< its weights' numbers in that block; of a composite: of its parts
  /// Of a composite: the layers it calls, in the order in which Keras lists their weights.
  std::vector<std::shared_ptr<LayerInstance>> parts = {};
};

/// One call of a composite layer while it expands.
class Expansion {
 public:
  Expansion(LayerInstance& instance, std::vector<Tensor> inputs, bool drops_masks)
      : instance_(instance), inputs_(std::move(inputs)), drops_masks_(drops_masks) {}

  const std::vector<Tensor>& inputs() const { return inputs_; }
  /// The composite's name; empty while it has none.
  const std::string& name() const { return instance_.name; }
  /// Parts are called as detail::call says of `drop_masks`.
  bool drops_masks() const { return drops_masks_; }
  /// Calls a part. Parts of one name are one layer: they share weights over all calls.
  std::vector<Tensor> call(const std::string& name, const AnyLayer& layer,
                           std::vector<Tensor> inputs);
  /// Makes layers that have been called elsewhere the parts, as a model does that is a layer.
  void adopt(const std::vector<std::shared_ptr<LayerInstance>>& layers) {
    instance_.parts = layers;
  }
  /// Throws ArgumentError: `Bidirectional "both": ` + message.
  [[noreturn]] void refuse(std::string_view message) const;

 private:
  LayerInstance& instance_;
  std::vector<Tensor> inputs_;
  bool drops_masks_;
};

namespace detail {
std::vector<Tensor> call(const AnyLayer& layer, const Identity& identity,
                         std::vector<Tensor> inputs, bool drop_masks = false);
/// Calls what has been called before. `drop_masks`: as Keras, which drops masks where a layer has
/// no use for them; else such a layer refuses.
std::vector<Tensor> call(const std::shared_ptr<LayerInstance>& instance, std::vector<Tensor> inputs,
                         bool drop_masks = false);
}  // namespace detail

/// Calls `layer` on `inputs`: plans it for their shapes and returns its outputs.
template <Layer L>
std::vector<Tensor> apply(const L& layer, std::vector<Tensor> inputs) {
  return detail::call(AnyLayer(layer), layer.self, std::move(inputs));
}

/// A layer inside another one's arguments, as {"class_name", "config"}.
Value to_value(const AnyLayer& layer);
/// The layer of that class in the list of all (layers.hpp); lives on the floor of the layers.
void from_value(const Value& value, const Where& where, AnyLayer& out);

}  // namespace sonde
