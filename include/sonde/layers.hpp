#pragma once
#include <optional>
#include <sonde/layers/activation.hpp>
#include <sonde/layers/activity_regularization.hpp>
#include <sonde/layers/add.hpp>
#include <sonde/layers/additive_attention.hpp>
#include <sonde/layers/attention.hpp>
#include <sonde/layers/average.hpp>
#include <sonde/layers/average_pooling1d.hpp>
#include <sonde/layers/average_pooling2d.hpp>
#include <sonde/layers/batch_normalization.hpp>
#include <sonde/layers/bidirectional.hpp>
#include <sonde/layers/concatenate.hpp>
#include <sonde/layers/conv1d.hpp>
#include <sonde/layers/conv1d_transpose.hpp>
#include <sonde/layers/conv2d.hpp>
#include <sonde/layers/cropping1d.hpp>
#include <sonde/layers/dense.hpp>
#include <sonde/layers/depthwise_conv1d.hpp>
#include <sonde/layers/dot.hpp>
#include <sonde/layers/dropout.hpp>
#include <sonde/layers/elu.hpp>
#include <sonde/layers/embedding.hpp>
#include <sonde/layers/flatten.hpp>
#include <sonde/layers/gaussian_dropout.hpp>
#include <sonde/layers/gaussian_noise.hpp>
#include <sonde/layers/get_item.hpp>
#include <sonde/layers/global_average_pooling1d.hpp>
#include <sonde/layers/global_average_pooling2d.hpp>
#include <sonde/layers/global_max_pooling1d.hpp>
#include <sonde/layers/global_max_pooling2d.hpp>
#include <sonde/layers/group_normalization.hpp>
#include <sonde/layers/gru.hpp>
#include <sonde/layers/input_layer.hpp>
#include <sonde/layers/layer_normalization.hpp>
#include <sonde/layers/leaky_relu.hpp>
#include <sonde/layers/lstm.hpp>
#include <sonde/layers/masking.hpp>
#include <sonde/layers/max_pooling1d.hpp>
#include <sonde/layers/max_pooling2d.hpp>
#include <sonde/layers/maximum.hpp>
#include <sonde/layers/minimum.hpp>
#include <sonde/layers/multi_head_attention.hpp>
#include <sonde/layers/multiply.hpp>
#include <sonde/layers/normalization.hpp>
#include <sonde/layers/permute.hpp>
#include <sonde/layers/prelu.hpp>
#include <sonde/layers/relu.hpp>
#include <sonde/layers/repeat_vector.hpp>
#include <sonde/layers/rescaling.hpp>
#include <sonde/layers/reshape.hpp>
#include <sonde/layers/rnn.hpp>
#include <sonde/layers/separable_conv1d.hpp>
#include <sonde/layers/simple_rnn.hpp>
#include <sonde/layers/softmax.hpp>
#include <sonde/layers/spatial_dropout1d.hpp>
#include <sonde/layers/subtract.hpp>
#include <sonde/layers/time_distributed.hpp>
#include <sonde/layers/unit_normalization.hpp>
#include <sonde/layers/up_sampling1d.hpp>
#include <sonde/layers/zero_padding1d.hpp>

/// All layers, and the list that loaders, listings and tests walk.
namespace sonde {

template <class... T>
struct TypeList {};

/// Calls f.template operator()<T>() for each T of the list, in order.
template <class... T, class F>
constexpr void for_each_type(TypeList<T...>, F&& f) {
  (f.template operator()<T>(), ...);
}

/// A new layer is one word here.
using BuiltinLayers =
    TypeList<InputLayer, Dense, Activation, Conv1D, LSTM, GRU, SimpleRNN, RNN, MaxPooling1D,
             AveragePooling1D, GlobalMaxPooling1D, GlobalAveragePooling1D, UpSampling1D, Dropout,
             Flatten, Reshape, RepeatVector, Concatenate, Add, BatchNormalization,
             LayerNormalization, ZeroPadding1D, Cropping1D, Permute, ReLU, LeakyReLU, PReLU, ELU,
             Softmax, Subtract, Multiply, Average, Maximum, Minimum, Dot, GroupNormalization,
             UnitNormalization, Rescaling, Normalization, SpatialDropout1D, GaussianNoise,
             GaussianDropout, Embedding, Conv2D, MaxPooling2D, AveragePooling2D, GlobalMaxPooling2D,
             GlobalAveragePooling2D, DepthwiseConv1D, SeparableConv1D, Conv1DTranspose, Attention,
             AdditiveAttention, MultiHeadAttention, Masking, TimeDistributed, Bidirectional,
             GetItem, ActivityRegularization>;

/// The layer of that type with that config, as AnyLayer::type() and AnyLayer::config() give them.
/// Throws ArgumentError, naming the nearest type, when the list has none such.
///   AnyLayer mine = layer_from_config(TypeList<MyLayer>{}, "MyLayer", config, where);
template <class... L>
AnyLayer layer_from_config(TypeList<L...>, std::string_view type, const Value::Dict& config,
                           const Where& where) {
  std::optional<AnyLayer> found;
  const auto try_type = [&]<class Each>() {
    if (type == Each::type) found.emplace(from_config<Each>(config, where));
  };
  (try_type.template operator()<L>(), ...);
  if (!found) refuse_name(where, type, {L::type...});
  return *std::move(found);
}
/// The same of `BuiltinLayers`, compiled once.
AnyLayer layer_from_config(std::string_view type, const Value::Dict& config, const Where& where);

}  // namespace sonde
