"""The list of golden cases: one or more for each layer and argument, loss, optimizer, and the networks."""
import keras
from keras import layers as kl
from keras import optimizers as ko
from keras import regularizers as kr

TIME, CHANNELS = 17, 3
CASES = {}  # name -> function of nothing that returns a Case


class Case:
    """A model with what is needed to train it; targets are drawn from its outputs and its loss."""

    def __init__(self, inputs, outputs, loss="mse", loss_config=None, batch=5, train=True,
                 weighted=False, optimizer=None, model=None, classes=None, change_x=None,
                 times=None, sampling=None, beside=0):
        self.model = model or keras.Model(inputs, outputs, name="model")
        self.loss, self.loss_config = loss, loss_config or {}
        self.batch, self.train, self.weighted, self.optimizer = batch, train, weighted, optimizer
        self.classes = classes  # the inputs are numbers of so many classes
        self.change_x = change_x  # what becomes of the drawn inputs
        self.times = times  # of each input where it leaves them open
        self.sampling = sampling  # (encoder, decoder for one step, steps): the last `beside` of what the encoder
        self.beside = beside      # gives comes step by step


def case(name):
    def register(build):
        assert name not in CASES, name
        CASES[name] = build
        return build
    return register


def chain(name, *make_layers, shape=(TIME, CHANNELS), **options):
    """Registers a plain stack; layers come as functions, so that nothing is built before it is asked for."""
    @case(name)
    def build():
        x = first = keras.Input(shape, name="input")
        for make in make_layers:
            x = make()(x)
        return Case(first, x, **options)


def mix(units=CHANNELS, **options):
    """In front of a layer, so that its gradient with respect to its input is seen in `mix`'s weights."""
    return lambda: kl.Dense(units, name="mix", **options)


def conv(filters=4, kernel_size=3, name="conv", **options):
    return lambda: kl.Conv1D(filters, kernel_size, name=name, **options)


def lstm(units=4, name="lstm", **options):
    return lambda: kl.LSTM(units, name=name, **options)


def gru(units=4, name="gru", **options):
    return lambda: kl.GRU(units, name=name, **options)


def simple_rnn(units=4, name="simple_rnn", **options):
    return lambda: kl.SimpleRNN(units, name=name, **options)


def dense(units, activation=None, name="dense", **options):
    return lambda: kl.Dense(units, activation=activation, name=name, **options)


for _name, _options in {
    "valid": {}, "valid_k1": dict(kernel_size=1), "valid_k8": dict(kernel_size=8),
    "same_odd": dict(padding="same"), "same_even": dict(padding="same", kernel_size=4),
    "same_k8": dict(padding="same", kernel_size=8),
    "causal": dict(padding="causal"), "causal_dilation2": dict(padding="causal", dilation_rate=2),
    "valid_dilation3": dict(dilation_rate=3), "same_dilation2": dict(padding="same", dilation_rate=2),
    "valid_stride2": dict(strides=2), "same_stride2": dict(padding="same", strides=2),
    "same_stride3_k4": dict(padding="same", strides=3, kernel_size=4),
    "causal_stride2": dict(padding="causal", strides=2),
    "no_bias": dict(use_bias=False),
}.items():
    chain("conv1d_" + _name, mix(), conv(**_options))
chain("conv1d_groups", mix(6), conv(4, groups=2))
chain("conv1d_depthwise_groups", mix(3), conv(6, groups=3, padding="same"))
chain("conv1d_kernel_is_length", mix(), conv(4, TIME))
chain("conv1d_wide", conv(20, 5, padding="same"), shape=(TIME, 18))

for _name in ("relu tanh sigmoid softmax elu selu softplus softsign silu gelu hard_sigmoid leaky_relu "
              "exponential relu6 mish hard_silu").split():
    chain("conv1d_" + _name, conv(activation=_name))
    chain("activation_" + _name, mix(4), lambda n=_name: kl.Activation(n, name="activation"), shape=(6, 4))

for _short, _pool in {"max": kl.MaxPooling1D, "average": kl.AveragePooling1D}.items():
    for _name, _options in {
        "valid": dict(pool_size=2), "valid_p4": dict(pool_size=4), "same": dict(pool_size=3, padding="same"),
        "overlap": dict(pool_size=3, strides=2), "same_overlap": dict(pool_size=3, strides=2, padding="same"),
        "gaps": dict(pool_size=2, strides=3), "same_stride1": dict(pool_size=4, strides=1, padding="same"),
    }.items():
        chain(f"{_short}_pooling1d_{_name}", mix(4), lambda p=_pool, o=_options: p(name="pool", **o))
chain("global_max_pooling1d", mix(4), lambda: kl.GlobalMaxPooling1D(name="pool"))
chain("global_average_pooling1d", mix(4), lambda: kl.GlobalAveragePooling1D(name="pool"))
chain("global_max_pooling1d_keepdims", mix(4), lambda: kl.GlobalMaxPooling1D(keepdims=True, name="pool"))
chain("global_average_pooling1d_keepdims", mix(4),
      lambda: kl.GlobalAveragePooling1D(keepdims=True, name="pool"))
chain("up_sampling1d", mix(4), lambda: kl.UpSampling1D(3, name="up"))
chain("zero_padding1d", mix(4), lambda: kl.ZeroPadding1D((2, 3), name="pad"))
chain("cropping1d", mix(4), lambda: kl.Cropping1D((2, 3), name="crop"))

for _name, _options in {
    "last": {}, "sequences": dict(return_sequences=True),
    "backwards": dict(go_backwards=True), "backwards_sequences": dict(go_backwards=True, return_sequences=True),
    "relu_hard_sigmoid": dict(activation="relu", recurrent_activation="hard_sigmoid", return_sequences=True),
    "softsign_sigmoid": dict(activation="softsign", return_sequences=True),
    "no_bias": dict(use_bias=False, return_sequences=True),
    "no_forget_bias": dict(unit_forget_bias=False),
}.items():
    chain("lstm_" + _name, mix(), lstm(**_options))
chain("lstm_wide", lstm(19, return_sequences=True), shape=(TIME, 18))
chain("lstm_one_step", mix(), lstm(return_sequences=True), shape=(1, CHANNELS))
chain("lstm_stacked", mix(), lstm(5, "lower", return_sequences=True), lstm(3, "upper", return_sequences=True))
chain("lstm_dropout_predict", lstm(dropout=0.3, recurrent_dropout=0.2), train=False)


@case("lstm_return_state")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    return Case(x, kl.LSTM(4, return_sequences=True, return_state=True, name="lstm")(mix()()(x)))


@case("lstm_return_state_last")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    out, h, c = kl.LSTM(4, return_state=True, name="lstm")(mix()()(x))
    joined = kl.Concatenate(name="joined")([out, h, c])
    return Case(x, kl.Dense(2, name="dense")(joined))


@case("lstm_states_used")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    sequence, h, c = kl.LSTM(4, return_sequences=True, return_state=True, name="lstm")(x)
    states = kl.RepeatVector(TIME, name="repeat")(kl.Concatenate(name="states")([h, c]))
    return Case(x, kl.Dense(2, name="dense")(kl.Concatenate(name="joined")([sequence, states])))


@case("lstm_initial_state")
def _():
    source = keras.Input((TIME, CHANNELS), name="source")
    target = keras.Input((7, 2), name="target")
    _, h, c = kl.LSTM(4, return_state=True, name="encoder")(source)
    x = kl.LSTM(4, return_sequences=True, name="decoder")(target, initial_state=[h, c])
    return Case([source, target], kl.Dense(3, activation="softmax", name="label")(x),
                loss="categorical_crossentropy")


@case("lstm_initial_state_inputs")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    h, c = keras.Input((4,), name="h"), keras.Input((4,), name="c")
    return Case([x, h, c], kl.LSTM(4, return_sequences=True, return_state=True, name="lstm")(
        x, initial_state=[h, c]))


for _name, _options in {
    "last": {}, "sequences": dict(return_sequences=True),
    "backwards": dict(go_backwards=True), "backwards_sequences": dict(go_backwards=True, return_sequences=True),
    "relu": dict(activation="relu", return_sequences=True), "silu": dict(activation="silu", return_sequences=True),
    "no_bias": dict(use_bias=False, return_sequences=True),
    "regularized": dict(kernel_regularizer="l2", recurrent_regularizer="l1", bias_regularizer="l2"),
}.items():
    chain("gru_" + _name, mix(), gru(**_options))
    chain("gru_reset_before_" + _name, mix(), gru(reset_after=False, **_options))
    chain("simple_rnn_" + _name, mix(), simple_rnn(**_options))
chain("gru_hard_sigmoid", mix(), gru(recurrent_activation="hard_sigmoid", return_sequences=True))
chain("gru_wide", gru(19, return_sequences=True), shape=(TIME, 18))
chain("gru_reset_before_wide", gru(19, return_sequences=True, reset_after=False), shape=(TIME, 18))
chain("gru_one_step", mix(), gru(return_sequences=True), shape=(1, CHANNELS))
chain("gru_stacked", mix(), gru(5, "lower", return_sequences=True), lstm(3, "upper", return_sequences=True))
chain("gru_dropout_predict", gru(dropout=0.3, recurrent_dropout=0.2), train=False)
chain("simple_rnn_wide", simple_rnn(19, return_sequences=True), shape=(TIME, 18))
chain("simple_rnn_dropout_predict", simple_rnn(dropout=0.3, recurrent_dropout=0.2), train=False)

for _name, _kind in {"gru": kl.GRU, "simple_rnn": kl.SimpleRNN}.items():
    @case(_name + "_return_state")
    def _(kind=_kind):
        x = keras.Input((TIME, CHANNELS), name="input")
        return Case(x, kind(4, return_sequences=True, return_state=True, name="rnn")(mix()()(x)))

    @case(_name + "_initial_state")
    def _(kind=_kind):
        source = keras.Input((TIME, CHANNELS), name="source")
        target = keras.Input((7, 2), name="target")
        _, h = kind(4, return_state=True, name="encoder")(source)
        x = kind(4, return_sequences=True, name="decoder")(target, initial_state=h)
        return Case([source, target], kl.Dense(3, activation="softmax", name="label")(x),
                    loss="categorical_crossentropy")


def rnn(*cells, name="rnn", **options):
    return lambda: kl.RNN([make() for make in cells] if len(cells) > 1 else cells[0](), name=name, **options)


def lstm_cell(units=4, **options):
    return lambda: kl.LSTMCell(units, **options)


def gru_cell(units=3, **options):
    return lambda: kl.GRUCell(units, **options)


def simple_rnn_cell(units=2, **options):
    return lambda: kl.SimpleRNNCell(units, **options)


chain("rnn_lstm_cell", mix(), rnn(lstm_cell(), return_sequences=True))
chain("rnn_gru_cell", mix(), rnn(gru_cell(reset_after=False, kernel_regularizer="l2"), go_backwards=True))
chain("rnn_simple_rnn_cell", mix(), rnn(simple_rnn_cell(activation="relu"), return_sequences=True))
chain("rnn_stacked", mix(), rnn(lstm_cell(), gru_cell(), simple_rnn_cell(), lstm_cell(2), return_sequences=True))
chain("rnn_stacked_backwards", mix(), rnn(lstm_cell(), gru_cell(), return_sequences=True, go_backwards=True))
chain("rnn_bidirectional", mix(),
      lambda: kl.Bidirectional(kl.RNN([kl.LSTMCell(3), kl.GRUCell(2)], return_sequences=True), name="both"))


@case("rnn_stacked_states")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    h, c, g = (keras.Input((n,), name=name) for n, name in ((4, "h"), (4, "c"), (3, "g")))
    out, lstm_states, gru_state = kl.RNN([kl.LSTMCell(4), kl.GRUCell(3)], return_state=True, name="rnn")(
        x, initial_state=[[h, c], [g]])
    return Case([x, h, c, g], kl.Concatenate(name="joined")([out, *lstm_states, gru_state]))


def masked_walk(name, *make_layers):
    """Steps at which relu leaves nothing are masked: about a quarter of them."""
    chain("masking_" + name, lambda: kl.Dense(2, activation="relu", name="mix"),
          lambda: kl.Masking(name="masking"), *make_layers)


masked_walk("gru", gru(return_sequences=True))
masked_walk("gru_reset_before", gru(reset_after=False))
masked_walk("gru_zeros", gru(return_sequences=True, zero_output_for_mask=True))
masked_walk("simple_rnn", simple_rnn(return_sequences=True))
masked_walk("lstm_zeros", lstm(return_sequences=True, zero_output_for_mask=True))
masked_walk("lstm_zeros_last", lstm(zero_output_for_mask=True))
masked_walk("rnn_stacked", rnn(lstm_cell(), gru_cell(), return_sequences=True))


@case("masking_lstm_initial_state")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    h, c = keras.Input((4,), name="h"), keras.Input((4,), name="c")
    steps = kl.Masking(name="masking")(kl.Dense(2, activation="relu", name="mix")(x))
    return Case([x, h, c], kl.LSTM(4, return_sequences=True, name="lstm")(steps, initial_state=[h, c]))


chain("dense_steps", mix(), dense(4, "tanh"))
chain("dense_flat", mix(), dense(4, "relu"), shape=(6,))
chain("dense_no_bias", mix(), dense(4, use_bias=False), shape=(6,))
chain("dense_wide", dense(37), shape=(41,))
chain("dropout", mix(), lambda: kl.Dropout(0.0, name="dropout"))
chain("dropout_predict", mix(), lambda: kl.Dropout(0.4, name="dropout"), train=False)
chain("spatial_dropout1d_predict", mix(), lambda: kl.SpatialDropout1D(0.4, name="dropout"), train=False)
chain("flatten", mix(), lambda: kl.Flatten(name="flatten"), dense(2))
chain("reshape", mix(4), lambda: kl.Reshape((34, 2), name="reshape"), conv())
chain("reshape_inferred", mix(4), lambda: kl.Reshape((-1, 2), name="reshape"), conv())
chain("reshape_more_axes", mix(4), lambda: kl.Reshape((17, 2, 2), name="reshape"), dense(3))
chain("repeat_vector", mix(4), lambda: kl.RepeatVector(5, name="repeat"), lstm(return_sequences=True), shape=(6,))
chain("permute", mix(4), lambda: kl.Permute((2, 1), name="permute"), dense(2))

for _name, _axis in {"channels": -1, "time": 1}.items():
    @case("concatenate_" + _name)
    def _(axis=_axis):
        x = keras.Input((TIME, CHANNELS), name="input")
        parts = [kl.Conv1D(4, k, padding="same", name=f"conv{k}")(x) for k in (2, 3, 5)]
        return Case(x, kl.Dense(2, name="dense")(kl.Concatenate(axis=axis, name="joined")(parts)))

chain("permute_steps_stay", lambda: kl.Reshape((17, 2, 2), name="split"), lambda: kl.Permute((1, 3, 2), name="permute"),
      dense(3), shape=(TIME, 4))

for _name, _make in {
    "relu": lambda: kl.ReLU(name="layer"),
    "relu_all": lambda: kl.ReLU(max_value=0.8, negative_slope=0.3, threshold=0.1, name="layer"),
    "relu_6": lambda: kl.ReLU(6, name="layer"),
    "leaky_relu": lambda: kl.LeakyReLU(name="layer"),
    "prelu": lambda: kl.PReLU(name="layer"),
    "prelu_shared": lambda: kl.PReLU(shared_axes=[1], alpha_regularizer="l2", name="layer"),
    "elu": lambda: kl.ELU(0.7, name="layer"),
    "softmax": lambda: kl.Softmax(name="layer"),
    "rescaling": lambda: kl.Rescaling(0.5, -1, name="layer"),
    "rescaling_list": lambda: kl.Rescaling([1.0, -0.5, 2.0, 3.0], [0, 0.25, 0.5, 0.75], name="layer"),
    "unit_normalization": lambda: kl.UnitNormalization(name="layer"),
    "group_normalization": lambda: kl.GroupNormalization(2, name="layer"),
    "group_normalization_each": lambda: kl.GroupNormalization(-1, epsilon=0.1, center=False, name="layer"),
    "group_normalization_bare": lambda: kl.GroupNormalization(1, center=False, scale=False, name="layer"),
    "normalization": lambda: kl.Normalization(name="layer"),
    "normalization_one": lambda: kl.Normalization(axis=None, name="layer"),
    "normalization_steps": lambda: kl.Normalization(axis=[1, 2], name="layer"),
    "normalization_given": lambda: kl.Normalization(mean=[0.5, 0, -1, 0.25], variance=[4, 1, 0.5, 2], name="layer"),
    "normalization_invert": lambda: kl.Normalization(mean=0.5, variance=4, invert=True, name="layer"),
}.items():
    chain(_name, mix(4), _make, dense(2))
for _name, _make in {"noise": lambda: kl.GaussianNoise(0.2, name="layer"),
                     "dropout": lambda: kl.GaussianDropout(0.2, name="layer")}.items():
    chain(f"gaussian_{_name}_predict", mix(4), _make, train=False)

chain("embedding", lambda: kl.Embedding(5, 3, name="embedding"), lstm(return_sequences=True), shape=(TIME,), classes=5)
chain("embedding_pairs", lambda: kl.Embedding(5, 3, embeddings_regularizer="l2", name="embedding"), dense(2),
      shape=(TIME, 2), classes=5)

for _name, _options in {"steps": dict(axes=2), "channels": dict(axes=1), "cosine": dict(axes=-1, normalize=True),
                        "cosine_of_channels": dict(axes=(1, 1), normalize=True)}.items():
    @case("dot_" + _name)
    def _(options=_options):
        x = keras.Input((TIME, CHANNELS), name="input")
        parts = [kl.Dense(4, name=f"part{i}")(x) for i in range(2)]
        return Case(x, kl.Dense(2, name="dense")(kl.Dot(name="dot", **options)(parts)))


@case("dot_flat")
def _():
    x = keras.Input((6,), name="input")
    parts = [kl.Dense(4, name=f"part{i}")(x) for i in range(2)]
    return Case(x, kl.Dot(1, normalize=True, name="dot")(parts))


@case("shared_layer")
def _():
    a, b = keras.Input((TIME, CHANNELS), name="a"), keras.Input((TIME, CHANNELS), name="b")
    shared = kl.Conv1D(4, 3, activation="tanh", name="shared")
    return Case([a, b], kl.Dense(2, name="dense")(kl.Concatenate(name="joined")([shared(a), shared(b)])))


@case("shared_lstm_in_a_row")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    shared = kl.LSTM(CHANNELS, return_sequences=True, name="shared")
    return Case(x, shared(shared(x)))


@case("two_inputs_two_outputs")
def _():
    # Branches of unequal length, made in another order than they are sorted: layer order matters.
    a, b = keras.Input((TIME, CHANNELS), name="a"), keras.Input((TIME, 2), name="b")
    late = kl.LSTM(4, return_sequences=True, name="late")(b)
    early = kl.LSTM(4, return_sequences=True, name="early")(kl.Conv1D(2, 3, padding="same", name="conv")(a))
    joined = kl.Concatenate(name="joined")([late, early])
    return Case([a, b], [kl.Dense(2, name="left")(joined), kl.Dense(3, name="right")(early)])


@case("layer_order")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    a = kl.Dense(4, name="a")(x)
    zz, aa = kl.Dense(4, name="zz")(a), kl.Dense(4, name="aa")(a)
    return Case(x, kl.Add(name="add")([zz, kl.Dense(4, name="bb")(aa)]))


@case("sequential")
def _():
    model = keras.Sequential([keras.Input((TIME, CHANNELS)), conv(activation="relu")(),
                              lstm(return_sequences=True)(), dense(1, "sigmoid")()], name="model")
    return Case(None, None, loss="binary_crossentropy", model=model)


def norm(kind, **options):
    return lambda: getattr(kl, kind)(name="norm", **options)


# No bias in front of a norm over the batch: its gradient is rounding noise around zero, which Adam turns into steps.
for _kind, _short in {"BatchNormalization": "batch_normalization", "LayerNormalization": "layer_normalization"}.items():
    _mix = mix(use_bias=_short == "layer_normalization")
    chain(_short, _mix, norm(_kind), dense(2))
    chain(_short + "_flat", _mix, norm(_kind), dense(2), shape=(6,), batch=6)
    chain(_short + "_after_conv", conv(use_bias=_short == "layer_normalization"), norm(_kind),
          lambda: kl.Activation("relu", name="relu"), dense(2))
    chain(_short + "_no_center", _mix, norm(_kind, center=False), dense(2))
    chain(_short + "_no_scale", _mix, norm(_kind, scale=False), dense(2))
    chain(_short + "_bare", _mix, norm(_kind, center=False, scale=False, epsilon=1e-2), dense(2))
chain("batch_normalization_momentum", mix(use_bias=False), norm("BatchNormalization", momentum=0.7), dense(2))


@case("batch_normalization_frozen")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    layer = kl.BatchNormalization(name="norm", trainable=False)
    return Case(x, kl.Dense(2, name="dense")(layer(mix()()(x))))


chain("frozen_conv", conv(trainable=False), dense(2))

chain("regularizers", conv(kernel_regularizer=kr.L1(0.02), bias_regularizer=kr.L2(0.03)),
      lstm(return_sequences=True, kernel_regularizer=kr.L2(0.01), recurrent_regularizer=kr.L1(0.02),
           bias_regularizer=kr.L1L2(0.01, 0.02)),
      dense(2, kernel_regularizer=kr.L1L2(0.02, 0.01)))
chain("regularizer_l1", conv(kernel_regularizer="l1"))
chain("regularizer_l2", lstm(recurrent_regularizer="l2"))
chain("regularizer_l1_l2", dense(4, bias_regularizer=kr.L1L2()))
chain("constraint_max_norm", conv(kernel_constraint=keras.constraints.MaxNorm(0.6)),
      lstm(return_sequences=True, recurrent_constraint=keras.constraints.MaxNorm(0.5)),
      dense(2, kernel_constraint=keras.constraints.MaxNorm(0.4), bias_constraint=keras.constraints.MaxNorm(0.1)))

for _loss in ("mse", "mae", "huber"):
    chain("loss_" + _loss, mix(), dense(2), loss=_loss)
chain("loss_huber_delta", mix(), dense(2), loss="huber", loss_config={"delta": 0.3})
chain("loss_binary_crossentropy", mix(), dense(1, "sigmoid"), loss="binary_crossentropy")
chain("loss_binary_crossentropy_units3", mix(), dense(3, "sigmoid"), loss="binary_crossentropy")
chain("loss_binary_crossentropy_flat", mix(), dense(1, "sigmoid"), loss="binary_crossentropy", shape=(6,))
chain("loss_binary_crossentropy_logits", mix(), dense(1), loss="binary_crossentropy",
      loss_config={"from_logits": True})
chain("loss_binary_crossentropy_smoothing", mix(), dense(1, "sigmoid"), loss="binary_crossentropy",
      loss_config={"label_smoothing": 0.1})
for _prefix in ("categorical", "sparse_categorical"):
    _loss = _prefix + "_crossentropy"
    chain("loss_" + _loss, mix(), dense(4, "softmax"), loss=_loss)
    chain(f"loss_{_loss}_flat", mix(), dense(4, "softmax"), loss=_loss, shape=(6,))
    chain(f"loss_{_loss}_logits", mix(), dense(4), loss=_loss, loss_config={"from_logits": True})
chain("loss_categorical_crossentropy_smoothing", mix(), dense(4, "softmax"), loss="categorical_crossentropy",
      loss_config={"label_smoothing": 0.1})
chain("loss_log_cosh", mix(), dense(2), loss="log_cosh")
chain("loss_binary_focal_crossentropy", mix(), dense(1, "sigmoid"), loss="binary_focal_crossentropy",
      loss_config={"apply_class_balancing": True, "alpha": 0.7})
chain("loss_categorical_focal_crossentropy", mix(), dense(4, "softmax"), loss="categorical_focal_crossentropy",
      loss_config={"gamma": 1.5})
chain("loss_dice", mix(), dense(1, "sigmoid"), loss="dice", batch=11)  # three shards share one value
chain("loss_dice_samples", mix(), dense(2, "sigmoid"), loss="dice", loss_config={"axis": [1, 2]})
chain("loss_tversky_classes", mix(), dense(4, "softmax"), loss="tversky", batch=11,
      loss_config={"alpha": 0.7, "beta": 0.3, "axis": [0, 1]})
for _loss, _head in {"mse": (2, None), "mae": (2, None), "huber": (2, None),
                     "binary_crossentropy": (1, "sigmoid"), "categorical_crossentropy": (4, "softmax"),
                     "sparse_categorical_crossentropy": (4, "softmax")}.items():
    chain("sample_weight_" + _loss, mix(), dense(*_head), loss=_loss, weighted=True)
chain("sample_weight_sum", mix(), dense(1, "sigmoid"), loss="binary_crossentropy", weighted=True,
      loss_config={"reduction": "sum"})
chain("sample_weight_mean", mix(), dense(1, "sigmoid"), loss="binary_crossentropy", weighted=True,
      loss_config={"reduction": "mean_with_sample_weight"})

_decay = ko.schedules.ExponentialDecay(0.02, decay_steps=2, decay_rate=0.5)
for _name, _make in {
    "sgd": lambda: ko.SGD(0.05), "sgd_momentum": lambda: ko.SGD(0.05, momentum=0.9),
    "sgd_nesterov": lambda: ko.SGD(0.05, momentum=0.9, nesterov=True),
    "sgd_weight_decay": lambda: ko.SGD(0.05, weight_decay=0.1),
    "sgd_schedule": lambda: ko.SGD(_decay, momentum=0.5),
    "rmsprop": lambda: ko.RMSprop(0.01), "rmsprop_momentum": lambda: ko.RMSprop(0.01, momentum=0.8),
    "rmsprop_centered": lambda: ko.RMSprop(0.01, centered=True),
    "rmsprop_centered_momentum": lambda: ko.RMSprop(0.01, rho=0.8, momentum=0.8, centered=True),
    "adam": lambda: ko.Adam(0.01), "adam_amsgrad": lambda: ko.Adam(0.01, beta_2=0.9, amsgrad=True),
    "adam_betas": lambda: ko.Adam(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
    "adam_weight_decay": lambda: ko.Adam(0.01, weight_decay=0.1),
    "adam_schedule": lambda: ko.Adam(_decay),
    "adamw": lambda: ko.AdamW(0.01), "adamw_weight_decay": lambda: ko.AdamW(0.01, weight_decay=0.2),
    "adagrad": lambda: ko.Adagrad(0.05),
    "clipnorm": lambda: ko.SGD(0.5, clipnorm=0.05), "global_clipnorm": lambda: ko.SGD(0.5, global_clipnorm=0.1),
    "clipvalue": lambda: ko.SGD(0.5, clipvalue=0.01), "adam_clipnorm": lambda: ko.Adam(0.01, clipnorm=0.05),
    "ema": lambda: ko.Adam(0.01, use_ema=True, ema_momentum=0.9),
    "ema_overwrite": lambda: ko.SGD(0.05, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=2),
    "gradient_accumulation": lambda: ko.SGD(0.05, gradient_accumulation_steps=2),
}.items():
    chain("optimizer_" + _name, conv(activation="relu"), dense(1, "sigmoid"), loss="binary_crossentropy",
          optimizer=_make)

_network = dict(shape=(400, 16), loss="binary_crossentropy", batch=4)
_pool = lambda: kl.MaxPooling1D(4, name="pool")  # noqa: E731
chain("network_conv_pool_lstm_last", conv(32, 8, activation="relu"), _pool, lstm(32), dense(1, "sigmoid"), **_network)
chain("network_conv_lstm", conv(32, 8, padding="same", activation="relu"), lstm(32, return_sequences=True),
      dense(1, "sigmoid"), **_network)
chain("network_conv_pool_lstm_wide", conv(32, 8, activation="relu"), _pool, lstm(32), dense(400, "sigmoid"),
      **_network)
chain("network_conv_pool_lstm_up", conv(32, 8, padding="same", activation="relu"), _pool,
      lstm(32, return_sequences=True), lambda: kl.UpSampling1D(4, name="up"),
      conv(16, 8, "refine", padding="same", activation="relu"), dense(1, "sigmoid"), **_network)
