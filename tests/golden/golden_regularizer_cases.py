"""Golden cases of penalties on activities, and of sequences of numbers of any length."""
import keras
import numpy as np
from golden_cases import CHANNELS, TIME, Case, case, chain, conv, dense, gru, lstm, mix
from keras import layers as kl
from keras import regularizers as kr

for _name, _options in {"l1": dict(l1=0.02), "l2": dict(l2=0.03), "l1_l2": dict(l1=0.01, l2=0.02), "none": {}}.items():
    chain("activity_regularization_" + _name, mix(), lambda o=_options: kl.ActivityRegularization(**o, name="penalty"),
          dense(2))
chain("activity_regularization_at_the_end", mix(), lambda: kl.ActivityRegularization(l1=0.02, l2=0.01, name="penalty"))

for _name, _make in {
    "conv1d": conv(activity_regularizer=kr.L1L2(0.01, 0.02), activation="relu"),
    "depthwise_conv1d": lambda: kl.DepthwiseConv1D(3, activity_regularizer="l1", name="conv"),
    "separable_conv1d": lambda: kl.SeparableConv1D(4, 3, activity_regularizer="l2", name="conv"),
    "conv1d_transpose": lambda: kl.Conv1DTranspose(4, 3, strides=2, activity_regularizer="l2", name="conv"),
    "dense": dense(4, "tanh", "inner", activity_regularizer=kr.L2(0.05)),
    "lstm": lstm(activity_regularizer=kr.L2(0.05)),
    "lstm_sequences": lstm(activity_regularizer=kr.L1(0.02), return_sequences=True, kernel_regularizer="l2"),
    "gru_sequences": gru(activity_regularizer=kr.L1L2(0.02, 0.03), return_sequences=True),
    "frozen": conv(activity_regularizer=kr.L2(0.05), kernel_regularizer="l2", trainable=False),
    "bidirectional": lambda: kl.Bidirectional(kl.LSTM(3, return_sequences=True, activity_regularizer=kr.L2(0.05)),
                                              name="both"),
}.items():
    chain("activity_regularizer_" + _name, mix(), _make, dense(2))
chain("activity_regularizer_conv2d", mix(2), lambda: kl.Conv2D(3, 2, activity_regularizer="l2", name="conv"),
      shape=(9, 5, 2))
chain("activity_regularizer_sigmoid_head", mix(), dense(1, "sigmoid", activity_regularizer=kr.L2(0.2)),
      loss="binary_crossentropy")
chain("activity_regularizer_softmax_head", mix(), dense(4, "softmax", activity_regularizer=kr.L2(0.2)),
      loss="categorical_crossentropy")
chain("activity_regularizer_masked", lambda: kl.Masking(name="masking"), lstm(
    activity_regularizer=kr.L2(0.05), return_sequences=True),
    lambda: kl.ActivityRegularization(l1=0.02, name="penalty"), dense(2),
    change_x=lambda x: x * (np.arange(TIME) < 11)[None, :, None].astype(np.float32))
# Of the layer inside Keras forgets the penalty, of layers in a model inside it does not.
chain("activity_regularizer_time_distributed", mix(), lambda: kl.TimeDistributed(
    kl.Dense(4, activity_regularizer=kr.L2(0.5), name="inner"), name="steps"), dense(2))
chain("activity_regularization_time_distributed", mix(), lambda: kl.TimeDistributed(
    kl.ActivityRegularization(l2=0.5, name="inner"), name="steps"), dense(2))


@case("activity_regularizer_time_distributed_model")
def _():
    step = keras.Input((5, CHANNELS), name="step")
    inner = keras.Model(step, kl.LSTM(4, activity_regularizer=kr.L2(0.05), name="lstm")(step), name="inner")
    x = keras.Input((6, 5, CHANNELS), name="input")
    return Case(x, kl.Dense(2, name="dense")(kl.TimeDistributed(inner, name="steps")(mix()()(x))))


@case("activity_regularizer_states")
def _():  # every output has its penalty, and nothing reads the cell or the sequence
    x = keras.Input((TIME, CHANNELS), name="input")
    _, h, _ = kl.LSTM(4, return_sequences=True, return_state=True, activity_regularizer=kr.L1L2(0.01, 0.02),
                      name="lstm")(mix()()(x))
    return Case(x, kl.Dense(2, name="dense")(h))


@case("activity_regularizer_two_outputs")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    h = kl.Dense(4, activity_regularizer=kr.L2(0.03), name="hidden")(x)
    last = kl.LSTM(3, activity_regularizer=kr.L1(0.02), name="lstm")(h)
    return Case(x, [kl.Dense(2, activity_regularizer="l2", name="steps")(h), kl.Dense(2, name="end")(last)])


chain("embedding_any_length", lambda: kl.Embedding(7, 4, activity_regularizer="l2", name="embedding"), lstm(),
      dense(2), shape=(None,), classes=7, times=[9])
chain("embedding_any_length_masked", lambda: kl.Embedding(7, 4, mask_zero=True, name="embedding"),
      lstm(return_sequences=True), dense(1, "sigmoid"), shape=(None,), classes=7, times=[9],
      loss="binary_crossentropy")
chain("embedding_any_length_sums", lambda: kl.Embedding(7, 4, name="embedding"),
      lambda: kl.GlobalAveragePooling1D(name="pool"), dense(2), shape=(None,), classes=7, times=[11])
