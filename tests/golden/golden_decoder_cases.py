"""Golden cases of encoder-decoders: trained with a second input, and writing step by step with sampling models."""
import keras
from golden_cases import CHANNELS, Case, case
from keras import layers as kl

LABELS, UNITS, STEPS = 4, 5, 6  # the decoder's input has one number more, which is 1 at the start


def inputs():
    return keras.Input((None, CHANNELS), name="signal"), keras.Input((None, LABELS + 1), name="previous")


def finish(signal, previous, output, encoder, decoder, **options):
    """`encoder`: signal -> what the decoder takes besides the label before; `decoder`: one step, states first."""
    return Case([signal, previous], output, loss="categorical_crossentropy", times=[9, STEPS],
                sampling=(encoder, decoder, STEPS), **options)


@case("decoder_lstm")
def _():
    # Line by line the way of keras.io/examples/nlp/lstm_seq2seq.
    signal, previous = inputs()
    _, h, c = kl.LSTM(UNITS, return_state=True, name="encoder")(signal)
    lstm = kl.LSTM(UNITS, return_sequences=True, return_state=True, name="decoder")
    dense = kl.Dense(LABELS, activation="softmax", name="label")
    decoded, _, _ = lstm(previous, initial_state=[h, c])
    states = [keras.Input((UNITS,)), keras.Input((UNITS,))]
    step, *after = lstm(previous, initial_state=states)
    return finish(signal, previous, dense(decoded), keras.Model(signal, [h, c]),
                  keras.Model([previous, *states], [dense(step), *after]))


@case("decoder_gru_sigmoid")
def _():
    signal = keras.Input((None, CHANNELS), name="signal")
    previous = keras.Input((STEPS, 2), name="previous")
    _, h = kl.GRU(UNITS, return_state=True, name="encoder")(kl.Conv1D(3, 2, strides=2, name="conv")(signal))
    gru = kl.GRU(UNITS, return_sequences=True, return_state=True, name="decoder")
    dense = kl.Dense(1, activation="sigmoid", name="label")
    decoded, _ = gru(previous, initial_state=h)
    state, one = keras.Input((UNITS,)), keras.Input((1, 2))
    step, after = gru(one, initial_state=state)
    return Case([signal, previous], dense(decoded), loss="binary_crossentropy", times=[9, STEPS],
                sampling=(keras.Model(signal, [h]), keras.Model([one, state], [dense(step), after]), STEPS))


@case("decoder_stacked_values")
def _():
    # The second recurrent layer of the decoder begins with zeros.
    signal, previous = inputs()
    _, h, c = kl.LSTM(UNITS, return_state=True, name="encoder")(signal)
    lower = kl.LSTM(UNITS, return_sequences=True, return_state=True, name="lower")
    upper = kl.SimpleRNN(3, return_sequences=True, return_state=True, name="upper")
    dense = kl.Dense(LABELS, name="label")
    decoded, _, _ = lower(previous, initial_state=[h, c])
    decoded, _ = upper(decoded)
    states = [keras.Input((UNITS,)), keras.Input((UNITS,)), keras.Input((3,))]
    step, *after = lower(previous, initial_state=states[:2])
    step, more = upper(step, initial_state=states[2])
    zeros = kl.Rescaling(0.0)(kl.Dense(3, name="zeros")(h))
    case = finish(signal, previous, dense(decoded), keras.Model(signal, [h, c, zeros]),
                  keras.Model([previous, *states], [dense(step), *after, more]))
    case.loss = "mse"
    return case


@case("decoder_attention")
def _():
    # The decoder reads all steps of the encoder, and the encoder's step beside its own.
    signal = keras.Input((9, CHANNELS), name="signal")
    previous = keras.Input((9, LABELS + 1), name="previous")
    sequence, h, c = kl.LSTM(UNITS, return_sequences=True, return_state=True, name="encoder")(signal)
    lstm = kl.LSTM(UNITS, return_sequences=True, return_state=True, name="decoder")
    attention, join = kl.Attention(name="attention"), kl.Concatenate(name="join")
    dense = kl.Dense(LABELS, activation="softmax", name="label")
    decoded, _, _ = lstm(join([previous, sequence]), initial_state=[h, c])
    output = dense(join([decoded, attention([decoded, sequence])]))
    states, memory = [keras.Input((UNITS,)), keras.Input((UNITS,))], keras.Input((9, UNITS))
    one, beside = keras.Input((1, LABELS + 1)), keras.Input((1, UNITS))
    step, *after = lstm(join([one, beside]), initial_state=states)
    label = dense(join([step, attention([step, memory])]))
    return Case([signal, previous], output, loss="categorical_crossentropy",
                sampling=(keras.Model(signal, [h, c, memory_of(sequence), sequence]),
                          keras.Model([one, *states, memory, beside], [label, *after]), 9), beside=1)


def memory_of(sequence):
    return kl.Rescaling(1.0)(sequence)
