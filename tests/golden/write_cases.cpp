// Writes models and what they predict, for real Keras to open and agree with:
//   write_cases DIR && python check_written.py DIR

#include <cstdio>
#include <filesystem>
#include <functional>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>
#include <sonde/layers.hpp>
#include <sonde/networks.hpp>

namespace {

using namespace sonde;

/// Numbers around 0 of either sign, without a generator.
Array numbers(const Shape& shape) {
  Array array(shape);
  for (Index i = 0; i < array.size(); ++i)
    array.data()[i] = static_cast<float>((i * 7919) % 257) / 64.0f - 2.0f;
  return array;
}

struct Written {
  Model model;
  bool labels_are_01 = false;  ///< else any numbers
  bool takes_classes = false;  ///< inputs are whole numbers below 5
};

Written uncompiled(const Tensor& x, const Tensor& y) { return {Model(x, y, {.seed = 5}), false}; }

Written trained(const Tensor& x, const Tensor& y, Optimizer optimizer) {
  Model model(x, y, {.seed = 5});
  model.compile({.optimizer = std::move(optimizer),
                 .loss = BinaryCrossentropy{.label_smoothing = 0.1},
                 .metrics = {"accuracy", AUC{.num_thresholds = 20}, BalancedAccuracy{}},
                 .weighted_metrics = {Precision{}, "mse"}});
  return {std::move(model), true};
}

/// A network for each optimizer.
Written network(Optimizer optimizer) {
  const Tensor x = Input({24, 3}, {.name = "signal"});
  Tensor h = Conv1D{
      .filters = 6, .kernel_size = 4, .padding = Padding::same, .activation = Activation::relu}(x);
  h = MaxPooling1D{.pool_size = 4}(h);
  h = LSTM{.units = 5, .return_sequences = true}(h);
  h = UpSampling1D{.size = 4}(h);
  h = Dropout{.rate = 0.25}(h);
  return trained(x, Dense{.units = 1, .activation = Activation::sigmoid}(h), std::move(optimizer));
}

Written conv_arguments() {
  const Tensor x = Input({dynamic, 4});
  Tensor h = Conv1D{.filters = 6,
                    .kernel_size = 3,
                    .padding = Padding::causal,
                    .dilation_rate = 2,
                    .groups = 2,
                    .activation = Activation::gelu,
                    .use_bias = false,
                    .kernel_initializer = HeNormal{.seed = 3},
                    .kernel_regularizer = L1L2{0.1, 0.2},
                    .kernel_constraint = MaxNorm{.max_value = 3.0, .axis = {0, 1}}}(x);
  h = Conv1D{.filters = 4,
             .kernel_size = 2,
             .strides = 2,
             .activation = Activation::mish,
             .kernel_initializer = VarianceScaling{},
             .bias_initializer = Constant{0.5},
             .trainable = false}(h);
  return uncompiled(x, Activation{.activation = Activation::hard_sigmoid}(h));
}

Written lstm_arguments() {
  const Tensor x = Input({9, 3});
  Tensor h = LSTM{.units = 4,
                  .activation = Activation::softsign,
                  .recurrent_activation = Activation::hard_sigmoid,
                  .recurrent_initializer = Orthogonal{.gain = 0.5},
                  .unit_forget_bias = false,
                  .recurrent_regularizer = L2{},
                  .dropout = 0.1,
                  .recurrent_dropout = 0.1,
                  .seed = 7,
                  .return_sequences = true,
                  .go_backwards = true}(x);
  return uncompiled(x, LSTM{.units = 2, .use_bias = false, .unroll = true}(h));
}

Written recurrent_arguments() {
  const Tensor x = Input({9, 3}, {.name = "signal"}), start = Input({4}, {.name = "start"});
  Tensor h = GRU{.units = 4,
                 .activation = Activation::softsign,
                 .recurrent_activation = Activation::hard_sigmoid,
                 .bias_initializer = RandomNormal{},
                 .bias_regularizer = L2{},
                 .dropout = 0.1,
                 .recurrent_dropout = 0.1,
                 .seed = 7,
                 .return_sequences = true,
                 .go_backwards = true}(x, {start});
  h = GRU{.units = 3, .return_sequences = true, .reset_after = false}(h);
  h = SimpleRNN{.units = 4, .bias_initializer = Ones{}, .return_sequences = true, .seed = 2}(h);
  const auto out = SimpleRNN{.units = 2, .use_bias = false, .return_state = true}.outputs(h);
  return {Model({x, start}, out, {.seed = 4}), false};
}

Written cells() {
  const Tensor x = Input({9, 3}, {.name = "signal"});
  const std::vector<Tensor> start = {Input({3}, {.name = "h"}), Input({3}, {.name = "c"}),
                                     Input({2}, {.name = "h2"})};
  Tensor h = RNN{.cell = GRUCell{.units = 4,
                                 .activation = Activation::relu,
                                 .bias_initializer = RandomNormal{},
                                 .recurrent_regularizer = L2{},
                                 .dropout = 0.1,
                                 .name = "one"},
                 .return_sequences = true,
                 .go_backwards = true}(x);
  const StackedRNNCells stack{
      .cells = {{LSTMCell{.units = 3}, SimpleRNNCell{.units = 2, .use_bias = false}}}};
  const auto out =
      RNN{.cell = stack, .return_sequences = true, .return_state = true}.outputs(h, start);
  const StackedRNNCells three{
      .cells = {{LSTMCell{.units = 3}, LSTMCell{.units = 3}, GRUCell{.units = 2}}}};
  const Tensor y = Bidirectional{.layer = RNN{.cell = three}}(out[0]);
  return {Model({x, start[0], start[1], start[2]}, {y, out[1], out[3]}, {.seed = 4}), false};
}

Written encoder_decoder() {
  const Tensor source = Input({9, 3}, {.name = "source"});
  const Tensor target = Input({dynamic, 2}, {.name = "target"});
  const auto states = LSTM{.units = 4, .return_state = true, .name = "encoder"}.outputs(source);
  const LSTM decoder{.units = 4, .return_sequences = true, .return_state = true, .name = "decoder"};
  const auto decoded = decoder.outputs(target, {states[1], states[2]});
  return {Model({source, target},
                {Dense{.units = 3, .activation = Activation::softmax}(decoded[0]), decoded[2]}),
          false};
}

Written shared_at_two_depths() {
  const Tensor a = Input({4}, {.name = "a"}), b = Input({4}, {.name = "b"});
  const Dense shared{.units = 4, .activation = Activation::tanh, .name = "shared"};
  const Tensor x = shared(Dense{.units = 4, .name = "d"}(a));
  const Tensor y = Dense{.units = 4, .name = "q"}(
      Dense{.units = 4, .name = "p"}(shared(Dense{.units = 4, .name = "e"}(b))));
  return {Model({a, b}, {Add{.name = "sum"}({x, y})}, {.seed = 4}), false};
}

Written shared_lstm_in_a_row() {
  const Tensor x = Input({6, 3});
  const LSTM shared{.units = 3, .return_sequences = true};
  return uncompiled(x, shared(shared(shared(x))));
}

Written branches() {
  const Tensor x = Input({12, 4}, {.name = "in"});
  const Tensor wide =
      Conv1D{.filters = 4, .kernel_size = 5, .padding = Padding::same, .name = "zz"}(x);
  const Tensor narrow =
      Conv1D{.filters = 4, .kernel_size = 5, .padding = Padding::same, .name = "aa"}(x);
  const Tensor sum = Add{}({x, wide, narrow});
  const Tensor time = Concatenate{.axis = 1}({sum, wide});
  return uncompiled(x, Concatenate{}({time, time}));
}

Written images() {
  const Tensor x = Input({dynamic, 6, 2});
  Tensor h = Conv2D{.filters = 4,
                    .kernel_size = {1, 3},
                    .padding = Padding::same,
                    .groups = 2,
                    .activation = Activation::relu,
                    .kernel_constraint = MaxNorm{.axis = {0, 1, 2}}}(x);
  h = MaxPooling2D{.pool_size = {1, 2}, .strides = Size2D{1, 1}}(h);
  h = Conv2D{.filters = 3, .kernel_size = 2, .dilation_rate = {2, 1}, .use_bias = false}(h);
  h = AveragePooling2D{.pool_size = 3, .strides = 2, .padding = Padding::same}(h);
  return uncompiled(x, Concatenate{}({GlobalMaxPooling2D{}(h), GlobalAveragePooling2D{}(h)}));
}

Written conv_relatives() {
  const Tensor x = Input({11, 3});
  Tensor h = DepthwiseConv1D{.kernel_size = 3,
                             .padding = Padding::same,
                             .depth_multiplier = 2,
                             .activation = Activation::relu,
                             .depthwise_initializer = HeNormal{},
                             .depthwise_regularizer = L2{}}(x);
  h = SeparableConv1D{.filters = 4,
                      .kernel_size = 2,
                      .strides = 2,
                      .pointwise_initializer = Orthogonal{},
                      .pointwise_constraint = NonNeg{}}(h);
  h = Conv1DTranspose{.filters = 3, .kernel_size = 4, .strides = 3, .output_padding = 2}(h);
  h = Conv1DTranspose{
      .filters = 2, .kernel_size = 3, .strides = 2, .padding = Padding::same, .use_bias = false}(h);
  return uncompiled(x, h);
}

Written attentions() {
  const Tensor q = Input({7, 4}, {.name = "query"}), v = Input({5, 4}, {.name = "value"});
  const auto scored = Attention{.use_scale = true,
                                .score_mode = AttentionScoreMode::concat,
                                .return_attention_scores = true,
                                .use_causal_mask = true}
                          .outputs({q, v});
  const Tensor added = AdditiveAttention{.dropout = 0.2, .seed = 3}({scored[0], v, v});
  const MultiHeadAttention shared{.num_heads = 2, .key_dim = 3, .use_causal_mask = true};
  const Tensor itself = shared(shared(added, added), added);
  const Tensor across = MultiHeadAttention{.num_heads = 2,
                                           .key_dim = 3,
                                           .dropout = 0.1,
                                           .output_shape = 5,
                                           .kernel_regularizer = L2{},
                                           .use_gate = true}(itself, v, Dense{.units = 3}(v));
  return {Model({q, v}, {across, scored[1]}), false};
}

Written pools() {
  const Tensor x = Input({13, 3});
  const Tensor a = AveragePooling1D{.pool_size = 3, .strides = 2, .padding = Padding::same}(x);
  const Tensor m = MaxPooling1D{.pool_size = 3, .strides = 2, .padding = Padding::same}(x);
  const Tensor h = Add{}({a, m});
  return uncompiled(x, Concatenate{}({GlobalAveragePooling1D{}(h), GlobalMaxPooling1D{}(h),
                                      Flatten{}(GlobalMaxPooling1D{.keepdims = true}(h))}));
}

Written shapes() {
  const Tensor x = Input({6}, {.name = "vector"});
  Tensor h = RepeatVector{.n = 4}(Dense{.units = 6}(x));
  h = Reshape{.target_shape = {{-1, 3}}}(h);
  h = Dense{.units = 2, .activation = Activation::log_softmax}(h);
  return uncompiled(x, Flatten{}(h));
}

Written norms() {
  const Tensor x = Input({10, 4});
  Tensor h = BatchNormalization{.momentum = 0.7,
                                .epsilon = 1e-2,
                                .gamma_initializer = Constant{2.0},
                                .moving_mean_initializer = RandomNormal{},
                                .moving_variance_initializer = RandomUniform{0.5, 1.5}}(x);
  h = LayerNormalization{.scale = false}(h);
  h = BatchNormalization{.center = false, .scale = false, .trainable = false}(h);
  return uncompiled(x,
                    Dropout{.rate = 0.5, .noise_shape = Shape{dynamic, 1, dynamic}, .seed = 1}(h));
}

Written rectifiers() {
  const Tensor x = Input({10, 4});
  Tensor h = ReLU{.max_value = 1.5, .negative_slope = 0.2, .threshold = 0.1}(x);
  h = LeakyReLU{}(Dense{.units = 3}(h));
  h = PReLU{.alpha_initializer = Constant{0.3}, .shared_axes = {1}}(h);
  h = PReLU{.alpha_initializer = RandomNormal{}, .alpha_constraint = NonNeg{}}(h);
  h = PReLU{.alpha_regularizer = L2{}, .shared_axes = 1}(ELU{.alpha = 0.5}(h));
  return uncompiled(x, Softmax{}(h));
}

Written merges() {
  const Tensor x = Input({8, 4});
  const Tensor a = Dense{.units = 3}(x), b = Dense{.units = 3, .activation = Activation::tanh}(x);
  const Tensor h =
      Average{}({Subtract{}({a, b}), Multiply{}({a, b, a}), Maximum{}({a, b}), Minimum{}({b, a})});
  const Tensor scores = Dot{.axes = 2}({h, a});
  const Tensor cosine = Dot{.axes = {{-2, 1}}, .normalize = true}({scores, b});
  return uncompiled(x, Permute{.dims = {{2, 1}}}(cosine));
}

Written scales() {
  const Tensor x = Input({9, 4});
  Normalization adapted;
  adapted.adapt(numbers({3, 9, 4}));
  Tensor h = adapted(Rescaling{.scale = {{0.5, 1, 2, -1}}, .offset = 0.25}(x));
  h = Normalization{.axis = {}}(Normalization{}(h));
  h = Normalization{.axis = {1, 2}}(h);
  h = Normalization{.axis = 2, .mean = 0.5, .variance = 2, .invert = true}(h);
  h = GroupNormalization{.groups = 2, .gamma_initializer = Constant{2.0}}(h);
  h = GroupNormalization{.groups = -1, .epsilon = 0.1, .center = false}(h);
  return uncompiled(x, UnitNormalization{}(Rescaling{.scale = 2}(h)));
}

Written padded_and_noisy() {
  const Tensor x = Input({dynamic, 3});
  Tensor h = ZeroPadding1D{.padding = {3, 0}}(x);
  h = Conv1D{.filters = 4, .kernel_size = 4}(h);
  h = Cropping1D{.cropping = 1}(ZeroPadding1D{.padding = 2}(h));
  h = SpatialDropout1D{.rate = 0.2, .seed = 4}(h);
  h = GaussianDropout{.rate = 0.1}(GaussianNoise{.stddev = 0.1, .seed = 2}(h));
  return uncompiled(x, h);
}

Written embeddings() {
  const Tensor x = Input({12});
  // Numbers from -2 to 2 become classes from 0 to 4.
  const Tensor classes = ReLU{}(Rescaling{.scale = 1.1, .offset = 2.3}(x));
  return uncompiled(x, LSTM{.units = 3}(Embedding{.input_dim = 5,
                                                  .output_dim = 3,
                                                  .embeddings_initializer = GlorotUniform{},
                                                  .embeddings_constraint = MaxNorm{}}(classes)));
}

Written many_of_one_class() {
  const Tensor x = Input({8, 2});
  Tensor h = x;
  for (int i = 0; i < 12; ++i)
    h = Conv1D{.filters = 2 + i % 3,
               .kernel_size = 2,
               .padding = Padding::same,
               .activation = Activation::leaky_relu}(h);
  return uncompiled(x, h);
}

Written classes_with_several_outputs() {
  const Tensor x = Input({7, 2});
  const Tensor h = LSTM{.units = 3, .return_sequences = true}(x);
  Model model({x}, {Dense{.units = 1, .activation = Activation::sigmoid, .name = "left"}(h),
                    Dense{.units = 1, .activation = Activation::sigmoid, .name = "right"}(h)});
  model.compile({.optimizer = SGD{.momentum = 0.9, .nesterov = true},
                 .loss = {BinaryCrossentropy{}, MeanAbsoluteError{}},
                 .loss_weights = {1.0f, 0.5f},
                 .metrics = {"mae"}});
  return {std::move(model), true};
}

/// Trains what is compiled for two steps, so that there is a state to save; then writes everything.
Written penalties() {
  const Tensor x = Input({9, 3});
  Tensor h = Conv1D{.filters = 4, .kernel_size = 2, .activity_regularizer = L1{0.01}}(x);
  h = ActivityRegularization{.l1 = 0.01, .l2 = 0.02}(h);
  h = GRU{.units = 3, .activity_regularizer = L2{0.1}, .return_sequences = true}(h);
  h = Bidirectional{.layer = LSTM{.units = 3, .activity_regularizer = L1L2{0.1, 0.2}}}(h);
  return trained(
      x, Dense{.units = 1, .activation = Activation::sigmoid, .activity_regularizer = L2{0.1}}(h),
      Adam{});
}

Written words_of_any_number() {
  const Tensor x = Input({dynamic});
  Tensor h = Embedding{.input_dim = 5, .output_dim = 3, .mask_zero = true}(x);
  h = LSTM{.units = 4}(h);
  Written written = trained(x, Dense{.units = 1, .activation = Activation::sigmoid}(h), Adam{});
  written.takes_classes = true;
  return written;
}

/// Keras counts the operations that join masks in the depth by which it numbers layers of a class:
/// "near" comes before "far" by its place in the network, and behind it by its masks.
Written joined_masks() {
  const Tensor x = Input({6, 3}, {.name = "signal"});
  const Tensor masked = Masking{}(x);
  const Tensor near = LSTM{.units = 4, .return_sequences = true, .name = "near"}(masked);
  const Tensor joined = Concatenate{.name = "concatenate"}({near, masked});
  const Tensor end = LSTM{.units = 4, .name = "end"}(joined);
  const Tensor far = LSTM{.units = 4, .return_sequences = true, .name = "far"}(x);
  const Tensor other = Dense{.units = 4}(Dense{.units = 4}(GlobalMaxPooling1D{}(far)));
  return uncompiled(x, Add{}({end, other}));
}

/// Names that Keras would give the operations of masks.
Written masks_of_all_kinds() {
  const Tensor x = Input({6, 3}, {.name = "any"});
  const Tensor masked = Masking{.mask_value = -2, .name = "not_equal"}(x);
  const Tensor also = Masking{.name = "logical_or"}(x);
  const Tensor sum = Add{.name = "ones_like"}({masked, also, masked});
  const Tensor half = Concatenate{.name = "expand_dims"}({sum, also});
  const Tensor in_time = Concatenate{.axis = 1, .name = "concatenate_1"}({sum, also});
  const Tensor seen = Attention{.name = "zeros_like"}({sum, also});
  const Tensor a = GlobalAveragePooling1D{}(GRU{.units = 3, .return_sequences = true}(in_time));
  const Tensor b = Bidirectional{.layer = LSTM{.units = 2}}(BatchNormalization{}(half));
  const Tensor c = SimpleRNN{.units = 3, .name = "concatenate"}(Dropout{.rate = 0.2}(seen));
  return uncompiled(x, Concatenate{}({a, b, c}));
}

Written model_at_the_end() {
  const Tensor in = Input({3});
  Model inner(in, Dense{.units = 3, .activation = Activation::tanh}(in),
              {.seed = 2, .name = "inner"});
  const Tensor x = Input({3});
  return uncompiled(x, inner(inner(x)));
}

void write(const std::filesystem::path& folder, const std::string& name, Written written) {
  Model& model = written.model;
  constexpr Index rows = 5;
  NamedArrays arrays;
  std::vector<Array> x, y;
  for (const Tensor& input : model.graph().input_tensors()) {
    Shape shape = input.shape();
    if (shape[0] == dynamic) shape[0] = 11;
    x.push_back(numbers(shape.with_front(rows)));
    for (Index i = 0; written.takes_classes && i < x.back().size(); ++i)
      x.back().data()[i] = static_cast<float>(i * 7 % 5);
  }
  if (model.compiled()) {
    for (Array& array : model.predict(x)) {
      for (Index i = 0; i < array.size(); ++i)
        array.data()[i] = written.labels_are_01 ? static_cast<float>(i % 3 == 0) : 0.5f;
      y.push_back(std::move(array));
    }
    model.fit(x, y, {.epochs = 2, .batch_size = rows, .verbose = false, .threads = 1});
  }
  const std::vector<Array> predicted = model.predict(x);
  for (std::size_t i = 0; i < x.size(); ++i) arrays["x" + std::to_string(i)] = x[i];
  for (std::size_t i = 0; i < y.size(); ++i) arrays["y" + std::to_string(i)] = y[i];
  for (std::size_t i = 0; i < predicted.size(); ++i)
    arrays["predict" + std::to_string(i)] = predicted[i];
  const Value extra = Value::Dict{{"classes", Value::List{"none", "event"}}};
  save_model(model, folder / (name + ".keras"), extra);
  save_npz(folder / (name + ".npz"), arrays);
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    std::fprintf(stderr, "usage: write_cases DIR\n");
    return 2;
  }
  const std::filesystem::path folder = words[1];
  std::filesystem::create_directories(folder);
  const std::pair<const char*, std::function<Written()>> cases[] = {
      {"adam", [] { return network(Adam{.amsgrad = true}); }},
      {"adamw_schedule",
       [] {
         return network(AdamW{.learning_rate = CosineDecay{1e-3, 100}, .clipnorm = 1.0});
       }},
      {"sgd", [] { return network(SGD{}); }},
      {"rmsprop", [] { return network(RMSprop{.momentum = 0.5, .centered = true}); }},
      {"conv_arguments", conv_arguments},
      {"lstm_arguments", lstm_arguments},
      {"recurrent_arguments", recurrent_arguments},
      {"cells", cells},
      {"encoder_decoder", encoder_decoder},
      {"shared_at_two_depths", shared_at_two_depths},
      {"shared_lstm_in_a_row", shared_lstm_in_a_row},
      {"branches", branches},
      {"images", images},
      {"conv_relatives", conv_relatives},
      {"attentions", attentions},
      {"pools", pools},
      {"shapes", shapes},
      {"norms", norms},
      {"rectifiers", rectifiers},
      {"merges", merges},
      {"scales", scales},
      {"padded_and_noisy", padded_and_noisy},
      {"embeddings", embeddings},
      {"many_of_one_class", many_of_one_class},
      {"penalties", penalties},
      {"words_of_any_number", words_of_any_number},
      {"joined_masks", joined_masks},
      {"masks_of_all_kinds", masks_of_all_kinds},
      {"model_at_the_end", model_at_the_end},
      {"two_outputs", classes_with_several_outputs}};
  for (const auto& [name, make] : cases) {
    std::printf("%s\n", name);
    write(folder, name, make());
  }
  for (const NetworkName& each : networks()) {
    Model model = make_network(each.name, {24, 3}, {.filters = 4, .kernel_size = 2, .units = 5});
    model.compile({.loss = BinaryCrossentropy{}, .metrics = {"accuracy"}});
    write(folder, "network_" + std::string(each.name), {std::move(model), true});
  }
}
