#pragma once
#include <optional>
#include <sonde/layers/activation.hpp>
#include <sonde/layers/add.hpp>
#include <sonde/layers/average_pooling1d.hpp>
#include <sonde/layers/batch_normalization.hpp>
#include <sonde/layers/bidirectional.hpp>
#include <sonde/layers/concatenate.hpp>
#include <sonde/layers/conv1d.hpp>
#include <sonde/layers/dense.hpp>
#include <sonde/layers/dropout.hpp>
#include <sonde/layers/flatten.hpp>
#include <sonde/layers/global_average_pooling1d.hpp>
#include <sonde/layers/global_max_pooling1d.hpp>
#include <sonde/layers/gru.hpp>
#include <sonde/layers/input_layer.hpp>
#include <sonde/layers/layer_normalization.hpp>
#include <sonde/layers/lstm.hpp>
#include <sonde/layers/masking.hpp>
#include <sonde/layers/max_pooling1d.hpp>
#include <sonde/layers/repeat_vector.hpp>
#include <sonde/layers/reshape.hpp>
#include <sonde/layers/rnn.hpp>
#include <sonde/layers/simple_rnn.hpp>
#include <sonde/layers/time_distributed.hpp>
#include <sonde/layers/up_sampling1d.hpp>

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
             LayerNormalization, Masking, TimeDistributed, Bidirectional>;

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

}  // namespace sonde
