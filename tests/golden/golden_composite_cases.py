"""Golden cases of layers made of others, of models in models, and of masks."""
import keras
from keras import layers as kl

from golden_cases import CHANNELS, TIME, Case, case, chain, conv, dense, lstm, mix


def birnn(units=4, name="both", inner=None, **options):
    wrapper = {k: options.pop(k) for k in ("merge_mode", "backward_layer") if k in options}
    return lambda: kl.Bidirectional(kl.LSTM(units, name="inner", **options), name=name, **wrapper)


for _name, _options in {
    "last": {}, "sequences": dict(return_sequences=True),
    "sum": dict(return_sequences=True, merge_mode="sum"), "mul": dict(return_sequences=True, merge_mode="mul"),
    "ave": dict(merge_mode="ave"), "no_bias": dict(use_bias=False, return_sequences=True),
}.items():
    chain("bidirectional_" + _name, mix(), birnn(**_options), dense(2))
chain("bidirectional_stacked", mix(), birnn(3, "lower", return_sequences=True), birnn(2, "upper"), dense(2))


@case("bidirectional_two_outputs")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    a, b = kl.Bidirectional(kl.LSTM(4, return_sequences=True), merge_mode=None, name="both")(x)
    return Case(x, kl.Dense(2, name="dense")(kl.Subtract(name="difference")([a, b])))


@case("bidirectional_states")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    y, fh, fc, bh, bc = kl.Bidirectional(kl.LSTM(4, return_sequences=True, return_state=True), name="both")(x)
    z = kl.Bidirectional(kl.LSTM(4), name="again")(y, initial_state=[bh, bc, fh, fc])
    return Case(x, kl.Dense(2, name="dense")(z))


@case("bidirectional_other_layer")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    layer = kl.Bidirectional(kl.LSTM(4, return_sequences=True), name="both",
                             backward_layer=kl.LSTM(4, "relu", go_backwards=True, return_sequences=True, name="other"))
    return Case(x, kl.Dense(2, name="dense")(layer(x)))


def each_step(make, name="each"):
    return lambda: kl.TimeDistributed(make(), name=name)


chain("time_distributed_dense", mix(), each_step(dense(4, "tanh")), dense(2, name="label"))
chain("time_distributed_lstm", each_step(lstm(3)), dense(2), shape=(7, 5, 2))
chain("time_distributed_conv1d", each_step(conv(3, 2)), each_step(lambda: kl.Flatten(name="flatten"), "flat"),
      dense(2), shape=(7, 5, 2))
chain("time_distributed_bidirectional", each_step(birnn(2)), dense(2), shape=(5, 4, 2))


@case("nested_model")
def _():
    z = keras.Input((TIME, CHANNELS), name="z")
    inner = keras.Model(z, conv(padding="same")()(lstm(3, return_sequences=True)()(z)), name="inner")
    a, b = keras.Input((TIME, CHANNELS), name="a"), keras.Input((TIME, CHANNELS), name="b")
    joined = kl.Concatenate(name="joined")([inner(a), inner(b)])
    return Case([a, b], kl.Dense(2, name="dense")(joined))


@case("nested_sequential")
def _():
    inner = keras.Sequential([keras.Input((TIME, CHANNELS)), conv(padding="same")(), conv(3, 2, "more")()],
                             name="inner")
    x = keras.Input((TIME, CHANNELS), name="input")
    return Case(x, kl.Dense(2, name="dense")(inner(mix()()(x))))


@case("nested_model_frozen")
def _():
    z = keras.Input((TIME, CHANNELS), name="z")
    inner = keras.Model(z, lstm(3, return_sequences=True)()(z), name="inner")
    inner.trainable = False
    x = keras.Input((TIME, CHANNELS), name="input")
    return Case(x, kl.Dense(2, name="dense")(inner(x)))


def padded(x):
    """Zeros at the end of each sample, another number of steps in each, and one hole."""
    for row in range(len(x)):
        x[row, 3 + 2 * row:] = 0
    x[1, 1] = 0
    return x


def masked(name, *make_layers, **options):
    chain("masking_" + name, lambda: kl.Masking(name="masking"), *make_layers, change_x=padded, **options)


masked("dense", dense(2))
masked("lstm", lstm(return_sequences=True), dense(2))
masked("lstm_last", lstm(), dense(2))
masked("lstm_backwards", lstm(go_backwards=True), dense(2))
masked("lstm_stacked", lstm(return_sequences=True), lstm(3, "upper", return_sequences=True), dense(2))
masked("bidirectional", birnn(return_sequences=True), dense(2))
masked("bidirectional_last", birnn(), dense(2))
masked("batch_normalization", lambda: kl.BatchNormalization(name="norm"), lstm(return_sequences=True), dense(2))
masked("average", lambda: kl.GlobalAveragePooling1D(name="pool"), dense(2))
masked("binary_crossentropy", lstm(return_sequences=True), dense(1, "sigmoid"), loss="binary_crossentropy")
masked("softmax_weighted", lstm(return_sequences=True), dense(3, "softmax"), loss="categorical_crossentropy",
       weighted=True)
masked("sum", dense(2), loss_config={"reduction": "sum"})
masked("conv", lambda: kl.Conv1D(3, 3, name="conv"), dense(2))


def gaps(x):
    """Steps to be masked, others in the first channels than in the last."""
    x = x.copy()
    x[:, ::3, :CHANNELS], x[:, ::4, CHANNELS:] = 0, 0
    return x


# A masked step leaves the word to the other inputs; where one has no mask, all steps count.
for _join in (kl.Multiply, kl.Maximum, kl.Minimum):
    for _masks in (2, 1):
        def _(join=_join, masks=_masks):
            x = keras.Input((TIME, 2 * CHANNELS), name="input")
            parts = [x[..., :CHANNELS], x[..., CHANNELS:]]
            parts = [kl.Masking(name=f"masking{i}")(p) if i < masks else p for i, p in enumerate(parts)]
            parts = [kl.Dense(4, name=f"mix{i}")(p) for i, p in enumerate(parts)]
            joined = join(name="join")(parts + parts[:1])
            return Case(x, kl.Dense(2, name="dense")(joined), change_x=gaps)
        case(f"masked_{_join.__name__.lower()}_{_masks}")(_)


@case("masked_concatenate_1")
def _():  # beside a part without a mask every step counts, and the file says so in nodes of its own
    x = keras.Input((TIME, 2 * CHANNELS), name="input")
    joined = kl.Concatenate(name="join")([kl.Masking(name="masking")(x[..., :CHANNELS]), x[..., CHANNELS:]])
    return Case(x, kl.Dense(2, name="dense")(kl.GlobalAveragePooling1D(name="pool")(joined)), change_x=gaps)


@case("model_at_the_end")
def _():  # called twice, of which the second gives an output, and two inputs without masks go in together
    one = keras.Input((CHANNELS,), name="one")
    inner = keras.Model(one, kl.Dense(CHANNELS, activation="tanh", name="inner_dense")(one), name="inner")
    left, right = keras.Input((CHANNELS,), name="left"), keras.Input((CHANNELS,), name="right")
    join = keras.Model([left, right], kl.Add(name="inner_add")([left, right]), name="join")
    x = keras.Input((CHANNELS,), name="input")
    first = inner(kl.Dense(CHANNELS, name="mix")(x))
    return Case(x, [inner(first), join([first, x])])
